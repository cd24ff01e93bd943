using Stoker.Platform;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus;

/// <summary>From a snapshot to its document: whose the processes are, and what each costs the machine beside the GPU.</summary>
internal sealed class GpuView(string? estate, TimeProvider clock)
{
    private static readonly string[] OwnerWords = ["service", "orphan", "other_estate", "stranger"];

    private readonly GpuOwners _owners = new(estate ?? "");
    private readonly Dictionary<(int Pid, ulong Start), (TimeSpan Cpu, long At)> _cpu = [];
    private readonly Dictionary<string, (long Xid, DateTimeOffset At)> _xids = [];

    /// <param name="given">By UUID, who was given the card.</param>
    public GpusDocument Lay(GpuSnapshot snapshot, IReadOnlyList<ReplicaProcess> replicas, Func<GpuState, IReadOnlyList<string>> given, Func<GpuState, string?> host)
    {
        foreach (var incident in snapshot.Incidents)
        {
            if (incident is { Kind: GpuEventKind.Xid, Gpu.Device.Uuid: { } uuid }) _xids[uuid] = (incident.Data, snapshot.At);
        }

        var owners = _owners.Find(snapshot.Gpus.SelectMany(g => g.Now?.Processes ?? []).Select(p => p.Pid), replicas);
        var seen = new HashSet<(int, ulong)>();
        List<GpuDocument> gpus = [.. snapshot.Gpus.Select(g => Document(g, owners, seen, given(g), host(g)))];
        foreach (var gone in _cpu.Keys.Where(k => !seen.Contains(k)).ToList()) _cpu.Remove(gone);
        var system = snapshot.Gpus.FirstOrDefault(g => !g.Device.Simulated)?.System;
        return new GpusDocument(estate, snapshot.At, system?.Driver, system?.Cuda, snapshot.Problems, gpus);
    }

    private GpuDocument Document(GpuState gpu, IReadOnlyDictionary<int, GpuOwner> owners, HashSet<(int, ulong)> seen, IReadOnlyList<string> given, string? host)
    {
        List<GpuClientDocument> clients = [.. (gpu.Now?.Processes ?? []).Select(p => Client(p, owners[p.Pid], seen)).OrderByDescending(c => c.Memory ?? 0).ThenBy(c => c.Pid)];
        var xid = gpu.Device.Uuid is { } uuid && _xids.TryGetValue(uuid, out var last) ? last : ((long Xid, DateTimeOffset At)?)null;
        return new GpuDocument(gpu.Number, gpu.Device.Simulated, gpu.Device)
        {
            Host = host,
            Now = gpu.Now is { } now ? now with { Processes = [] } : null,
            Silent = gpu.Silent,
            ThrottledBy = ThrottleReasons.Of(gpu.Now?.Throttle),
            Services = [.. clients.Where(c => c.Owner == "service").Select(c => c.Service!).Concat(given).Distinct().Order(StringComparer.Ordinal)],
            Clients = clients,
            LastXid = xid?.Xid,
            LastXidAt = xid?.At,
        };
    }

    private GpuClientDocument Client(GpuProcess process, GpuOwner owner, HashSet<(int, ulong)> seen)
    {
        var entry = ProcessTable.Find(process.Pid);
        return new GpuClientDocument(process.Pid, entry?.Command, estate is null ? "stranger" : OwnerWords[(int)owner.Kind])
        {
            Service = owner.Service,
            Replica = owner.Replica,
            Kind = process.Kind,
            Memory = process.Memory,
            GpuPercent = process.GpuPercent,
            CpuPercent = entry is { } found ? Percent(found, seen) : null,
            HostMemory = (long?)entry?.ResidentBytes,
            Instance = process.Instance,
        };
    }

    private double? Percent(ProcessEntry entry, HashSet<(int, ulong)> seen)
    {
        var key = (entry.Pid, entry.StartTicks);
        seen.Add(key);
        var now = clock.GetTimestamp();
        var known = _cpu.TryGetValue(key, out var last);
        var elapsed = known ? clock.GetElapsedTime(last.At, now) : default;
        _cpu[key] = (entry.CpuTime, now);
        return known && elapsed > TimeSpan.Zero ? Math.Round(Math.Max(0, (entry.CpuTime - last.Cpu) / elapsed * 100), 1) : null;
    }
}
