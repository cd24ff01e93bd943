namespace Stoker.Hosts.Facts;

/// <summary>
/// What a machine is, as <c>stoker host facts --json</c> prints it. What could not be read is null (a list: empty), and <see cref="Unknown"/> says why. Sizes are in
/// bytes.
/// </summary>
internal sealed record HostFacts(
    DateTimeOffset TakenAt,
    double TookMs,
    OsFacts Os,
    MachineFacts Machine,
    CpuFacts Cpu,
    MemoryFacts Memory,
    IReadOnlyList<NumaNode> Numa,
    IReadOnlyList<DiskFacts> Disks,
    IReadOnlyList<MountFacts> Mounts,
    NetworkFacts Network,
    PowerFacts Power,
    IReadOnlyList<SensorReading> Sensors,
    GpuFacts Gpu,
    IReadOnlyList<RuntimeFacts> Runtimes,
    IReadOnlyList<PythonFacts> Python,
    IReadOnlyList<UnknownFact> Unknown);

/// <param name="Fact">Its path in the document: <c>cpu.microcode</c>, or that of what it would be in.</param>
/// <param name="Why">In words.</param>
internal sealed record UnknownFact(string Fact, string Why);
