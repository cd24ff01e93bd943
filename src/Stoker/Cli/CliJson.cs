using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoker.Cli;

/// <summary>Documents that the command line makes itself, in the manner of <see cref="Daemon.Protocol.ControlJson"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckDocument))]
[JsonSerializable(typeof(ExplainDocument))]
[JsonSerializable(typeof(RouteReplayDocument))]
[JsonSerializable(typeof(PullStatusDocument))]
[JsonSerializable(typeof(ModelCheckDocument))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>Back-ticks and umlauts as they are; none of it is ever put into HTML.</summary>
    public static CliJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
