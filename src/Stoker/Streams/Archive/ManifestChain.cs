using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Archive;

/// <summary>The manifests of a partition as they follow one another, and what is counted in them. Pure.</summary>
internal sealed class ManifestChain(string stream, string log, int partition)
{
    private string _hash = "";
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

    /// <summary>Takes the next one.</summary>
    /// <param name="first">By its name.</param>
    /// <returns>What is wrong with it, or between it and the one before.</returns>
    public IEnumerable<string> Add(ulong first, ArchiveManifest manifest)
    {
        var faults = new List<string>();
        if ((manifest.Stream, manifest.Log, manifest.Partition, manifest.FirstOffset) != (stream, log, partition, first))
            faults.Add($"it is of stream `{manifest.Stream}`, log {manifest.Log}, partition {manifest.Partition}, event {manifest.FirstOffset}, which its name does not say");
        if (Next < first) faults.Add(first - Next == 1 ? $"event {Next} is in no object" : $"events {Next} to {first - 1} are in no object");
        else if (Next > first) faults.Add($"events {first} to {Math.Min(Next.Value, manifest.NextOffset) - 1} are in two objects");
        else if (first == 0 && LogId.TryParse(log, out var id) && manifest.HashBefore != id.Start(partition).ToString()) faults.Add("it does not begin with the hash that its log begins with");
        else if (Next is not null && manifest.HashBefore != _hash) faults.Add($"it goes on from the hash {manifest.HashBefore}, and the one before ends with {_hash}: events between them are not the same");
        AddCounts(manifest, faults);
        Manifests++;
        First ??= first;
        (Next, _hash) = (Math.Max(Next ?? 0, manifest.NextOffset), manifest.Hash);
        return faults;
    }

    public ArchiveRun Run(bool isOurs, long heldToLog, ulong waiting) =>
        new(log, partition, isOurs, First ?? 0, Next ?? 0, Manifests, _objects, _events, _gone, _noDocument, _bytes, heldToLog, waiting);

    private void AddCounts(ArchiveManifest manifest, List<string> faults)
    {
        var gone = manifest.Gone.Sum(range => (long)(range.To - range.From));
        var noDocument = manifest.NoDocument.Sum(range => (long)(range.To - range.From));
        var offsets = (long)(manifest.NextOffset - manifest.FirstOffset);
        if (manifest.NextOffset <= manifest.FirstOffset || manifest.Events + gone != offsets) faults.Add($"it has {offsets} offsets, {manifest.Events} events and {gone} that are gone, which do not add up");
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
