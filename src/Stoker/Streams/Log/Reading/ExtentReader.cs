using System.Buffers;
using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>Reads what stands at a place of a segment and holds it to its checksums. The memory is the pool's; one thread at a time.</summary>
internal sealed class ExtentReader(IDiskFile file, ulong tag) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(2 * Blocks.Size);
    private int _read;
    private int _guess = Blocks.Size;

    /// <summary>The bytes of what was read last; of what is not valid, those that could be read of it.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _read);

    /// <param name="limit">What is behind it is not looked at: the file's length, for one.</param>
    public Extent Read(long position, long limit)
    {
        _read = 0;
        if (position + BatchHeader.Size > limit) return new Extent(ExtentKind.CutShort);
        if (!Fill(position, (int)Math.Min(_guess, limit - position), out var error)) return new Extent(ExtentKind.Unreadable, Error: error);
        if (BatchHeader.TryRead(Bytes, out var header)) return header.Tag == tag && header.Position == position ? ReadBody(header, limit) : new Extent(ExtentKind.BadHeader);
        if (SegmentSeal.ExtentFrom(Bytes) is > 0 and var extent) return ReadSeal(position, extent, limit);
        return new Extent(Blocks.IsZero(Bytes[..Math.Min(_read, Blocks.Sector)]) ? ExtentKind.NotWritten : ExtentKind.BadHeader);
    }

    /// <summary>Hands over the memory of the batch read last, to go back to the shared pool.</summary>
    public byte[] Detach()
    {
        var detached = _buffer;
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(_guess, 2 * Blocks.Size));
        _read = 0;
        return detached;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private Extent ReadBody(in BatchHeader header, long limit)
    {
        if (header.Position + header.Extent > limit)
        {
            // What there is of it tells whether it was torn.
            _ = Fill(header.Position, (int)(limit - header.Position), out _);
            return new Extent(ExtentKind.CutShort, header);
        }

        if (!Fill(header.Position, header.CheckedExtent, out var error)) return new Extent(ExtentKind.Unreadable, header, Error: error);
        _read = header.CheckedExtent;
        if (Crc32C.Of(Bytes[BatchHeader.Size..]) != header.BodyChecksum) return new Extent(ExtentKind.BadBody, header);
        if (header.IsGap) return new Extent(ExtentKind.Gap, header);
        // Batches are of about one size: the next needs one call then, and not two.
        _guess = header.CheckedExtent;
        return new Extent(ExtentKind.Batch, header);
    }

    private Extent ReadSeal(long position, int extent, long limit)
    {
        if (position + extent > limit) return new Extent(ExtentKind.CutShort);
        if (!Fill(position, extent, out var error)) return new Extent(ExtentKind.Unreadable, Error: error);
        return SegmentSeal.TryRead(Bytes, tag, position) is { } seal ? new Extent(ExtentKind.Seal, Seal: seal) : new Extent(ExtentKind.BadHeader);
    }

    /// <summary>At least so many bytes from the place on, or all up to the file's end.</summary>
    private bool Fill(long position, int count, out int error)
    {
        error = 0;
        if (count > _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(count);
            Bytes.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        if (count <= _read) return true;
        var done = file.ReadAll(position + _read, _buffer.AsSpan(_read, count - _read));
        if (done < 0) error = -done;
        else _read += done;
        return error == 0;
    }
}

/// <summary>What stands at a place of a segment.</summary>
/// <param name="Header">Of a batch or gap, and of one whose body is not whole.</param>
internal readonly record struct Extent(ExtentKind Kind, BatchHeader Header = default, SegmentSeal? Seal = null, int Error = 0);

internal enum ExtentKind
{
    Batch,
    Gap,
    Seal,

    /// <summary>The first sector is all zeros.</summary>
    NotWritten,
    BadHeader,

    /// <summary>The header is whole and what follows is not what it says.</summary>
    BadBody,

    /// <summary>The file ends before it does.</summary>
    CutShort,
    Unreadable,
}
