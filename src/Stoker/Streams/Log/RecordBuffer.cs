using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log;

/// <summary>Records that are to be committed together, all or none. Made once and used again and again; one thread at a time.</summary>
internal sealed class RecordBuffer
{
    private byte[] _bytes = new byte[4096];
    private int _length;

    public uint Count { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Until something is added, or it is cleared.</summary>
    internal ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, _length);

    internal long LeastTime { get; private set; } = long.MaxValue;

    internal long GreatestTime { get; private set; } = long.MinValue;

    /// <param name="time">Microseconds of UTC since 1970.</param>
    /// <param name="key">A hash of what the record is about, kept beside it.</param>
    public void Add(ReadOnlySpan<byte> payload, long time, ulong key)
    {
        var needed = _length + BatchRecords.HeadSize + payload.Length;
        if (needed > _bytes.Length) Array.Resize(ref _bytes, Math.Max(needed, _bytes.Length * 2));
        _length += BatchRecords.Write(_bytes.AsSpan(_length), payload, time, key);
        Count++;
        LeastTime = Math.Min(LeastTime, time);
        GreatestTime = Math.Max(GreatestTime, time);
    }

    public void Clear() => (_length, Count, LeastTime, GreatestTime) = (0, 0, long.MaxValue, long.MinValue);
}
