namespace Stoker.Streams.Log.Format;

/// <summary>What a segment has up to a place: kept by who writes it, and by who reads it through to hold it to its seal.</summary>
internal sealed class SegmentTally(SegmentHeader header)
{
    private readonly List<SegmentMark> _index = [];

    public SegmentHeader Header { get; } = header;

    /// <summary>Where the next batch begins.</summary>
    public long Position { get; private set; } = SegmentHeader.Size;

    public ulong NextOffset { get; private set; } = header.FirstOffset;

    public RunningHash Hash { get; private set; } = header.Before;

    public ulong Batches { get; private set; }

    public long LeastTime { get; private set; } = long.MaxValue;

    public long GreatestTime { get; private set; } = long.MinValue;

    /// <summary>The last batch; null: none.</summary>
    public BatchHeader? Last { get; private set; }

    public bool Continues(in BatchHeader next) => next.FirstOffset == NextOffset && next.Before == Hash && next.Position == Position;

    public void Add(in BatchHeader batch)
    {
        if (_index.Count == 0 || batch.Position - _index[^1].Position >= SegmentSeal.IndexEvery) _index.Add(new SegmentMark(batch.FirstOffset, batch.Position, GreatestTime));
        Position = batch.Position + batch.Extent;
        NextOffset = batch.NextOffset;
        Hash = batch.After;
        Last = batch;
        if (batch.IsGap) return;
        Batches++;
        LeastTime = Math.Min(LeastTime, batch.LeastTime);
        GreatestTime = Math.Max(GreatestTime, batch.GreatestTime);
    }

    /// <summary>Goes on behind damage, as the batch there says.</summary>
    public void Skip(in BatchHeader to) => (Position, NextOffset, Hash) = (to.Position, to.FirstOffset, to.Before);

    public SegmentSeal ToSeal() => new(Header.Tag, Header.FirstOffset, NextOffset, Batches, LeastTime, GreatestTime, Header.Before, Hash, [.. _index]);

    /// <summary>Times and the number of batches are not compared where there are gaps: the seal was made before those.</summary>
    public bool Agrees(SegmentSeal seal) =>
        seal.FirstOffset == Header.FirstOffset && seal.NextOffset == NextOffset && seal.Before == Header.Before && seal.Hash == Hash;
}
