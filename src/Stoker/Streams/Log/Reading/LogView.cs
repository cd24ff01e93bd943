using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>A log as it was when it was looked at, by whoever only reads it.</summary>
/// <param name="Name">Tells it from every other; stores keep their positions under it.</param>
/// <param name="Damages">What is not as it was written, without a look into sealed segments: the verifier looks there.</param>
/// <param name="Owner">What the partitions are read through.</param>
internal sealed record LogView(string Name, IReadOnlyList<IPartitionView> Partitions, IReadOnlyList<LogDamage> Damages, IDisposable? Owner = null) : IDisposable
{
    /// <summary>The bytes are a broker's; a hash is that of the last event, and not of all before it.</summary>
    public bool IsRemote { get; init; }

    public void Dispose() => Owner?.Dispose();
}

/// <summary>A partition up to where it ended when it was looked at.</summary>
internal interface IPartitionView
{
    int Partition { get; }

    ulong BeginOffset { get; }

    ulong NextOffset { get; }

    /// <summary>The end's; null: it is not known.</summary>
    RunningHash? Hash { get; }

    /// <summary>On this machine's disk.</summary>
    long Bytes { get; }

    /// <summary>From a record on to the end, or to damage, which is the last then. Batches are the caller's, to dispose of.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    IEnumerable<ReadOutcome> Read(ulong from);

    /// <summary>The first record that is not older than a time; the end where all are.</summary>
    ulong OffsetAt(long time);

    /// <summary>The hash before a record, as it goes to stores; null: that is nothing that can be told.</summary>
    RunningHash? HashBefore(ulong offset);
}
