using System.Buffers.Binary;

namespace Stoker.Gateway.Forwarding;

/// <summary>Ids of requests: <c>req_</c>, what this loop drew when it began, and a count. Unique, short, and cheap to make.</summary>
internal sealed class RequestIds
{
    public const int Length = 4 + 24;

    private readonly byte[] _prefix = new byte[8];
    private uint _count;

    public RequestIds() => System.Security.Cryptography.RandomNumberGenerator.Fill(_prefix);

    public void Next(Span<byte> into)
    {
        Span<byte> raw = stackalloc byte[12];
        _prefix.CopyTo(raw);
        BinaryPrimitives.WriteUInt32BigEndian(raw[8..], _count++);
        "req_"u8.CopyTo(into);
        Convert.TryToHexStringLower(raw, into[4..], out _);
    }
}
