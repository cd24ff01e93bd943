using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stoker.Streams.Stores.Queries;

/// <summary>
/// What a store holds as one number, whatever the order, the store, and the form it keeps JSON in: equal digests of a replay and of a fresh build mean the same
/// documents. The sum of a SHA-256 of each document.
/// </summary>
internal sealed record StateDigest(long Documents, UInt128 Sum)
{
    public static async Task<StateDigest> OfAsync(IDocumentStore store, CancellationToken cancellation)
    {
        var digest = new StateDigest(0, 0);
        var all = new DocumentQuery { Limit = int.MaxValue, Order = QueryOrder.OldestFirst };
        await foreach (var document in store.QueryAsync(all, cancellation))
            digest = new StateDigest(digest.Documents + 1, unchecked(digest.Sum + Of(document)));
        return digest;
    }

    public override string ToString() => $"{Documents} documents, {Sum:x32}";

    private static UInt128 Of(FoundDocument document)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var text in (string?[])[document.Id, document.Source, document.Type, document.Host, document.Gpu]) Add(hash, Encoding.UTF8.GetBytes(text ?? ""));
        Add(hash, document.Key.ToByteArray());
        foreach (var number in (long[])[document.Time.UtcTicks, document.Received.UtcTicks, document.Sequence])
            Add(hash, Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        Add(hash, CanonicalJson.Of(document.Json.Span));
        Add(hash, document.Embedding.Span);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash.GetHashAndReset());
    }

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
