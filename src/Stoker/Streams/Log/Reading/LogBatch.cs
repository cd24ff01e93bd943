using System.Buffers;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>Records that were committed together, as they were read, in the pool's memory.</summary>
internal sealed class LogBatch : RecordBatch
{
    private readonly BatchHeader _header;
    private byte[]? _bytes;
    private ReadOnlyMemory<byte> _rest;
    private ulong _next;

    /// <param name="from">Records before this are left out.</param>
    internal LogBatch(byte[] bytes, in BatchHeader header, ulong from)
    {
        (_bytes, _header) = (bytes, header);
        FirstOffset = Math.Max(from, header.FirstOffset);
    }

    public override ulong FirstOffset { get; }

    public override ulong NextOffset => _header.NextOffset;

    public int Count => (int)(NextOffset - FirstOffset);

    /// <summary>The running hash after the last record: with it, position and "all of 1 to N" are one comparison.</summary>
    public override RunningHash Hash => _header.After;

    public override long GreatestTime => _header.GreatestTime;

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _bytes, null) is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
    }

    protected internal override void Rewind()
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        (_rest, _next) = (_bytes.AsMemory(BatchHeader.Size, _header.Length - BatchHeader.Size), _header.FirstOffset);
        while (_next < FirstOffset && TryNext(out _))
        {
        }
    }

    protected internal override bool TryNext(out LogRecord record)
    {
        record = default;
        if (_next >= _header.NextOffset) return false;
        if (!BatchRecords.TryRead(_rest.Span, out var length, out var time, out var key))
            throw new InvalidDataException($"record {_next} is not whole, though its batch's checksum is right");
        record = new LogRecord(_next++, time, key, _rest.Slice(BatchRecords.HeadSize, length));
        _rest = _rest[(BatchRecords.HeadSize + length)..];
        return true;
    }
}
