using System.Buffers;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>Records that were committed together, as they were read, in the pool's memory: to be disposed of, after which the records must not be used.</summary>
internal sealed class LogBatch : IDisposable
{
    private readonly BatchHeader _header;
    private byte[]? _bytes;

    /// <param name="from">Records before this are left out.</param>
    internal LogBatch(byte[] bytes, in BatchHeader header, ulong from)
    {
        (_bytes, _header) = (bytes, header);
        FirstOffset = Math.Max(from, header.FirstOffset);
    }

    public ulong FirstOffset { get; }

    public ulong NextOffset => _header.NextOffset;

    public int Count => (int)(NextOffset - FirstOffset);

    /// <summary>The running hash after the last record: with it, position and "all of 1 to N" are one comparison.</summary>
    public RunningHash Hash => _header.After;

    public long GreatestTime => _header.GreatestTime;

    public Enumerator GetEnumerator()
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        return new Enumerator(_bytes.AsMemory(BatchHeader.Size, _header.Length - BatchHeader.Size), _header, FirstOffset);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _bytes, null) is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
    }

    internal struct Enumerator
    {
        private ReadOnlyMemory<byte> _rest;
        private ulong _next;
        private readonly ulong _end;

        internal Enumerator(ReadOnlyMemory<byte> records, in BatchHeader header, ulong from)
        {
            (_rest, _next, _end) = (records, header.FirstOffset, header.NextOffset);
            while (_next < from && Advance())
            {
            }
        }

        public LogRecord Current { get; private set; }

        public bool MoveNext() => _next < _end && Advance();

        private bool Advance()
        {
            if (!BatchRecords.TryRead(_rest.Span, out var length, out var time, out var key))
                throw new InvalidDataException($"record {_next} is not whole, though its batch's checksum is right");
            Current = new LogRecord(_next++, time, key, _rest.Slice(BatchRecords.HeadSize, length));
            _rest = _rest[(BatchRecords.HeadSize + length)..];
            return true;
        }
    }
}

/// <param name="Time">Microseconds of UTC since 1970, as it was given.</param>
/// <param name="Payload">Until its batch is disposed of.</param>
internal readonly record struct LogRecord(ulong Offset, long Time, ulong Key, ReadOnlyMemory<byte> Payload);
