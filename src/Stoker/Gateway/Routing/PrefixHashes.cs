using System.Numerics;

namespace Stoker.Gateway.Routing;

/// <summary>
/// The beginning of a prompt as a chain of hashes, one a block: two prompts have the first n hashes in common when they have the first n blocks in
/// common. The bytes are those of the request (for chats the JSON of <c>messages</c>, which grows at its end from turn to turn), and the model and,
/// where caches are kept apart, the tenant are mixed in by the salt. Only whole blocks count: what is shorter is cheaper to compute than to look up.
/// </summary>
internal static class PrefixHashes
{
    /// <summary>Bytes a block: about 128 tokens of English.</summary>
    public const int BlockBytes = 512;

    /// <summary>Blocks that are looked at: the first 16 KiB.</summary>
    public const int MaxBlocks = 32;

    /// <summary>Writes the hashes of the first blocks, as many as there are whole ones and as there is room for; none of them is 0.</summary>
    /// <returns>How many.</returns>
    public static int Compute(ReadOnlySpan<byte> prompt, ulong salt, Span<ulong> hashes)
    {
        var count = Math.Min(Math.Min(prompt.Length / BlockBytes, hashes.Length), MaxBlocks);
        var chain = salt;
        for (var i = 0; i < count; i++)
        {
            chain = Mixing.Combine(chain, Block(prompt.Slice(i * BlockBytes, BlockBytes)));
            if (chain == 0) chain = 1;
            hashes[i] = chain;
        }

        return count;
    }

    // Four lanes of multiply and rotate, so that the processor's multipliers overlap: 16 KiB cost about as much as one packet.
    private static ulong Block(ReadOnlySpan<byte> block)
    {
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(block);
        ulong a = 0x243F_6A88_85A3_08D3, b = 0x1319_8A2E_0370_7344, c = 0xA409_3822_299F_31D0, d = 0x082E_FA98_EC4E_6C89;
        for (var i = 0; i < words.Length; i += 4)
        {
            a = Lane(a, words[i]);
            b = Lane(b, words[i + 1]);
            c = Lane(c, words[i + 2]);
            d = Lane(d, words[i + 3]);
        }

        return Mixing.Mix(BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18));
    }

    // The round of xxHash64 (Y. Collet).
    private static ulong Lane(ulong lane, ulong word) =>
        BitOperations.RotateLeft(lane + word * 0xC2B2_AE3D_27D4_EB4F, 31) * 0x9E37_79B1_85EB_CA87;
}
