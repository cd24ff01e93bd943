using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Archive;

/// <summary>
/// The manifests of a partition as they follow one another, and what is counted in them. Of a topic, where a process that was frozen may put once more what its successor has put,
/// some may lie beside others. Pure.
/// </summary>
/// <param name="log">As it stands in names.</param>
internal sealed class ManifestChain(string stream, string log, int partition)
{
    private readonly Dictionary<ulong, string> _hashes = [];
    private readonly List<string> _notes = [];
    private long _objects;
    private long _events;
    private long _gone;
    private long _noDocument;
    private long _bytes;

    public string Log => log;

    public int Partition => partition;

    public long Manifests { get; private set; }

    /// <summary>Null: there is no manifest.</summary>
    public ulong? First { get; private set; }

    /// <summary>The first offset that none of them has.</summary>
    public ulong? Next { get; private set; }

    /// <summary>What is worth knowing, and takes nothing away.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Takes the next one.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>What is wrong with it, or between it and the one before.</returns>
    public IEnumerable<string> Add(ArchiveName name, ArchiveManifest manifest)
    {
        var faults = new List<string>();
        var first = name.First;
        if ((manifest.Stream, ArchiveNames.LogOf(manifest.Log), manifest.Partition, manifest.FirstOffset, manifest.NextOffset) != (stream, log, partition, first, name.Next ?? manifest.NextOffset))
            faults.Add($"it is of stream `{manifest.Stream}`, log {manifest.Log}, partition {manifest.Partition}, event {manifest.FirstOffset}, which its name does not say");
        if (Next < first) faults.Add(first - Next == 1 ? $"event {Next} is in no object" : $"events {Next} to {first - 1} are in no object");
        else if (Next > first && name.Next is null) faults.Add($"events {first} to {Math.Min(Next.Value, manifest.NextOffset) - 1} are in two objects");
        else if (Next is null) CheckStart(name, manifest, faults);
        else CheckHash(first, manifest.HashBefore, faults);
        if (Next > first && name.Next is not null)
        {
            _notes.Add(
                $"events {first} to {Math.Min(Next.Value, manifest.NextOffset) - 1} of partition {partition} are in two objects, "
                + "because a process put them that another had taken the place of; both have the same");
        }

        AddCounts(manifest, faults);
        Manifests++;
        First ??= first;
        Next = Math.Max(Next ?? 0, manifest.NextOffset);
        if (!_hashes.TryAdd(manifest.NextOffset, manifest.Hash) && _hashes[manifest.NextOffset] != manifest.Hash)
            faults.Add($"it ends with the hash {manifest.Hash}, and another one that ends there with {_hashes[manifest.NextOffset]}: their events are not the same");
        return faults;
    }

    public ArchiveRun Run(bool isOurs, long heldToLog, ulong waiting) =>
        new(log, partition, isOurs, First ?? 0, Next ?? 0, Manifests, _objects, _events, _gone, _noDocument, _bytes, heldToLog, waiting);

    /// <summary>The first of all begins with what its log begins with: the embedded one at its first event, a topic's wherever the archive begins.</summary>
    private void CheckStart(ArchiveName name, ArchiveManifest manifest, List<string> faults)
    {
        var start = name.Next is not null ? CountedHash.Start(manifest.Log, partition) : name.First == 0 && LogId.TryParse(log, out var id) ? id.Start(partition) : manifest.StartHash;
        if (manifest.HashBefore != start?.ToString()) faults.Add("it does not begin with the hash that its log begins with");
    }

    private void CheckHash(ulong first, string before, List<string> faults)
    {
        if (_hashes.GetValueOrDefault(first) is not { } hash) faults.Add($"it begins at event {first}, where none before it ends");
        else if (before != hash) faults.Add($"it goes on from the hash {before}, and the one before ends with {hash}: events between them are not the same");
    }

    private void AddCounts(ArchiveManifest manifest, List<string> faults)
    {
        var gone = manifest.Gone.Sum(range => (long)(range.To - range.From));
        var noDocument = manifest.NoDocument.Sum(range => (long)(range.To - range.From));
        var offsets = (long)(manifest.NextOffset - manifest.FirstOffset);
        if (manifest.NextOffset <= manifest.FirstOffset || manifest.Events + gone != offsets)
        {
            faults.Add($"it has {offsets} offsets, {manifest.Events} events and {gone} that are gone, which do not add up");
        }

        foreach (var made in manifest.Objects)
        {
            var expected = made.What == ArchiveSpec.Raw ? manifest.Events : manifest.Events - noDocument;
            if (!made.Name.StartsWith($"{stream}/{made.What}/", StringComparison.Ordinal)) faults.Add($"its object `{made.Name}` is not {made.What}");
            if (made.Events != expected) faults.Add($"its {made.What} object has {made.Events} events instead of {expected}");
        }

        if (manifest.Objects.Count == 0 && manifest.Events > noDocument) faults.Add("it names no objects");
        _objects += manifest.Objects.Count;
        _events += manifest.Events;
        _gone += gone;
        _noDocument += noDocument;
        _bytes += manifest.Objects.Sum(made => made.Bytes);
    }
}
