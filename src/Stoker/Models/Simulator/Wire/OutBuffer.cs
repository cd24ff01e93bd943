using System.Buffers;
using System.Text;

namespace Stoker.Models.Simulator.Wire;

/// <summary>Bytes on their way out, in memory that is used again.</summary>
internal sealed class OutBuffer(int capacity = 1024) : IBufferWriter<byte>
{
    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    public void Add(ReadOnlySpan<byte> more)
    {
        Reserve(more.Length);
        more.CopyTo(_bytes.AsSpan(Length));
        Length += more.Length;
    }

    public void Add(ReadOnlySpan<char> text)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
    }

    public void Add(long number)
    {
        Reserve(20);
        System.Buffers.Text.Utf8Formatter.TryFormat(number, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    /// <summary>Gives back memory that one large answer needed.</summary>
    public void Trim()
    {
        if (_bytes.Length > 64 * 1024) _bytes = new byte[1024];
        Length = 0;
    }

    private void Reserve(int size)
    {
        if (_bytes.Length - Length >= Math.Max(size, 64)) return;
        Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + Math.Max(size, 64)));
    }
}
