using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Writing;

/// <summary>
/// Records as they will be on the disk, with room for the header in front, and who waits for them: laid out once, by who hands them over. Used again and again.
/// </summary>
internal sealed class BatchBuffer(int most)
{
    private const int Smallest = 64 * 1024;

    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(Smallest, pinned: true);

    public int Length { get; private set; } = BatchHeader.Size;

    public uint Count { get; private set; }

    public List<AppendTicket> Tickets { get; } = [];

    public int Extent => Blocks.Extent(Length);

    private long LeastTime { get; set; } = long.MaxValue;

    private long GreatestTime { get; set; } = long.MinValue;

    public bool Fits(int bytes) => Blocks.Extent(Length + bytes) <= most;

    public void Add(ReadOnlySpan<byte> payload, long time, ulong key)
    {
        Grow(BatchRecords.HeadSize + payload.Length);
        Length += BatchRecords.Write(_bytes.AsSpan(Length), payload, time, key);
        Count++;
        LeastTime = Math.Min(LeastTime, time);
        GreatestTime = Math.Max(GreatestTime, time);
    }

    public void Add(RecordBuffer records)
    {
        Grow(records.Bytes.Length);
        records.Bytes.CopyTo(_bytes.AsSpan(Length));
        Length += records.Bytes.Length;
        Count += records.Count;
        LeastTime = Math.Min(LeastTime, records.LeastTime);
        GreatestTime = Math.Max(GreatestTime, records.GreatestTime);
    }

    /// <summary>Puts header and padding around the records.</summary>
    public ReadOnlySpan<byte> Finish(SegmentTally tally, out BatchHeader header)
    {
        Grow(Blocks.Size);
        var whole = _bytes.AsSpan(0, Extent);
        whole[Length..].Fill(Blocks.Padding);
        var after = BatchRecords.HashOf(whole[BatchHeader.Size..Length], Count, tally.Hash) ?? throw new InvalidOperationException("a batch was laid out wrongly");
        header = new BatchHeader(
            IsGap: false, Crc32C.Of(whole[BatchHeader.Size..]), Length, tally.NextOffset, Count, 0, LeastTime, GreatestTime, tally.Hash, after, tally.Header.Tag, tally.Position);
        header.Write(whole);
        header = header with { ZeroSectors = Blocks.ZeroSectors(whole) };
        header.Write(whole);
        return whole;
    }

    public void Clear()
    {
        (Length, Count, LeastTime, GreatestTime) = (BatchHeader.Size, 0, long.MaxValue, long.MinValue);
        Tickets.Clear();
    }

    private void Grow(int bytes)
    {
        // Finish needs up to a block behind the records.
        var needed = Length + bytes + Blocks.Size;
        if (needed <= _bytes.Length) return;
        var larger = GC.AllocateUninitializedArray<byte>(Math.Max(needed, Math.Min(_bytes.Length * 2, most + Blocks.Size)), pinned: true);
        _bytes.AsSpan(0, Length).CopyTo(larger);
        _bytes = larger;
    }
}

/// <summary>Who waits for some of a batch's records.</summary>
/// <param name="First">The first of them within the batch.</param>
internal readonly record struct AppendTicket(AppendInbox Inbox, object? State, uint First, uint Count);
