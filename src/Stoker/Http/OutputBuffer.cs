using System.Buffers.Text;
using System.Globalization;

namespace Stoker.Http;

/// <summary>Bytes on their way out of one connection: rented when there are some, given back when they are sent.</summary>
internal sealed class OutputBuffer
{
    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
    }

    public void Write(long number)
    {
        Utf8Formatter.TryFormat(number, Room(20), out var written);
        Length += written;
    }

    public void WriteText(string text)
    {
        var room = Room(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += System.Text.Encoding.UTF8.GetBytes(text, room);
    }

    /// <summary><c>name: value</c> and the line's end.</summary>
    public void WriteField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var room = Room(name.Length + value.Length + 4);
        name.CopyTo(room);
        room[name.Length] = (byte)':';
        room[name.Length + 1] = (byte)' ';
        value.CopyTo(room[(name.Length + 2)..]);
        "\r\n"u8.CopyTo(room[(name.Length + 2 + value.Length)..]);
        Length += name.Length + value.Length + 4;
    }

    public void WriteField(ReadOnlySpan<byte> name, long value)
    {
        Write(name);
        Write(": "u8);
        Write(value);
        Write("\r\n"u8);
    }

    /// <summary>One chunk of a chunked body; nothing for no bytes, which would end the body.</summary>
    public void WriteChunk(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        BeginChunk(bytes.Length);
        Write(bytes);
        Write("\r\n"u8);
    }

    public void BeginChunk(int length)
    {
        length.TryFormat(Room(8), out var written, "x", CultureInfo.InvariantCulture);
        Length += written;
        Write("\r\n"u8);
    }

    public void Clear() => Length = 0;

    /// <summary>Gives the memory back.</summary>
    public void Release()
    {
        LoopBuffers.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    private Span<byte> Room(int count)
    {
        if (_bytes.Length - Length < count)
        {
            var larger = LoopBuffers.Rent(Math.Max(_bytes.Length * 2, Length + count));
            Span.CopyTo(larger);
            LoopBuffers.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(Length);
    }
}
