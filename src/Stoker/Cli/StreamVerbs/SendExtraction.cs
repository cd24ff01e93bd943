using Stoker.Estates;
using Stoker.Estates.Yaml;
using Stoker.Platform;
using Stoker.Streams.Extraction;
using Stoker.Streams.Extraction.Embedding;

namespace Stoker.Cli.StreamVerbs;

/// <summary>How <c>stoker stream send</c> makes documents of images and lines.</summary>
/// <param name="patience">How long to wait for an endpoint that is away.</param>
internal sealed class SendExtraction(Invocation run, SendTarget target, TimeSpan patience, Action<string> say)
{
    public const string Builtin = "builtin";

    private const string UsualKey = "OPENAI_API_KEY";

    /// <summary><see cref="Builtin"/>, or URL and model; null: no vectors.</summary>
    public string? Embed { get; init; }

    public int? Dimension { get; init; }

    public string? KeyVariable { get; init; }

    public Extractor Create()
    {
        var hardware = HardwareFacts.Of(Nvml.Read(), Declared());
        foreach (var problem in hardware.Problems) say($"warning: {problem}");
        return new Extractor(hardware, Embedder(), HostEnvironment.HostName, TimeProvider.System, say);
    }

    private IEmbedder? Embedder() => Embed switch
    {
        null => null,
        Builtin => new BuiltinEmbedder(Dimension ?? target.Dimension ?? ExtractionModule.UsualDimension),
        _ when EndpointEmbedder.Parse(Embed) is { } endpoint => new EndpointEmbedder(
            endpoint.Url, endpoint.Model, run.World.Variables.GetValueOrDefault(KeyVariable ?? UsualKey), patience, new SteadyClock()),
        _ => throw new InvalidOperationException($"`{Embed}` was to be refused"),
    };

    /// <summary>The GPUs that the estate file here declares of this host, where there is such a file.</summary>
    private IReadOnlyList<DeviceFacts> Declared()
    {
        if (EstateLoader.Discover(run.World.CurrentDirectory, run.World.Files) is null || run.Choice?.Read(run.Env).Spec is not { } estate) return [];
        var host = run.Host is { } asked ? estate.Hosts.GetValueOrDefault(new HostName(asked))
            : estate.Hosts.Count == 1 ? estate.Hosts.Values.Single()
            : estate.Hosts.GetValueOrDefault(new HostName(HostEnvironment.HostName));
        return host is null ? [] : [.. host.Gpus.Select((gpu, index) => new DeviceFacts(gpu.Model) { Index = index, Count = host.Gpus.Count, Uuid = gpu.Uuid, TotalMemory = gpu.Memory?.Bytes })];
    }
}
