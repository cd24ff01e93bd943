using Stoker.Hosts.Facts;
using Stoker.Platform;

namespace Stoker.Hosts.Checks;

/// <summary>What checks see of a machine. What several of them ask is asked once: the package database, all facts, GPUs, sockets.</summary>
internal sealed class CheckDoors(FactDoors facts)
{
    private readonly Lazy<Task<HostFacts>> _facts = new(() => FactsReader.ReadAsync(facts, []));
    private readonly Lazy<IReadOnlyList<MountFacts>> _mounts = new(() => MountReader.ReadAll(facts.Files));
    private readonly Lazy<IReadOnlyList<ListeningSocket>> _listening = new(SocketTable.Listening);
    private readonly Lazy<Task<NvmlAnswer>> _nvml = new(() => Task.Run(facts.Nvml));

    public FactDoors Machine => facts;

    public PackageDatabase Packages { get; } = new(facts);

    public Task<HostFacts> FactsAsync() => _facts.Value;

    public IReadOnlyList<MountFacts> Mounts => _mounts.Value;

    public IReadOnlyList<ListeningSocket> Listening => _listening.Value;

    public Task<NvmlAnswer> NvmlAsync() => _nvml.Value;
}
