using System.Text.Json.Serialization;

namespace Stoker.Cli;

/// <summary>Documents that the command line makes itself, in the manner of <see cref="Daemon.Protocol.ControlJson"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckDocument))]
[JsonSerializable(typeof(ExplainDocument))]
internal sealed partial class CliJson : JsonSerializerContext;
