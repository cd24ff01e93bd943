namespace Stoker.Streams.Transform;

/// <summary>What the estate file says of one of its hosts. Memory is in bytes; null: it does not say. Settable for the generated reader, as all of a plan.</summary>
internal sealed record HostFacts(string Name)
{
    public string? Address { get; set; }

    public double? Cpus { get; set; }

    public long? Memory { get; set; }

    public IReadOnlyList<HostGpu> Gpus { get; set; } = [];
}

/// <param name="Model">NVML's product name.</param>
internal sealed record HostGpu(string Model, long? Memory, string? Uuid);
