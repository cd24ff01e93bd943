using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Stoker.Streams.Events;

/// <summary>
/// Ids made of what an event says, so that an event that is sent again is the same one: UUIDs of version 8 (RFC 9562) over the first bits of a
/// SHA-256.
/// </summary>
internal static class EventIdentity
{
    public const int Length = 36;

    /// <summary>The id of a document that has none: its bytes, as they came.</summary>
    public static void OfContent(ReadOnlySpan<byte> content, Span<byte> id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        Format(hash, id);
    }

    /// <summary>
    /// The key of a document in a store: one for each source and id. Neither has a NUL in it. Its first half is of the id alone, so that a store finds an id by
    /// its keys (<see cref="KeysOf"/>) and needs no index for it, which would cost as much to write as the keys'.
    /// </summary>
    public static void OfEvent(ReadOnlySpan<byte> source, ReadOnlySpan<byte> id, Span<byte> key)
    {
        var length = source.Length + 1 + id.Length;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        source.CopyTo(rented);
        rented[source.Length] = 0;
        id.CopyTo(rented.AsSpan(source.Length + 1));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(rented.AsSpan(0, length), hash);
        ArrayPool<byte>.Shared.Return(rented);
        BinaryPrimitives.WriteUInt64BigEndian(hash, Hash(id, default));
        Format(hash, key);
    }

    /// <summary>Between which the keys are, both included, of all events with this id; those of a few others may be there, too.</summary>
    public static (Guid First, Guid Last) KeysOf(string id)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Hash(Encoding.UTF8.GetBytes(id), default));
        bytes[6] = VersionOf(bytes[6]);
        bytes[8..].Clear();
        var first = new Guid(bytes, bigEndian: true);
        bytes[8..].Fill(0xff);
        return (first, new Guid(bytes, bigEndian: true));
    }

    /// <summary>A hash of 64 bits, the same everywhere and for ever: what the log keeps beside an event, and what chooses its partition.</summary>
    public static ulong Hash(ReadOnlySpan<byte> source, ReadOnlySpan<byte> id)
    {
        const ulong prime = 1099511628211;
        var hash = 14695981039346656037;
        foreach (var each in source) hash = (hash ^ each) * prime;
        hash *= prime;
        foreach (var each in id) hash = (hash ^ each) * prime;
        return hash ^ (hash >> 32);
    }

    private static byte VersionOf(byte sixth) => (byte)((sixth & 0x0f) | 0x80);

    private static void Format(Span<byte> hash, Span<byte> text)
    {
        hash[6] = VersionOf(hash[6]);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        var at = 0;
        for (var i = 0; i < 16; i++)
        {
            if (i is 4 or 6 or 8 or 10) text[at++] = (byte)'-';
            text[at++] = "0123456789abcdef"u8[hash[i] >> 4];
            text[at++] = "0123456789abcdef"u8[hash[i] & 0xf];
        }
    }
}
