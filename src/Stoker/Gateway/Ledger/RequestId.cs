using System.Buffers.Binary;

namespace Stoker.Gateway.Ledger;

/// <summary>A request's id: what its event loop drew by chance when it began, and a count. As text <c>req_</c> and 24 hexadecimal digits.</summary>
internal readonly record struct RequestId(ulong Loop, uint Count)
{
    public const int Bytes = 12, TextLength = 4 + (2 * Bytes);

    public void CopyTo(Span<byte> into)
    {
        BinaryPrimitives.WriteUInt64BigEndian(into, Loop);
        BinaryPrimitives.WriteUInt32BigEndian(into[8..], Count);
    }

    public void WriteText(Span<byte> into)
    {
        Span<byte> raw = stackalloc byte[Bytes];
        CopyTo(raw);
        "req_"u8.CopyTo(into);
        Convert.TryToHexStringLower(raw, into[4..], out _);
    }

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[TextLength];
        WriteText(text);
        return System.Text.Encoding.ASCII.GetString(text);
    }
}
