using System.Buffers.Binary;
using System.Numerics;

namespace Stoker.Planning;

/// <summary>
/// SHA-256 (FIPS 180-4) without OpenSSL, which the framework's own loads at the first use: that is 6 MiB of a daemon that needs it for
/// nothing else. For short texts whose hash is kept; where much is hashed, or speed counts, the framework's is the one to take.
/// </summary>
internal static class Digest
{
    public const int Length = 32;

    private const int BlockLength = 64;

    private static ReadOnlySpan<uint> Start =>
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private static ReadOnlySpan<uint> Rounds =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    public static byte[] Of(ReadOnlySpan<byte> bytes)
    {
        Span<uint> state = stackalloc uint[8];
        Start.CopyTo(state);
        var rest = bytes;
        for (; rest.Length >= BlockLength; rest = rest[BlockLength..]) Mix(state, rest[..BlockLength]);

        // The rest, a one bit, zeros, and the length in bits at the very end.
        Span<byte> last = stackalloc byte[2 * BlockLength];
        last.Clear();
        rest.CopyTo(last);
        last[rest.Length] = 0x80;
        last = last[..(rest.Length + 9 <= BlockLength ? BlockLength : 2 * BlockLength)];
        BinaryPrimitives.WriteUInt64BigEndian(last[^8..], 8 * (ulong)bytes.Length);
        for (; last.Length > 0; last = last[BlockLength..]) Mix(state, last[..BlockLength]);

        var digest = new byte[Length];
        for (var i = 0; i < state.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(digest.AsSpan(4 * i), state[i]);
        return digest;
    }

    private static void Mix(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> words = stackalloc uint[64];
        for (var i = 0; i < 16; i++) words[i] = BinaryPrimitives.ReadUInt32BigEndian(block[(4 * i)..]);
        for (var i = 16; i < 64; i++)
        {
            var (near, far) = (words[i - 2], words[i - 15]);
            words[i] = words[i - 16] + (Turned(far, 7) ^ Turned(far, 18) ^ (far >> 3)) + words[i - 7] + (Turned(near, 17) ^ Turned(near, 19) ^ (near >> 10));
        }

        var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]);
        for (var i = 0; i < 64; i++)
        {
            var first = h + (Turned(e, 6) ^ Turned(e, 11) ^ Turned(e, 25)) + ((e & f) ^ (~e & g)) + Rounds[i] + words[i];
            var second = (Turned(a, 2) ^ Turned(a, 13) ^ Turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }

        ReadOnlySpan<uint> mixed = [a, b, c, d, e, f, g, h];
        for (var i = 0; i < state.Length; i++) state[i] += mixed[i];
    }

    private static uint Turned(uint word, int by) => BitOperations.RotateRight(word, by);
}
