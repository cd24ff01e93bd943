using Stoker.Streams.Log.Positions;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Work;

namespace Stoker.Streams.Archive;

/// <summary>
/// Proves that an archive has everything: reads each manifest and each object of a stream.
/// <code>
/// manifests, by log and partition, in order ─► each begins where the one before ends, offset and hash ─► the last ends at the position
///      └─► objects: bytes, sum, lines as the manifest says ─► the log's hash, and raw lines made anew of the log, where it still has the events
/// </code>
/// Changes nothing, and may be run while the stream runs: what is put meanwhile lies behind the position and is left out.
/// </summary>
/// <param name="files">The stream's log; null: it has none.</param>
/// <param name="told">Called with the count of objects that were read.</param>
internal sealed class ArchiveVerifier(IArchiveStore store, string stream, LogFiles? files, Action<long> told)
{
    private readonly List<ArchiveRun> _runs = [];
    private readonly List<ArchiveFault> _faults = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<string> _named = [];
    private long _read;

    /// <exception cref="ArchiveUnavailableException">It cannot be read just now.</exception>
    public async Task<ArchiveReport> RunAsync(CancellationToken stop)
    {
        var promised = files?.Partitions.ToDictionary(partition => partition.Partition, partition => partition.PositionOf(ArchiveModule.Consumer)) ?? [];
        var manifests = new SortedDictionary<(string Log, int Partition), List<(ulong First, string Name)>>();
        foreach (var partition in promised.Keys) manifests[($"{files!.Log}", partition)] = [];
        await foreach (var name in store.ListAsync(ArchiveNames.Manifests(stream), stop))
        {
            if (ArchiveNames.Read(name) is not { } read) continue;
            if (!manifests.TryGetValue((read.Log, read.Partition), out var list)) manifests[(read.Log, read.Partition)] = list = [];
            list.Add((read.First, name));
        }

        foreach (var ((log, partition), list) in manifests)
        {
            list.Sort();
            var isOurs = log == files?.Log.ToString() && promised.ContainsKey(partition);
            await RunAsync(new ManifestChain(stream, log, partition), list, isOurs ? files!.Partitions.First(each => each.Partition == partition) : null, promised.GetValueOrDefault(isOurs ? partition : -1), stop);
        }

        await FindStraysAsync(promised, stop);
        return new ArchiveReport(_runs, _faults, _notes);
    }

    private async Task RunAsync(ManifestChain chain, List<(ulong First, string Name)> manifests, PartitionFiles? ours, Position? position, CancellationToken stop)
    {
        var heldToLog = 0L;
        var checks = new ObjectCheck(store);
        foreach (var (first, name) in manifests)
        {
            _named.Add(name);
            // Put, but not promised yet: the position follows, or it is put once more.
            if (ours is not null && !(first < position?.Next)) continue;
            if (await ReadAsync(chain, name, stop) is not { } manifest) continue;
            foreach (var words in chain.Add(first, manifest)) Fault(chain, name, words);
            foreach (var made in manifest.Objects)
            {
                _named.Add(made.Name);
                foreach (var words in await checks.RunAsync(made, stop)) Fault(chain, made.Name, words);
                told(++_read);
            }

            if (ours is null) continue;
            var (faults, held) = LogCheck.Run(files!.Log, ours, manifest, stop);
            foreach (var words in faults) Fault(chain, name, words);
            heldToLog += held;
        }

        if (ours is not null && position is { Epoch: > 0 } known && known.Next > ours.BeginOffset && chain.Next != known.Next)
            Fault(chain, "", $"the log remembers that everything before event {known.Next} is archived, and the archive ends {(chain.Next is { } end ? $"at {end}" : "before anything")}");
        if (ours is not null && chain.First > 0) _notes.Add($"partition {chain.Partition} is archived from event {chain.First} on, which was the first of the log then, or the first for this place");
        var waiting = ours is null ? 0 : ours.NextOffset - Math.Min(ours.NextOffset, chain.Next ?? position?.Next ?? ours.BeginOffset);
        if (chain.Manifests > 0 || ours is not null) _runs.Add(chain.Run(ours is not null, heldToLog, waiting));
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
    private async Task FindStraysAsync(Dictionary<int, Position?> promised, CancellationToken stop)
    {
        foreach (var what in new[] { ArchiveSpec.Raw, ArchiveSpec.Enriched })
        {
            await foreach (var name in store.ListAsync(ArchiveNames.Objects(stream, what), stop))
            {
                if (_named.Contains(name)) continue;
                var isBeingMade = ArchiveNames.Read(name) is { } read && read.Log == files?.Log.ToString() && promised.TryGetValue(read.Partition, out var position) && !(read.First < position?.Next);
                if (!isBeingMade) _notes.Add($"`{name}` is named by no manifest; what is in it is counted nowhere");
            }
        }
    }

    private void Fault(ManifestChain chain, string name, string words) => _faults.Add(new ArchiveFault(chain.Log, chain.Partition, name, words));
}
