using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Supervision;

namespace Stoker.Daemon.Protocol;

/// <summary>
/// Everything that crosses the control socket, as source-generated JSON: snake_case, nulls written, one line per document so that
/// a stream of them is NDJSON.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(StateWords.Converter)])]
[JsonSerializable(typeof(DaemonDocument))]
[JsonSerializable(typeof(DaemonStopRequest))]
[JsonSerializable(typeof(DaemonUpgradeRequest))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(LogDocument))]
[JsonSerializable(typeof(ApplyRequest))]
[JsonSerializable(typeof(ApplyResponse))]
[JsonSerializable(typeof(DiagnosticDocument))]
[JsonSerializable(typeof(AcceptedDocument))]
[JsonSerializable(typeof(ScaleRequest))]
[JsonSerializable(typeof(WhyDocument))]
[JsonSerializable(typeof(ProbeDocument))]
[JsonSerializable(typeof(ModelsDocument))]
[JsonSerializable(typeof(ErrorDocument))]
internal sealed partial class ControlJson : JsonSerializerContext
{
    /// <summary>For people and their tools: back-ticks and umlauts stay readable. None of it is ever put into HTML.</summary>
    public static ControlJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new StateWords.Converter() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
