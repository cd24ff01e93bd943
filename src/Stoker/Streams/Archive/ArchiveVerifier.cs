using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Archive;

/// <summary>
/// Proves that an archive has everything: reads each manifest and each object of a stream.
/// <code>
/// manifests, by log and partition, in order ─► each begins where the one before ends, offset and hash ─► the last ends at the position
///      └─► objects: bytes, sum, lines as the manifest says ─► the log's hash, and raw lines made anew of the log, where it still has the events
/// </code>
/// Changes nothing, and may be run while the stream runs: what is put meanwhile lies behind the position and is left out.
/// </summary>
/// <param name="log">The stream's; null: it has none.</param>
/// <param name="told">Called with the count of objects that were read.</param>
internal sealed class ArchiveVerifier(IArchiveStore store, string stream, LogView? log, Action<long> told)
{
    private readonly string? _ours = log is null ? null : ArchiveNames.LogOf(log.Name);
    private readonly List<ArchiveRun> _runs = [];
    private readonly List<ArchiveFault> _faults = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<string> _named = [];
    private long _read;

    /// <exception cref="ArchiveUnavailableException">It cannot be read just now.</exception>
    public async Task<ArchiveReport> RunAsync(CancellationToken stop)
    {
        // Of a topic the archive's end is the position: nothing else keeps it.
        var promised = log?.Partitions.ToDictionary(partition => partition.Partition, partition => (partition as PartitionFiles)?.PositionOf(ArchiveModule.Consumer)) ?? [];
        var manifests = new SortedDictionary<(string Log, int Partition), List<(ArchiveName Read, string Name)>>();
        foreach (var partition in promised.Keys) manifests[(_ours!, partition)] = [];
        await foreach (var name in store.ListAsync(ArchiveNames.Manifests(stream), stop))
        {
            if (ArchiveNames.Read(name) is not { } read) continue;
            if (!manifests.TryGetValue((read.Log, read.Partition), out var list)) manifests[(read.Log, read.Partition)] = list = [];
            list.Add((read, name));
        }

        var ends = new Dictionary<int, ulong?>();
        foreach (var ((name, partition), list) in manifests)
        {
            list.Sort(static (a, b) => a.Read.First != b.Read.First ? a.Read.First.CompareTo(b.Read.First) : Nullable.Compare(a.Read.Next, b.Read.Next));
            var isOurs = name == _ours && promised.ContainsKey(partition);
            var view = isOurs ? log!.Partitions.First(each => each.Partition == partition) : null;
            var position = promised.GetValueOrDefault(isOurs ? partition : -1);
            var end = await RunAsync(new ManifestChain(stream, name, partition), list, view, position, stop);
            if (isOurs) ends[partition] = log!.IsRemote ? end ?? 0 : promised[partition]?.Next;
        }

        await FindStraysAsync(ends, stop);
        return new ArchiveReport(_runs, _faults, _notes);
    }

    /// <returns>The first offset that no manifest has.</returns>
    private async Task<ulong?> RunAsync(ManifestChain chain, List<(ArchiveName Read, string Name)> manifests, IPartitionView? ours, Position? position, CancellationToken stop)
    {
        var heldToLog = 0L;
        var checks = new ObjectCheck(store);
        using var held = ours is null ? null : new LogCheck(log!, ours);
        foreach (var (read, name) in manifests)
        {
            _named.Add(name);
            // Put, but not promised yet: the position follows, or it is put once more.
            if (ours is not null && !log!.IsRemote && !(read.First < position?.Next)) continue;
            if (await ReadAsync(chain, name, stop) is not { } manifest) continue;
            foreach (var words in chain.Add(read, manifest)) Fault(chain, name, words);
            foreach (var made in manifest.Objects)
            {
                _named.Add(made.Name);
                foreach (var words in await checks.RunAsync(made, stop)) Fault(chain, made.Name, words);
                told(++_read);
            }

            if (held is null) continue;
            var (faults, same) = held.Run(manifest, stop);
            foreach (var words in faults) Fault(chain, name, words);
            heldToLog += same;
        }

        _notes.AddRange(chain.Notes);

        if (ours is not null && position is { Epoch: > 0 } known && known.Next > ours.BeginOffset && chain.Next != known.Next)
            Fault(chain, "", $"the log remembers that everything before event {known.Next} is archived, and the archive ends {(chain.Next is { } end ? $"at {end}" : "before anything")}");
        if (ours is not null && chain.First > 0) _notes.Add($"partition {chain.Partition} is archived from event {chain.First} on, which was the first of the log then, or the first for this place");
        var waiting = ours is null ? 0 : ours.NextOffset - Math.Min(ours.NextOffset, chain.Next ?? position?.Next ?? ours.BeginOffset);
        if (chain.Manifests > 0 || ours is not null) _runs.Add(chain.Run(ours is not null, heldToLog, waiting));
        return chain.Next;
    }

    private async Task<ArchiveManifest?> ReadAsync(ManifestChain chain, string name, CancellationToken stop)
    {
        try
        {
            if (await ManifestReading.ReadAsync(store, name, stop) is { } manifest) return manifest;
            Fault(chain, name, "it was listed, and is not there");
        }
        catch (ArchiveDamagedException damaged)
        {
            Fault(chain, name, damaged.Message);
        }

        return null;
    }

    /// <summary>Objects that no manifest names, which a crash may leave behind.</summary>
    /// <param name="ends">The first offset of each of our partitions that is not archived; what begins there is being made.</param>
    private async Task FindStraysAsync(Dictionary<int, ulong?> ends, CancellationToken stop)
    {
        foreach (var what in new[] { ArchiveSpec.Raw, ArchiveSpec.Enriched })
        {
            await foreach (var name in store.ListAsync(ArchiveNames.Objects(stream, what), stop))
            {
                if (_named.Contains(name)) continue;
                var isBeingMade = ArchiveNames.Read(name) is { } read && read.Log == _ours && ends.TryGetValue(read.Partition, out var end) && !(read.First < end);
                if (!isBeingMade) _notes.Add($"`{name}` is named by no manifest; what is in it is counted nowhere");
            }
        }
    }

    private void Fault(ManifestChain chain, string name, string words) => _faults.Add(new ArchiveFault(chain.Log, chain.Partition, name, words));
}
