using System.Numerics;
using System.Runtime.InteropServices;

namespace Stoker.Streams.Log.Format;

/// <summary>
/// CRC-32C (Castagnoli), as iSCSI, ext4 and Kafka have it. The processor's instruction takes three cycles and can be begun in each, so three stretches go side by side:
/// a checksum is linear, and what the stretch before it adds to the one behind is that many zeros put through, which a table does at once.
/// </summary>
internal static class Crc32C
{
    private const int Stretch = 1024;

    private static readonly uint[] Zeros = MakeZeros();

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        for (; bytes.Length >= 3 * Stretch; bytes = bytes[(3 * Stretch)..])
        {
            var (second, third) = (0u, 0u);
            var a = MemoryMarshal.Cast<byte, ulong>(bytes[..Stretch]);
            var b = MemoryMarshal.Cast<byte, ulong>(bytes[Stretch..(2 * Stretch)]);
            var c = MemoryMarshal.Cast<byte, ulong>(bytes[(2 * Stretch)..(3 * Stretch)]);
            for (var i = 0; i < a.Length && i < b.Length && i < c.Length; i++)
            {
                sum = BitOperations.Crc32C(sum, a[i]);
                second = BitOperations.Crc32C(second, b[i]);
                third = BitOperations.Crc32C(third, c[i]);
            }

            sum = Through(Through(sum) ^ second) ^ third;
        }

        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes)) sum = BitOperations.Crc32C(sum, word);
        foreach (var each in bytes[(bytes.Length & ~7)..]) sum = BitOperations.Crc32C(sum, each);
        return ~sum;
    }

    /// <summary>As if a stretch of zeros came behind.</summary>
    private static uint Through(uint sum) =>
        Zeros[sum & 0xFF] ^ Zeros[0x100 | ((sum >> 8) & 0xFF)] ^ Zeros[0x200 | ((sum >> 16) & 0xFF)] ^ Zeros[0x300 | (sum >> 24)];

    private static uint[] MakeZeros()
    {
        var table = new uint[4 * 256];
        for (var bit = 0; bit < 32; bit++)
        {
            var sum = 1u << bit;
            for (var i = 0; i < Stretch / sizeof(ulong); i++) sum = BitOperations.Crc32C(sum, 0UL);
            var (row, mask) = (bit / 8 * 256, 1 << (bit % 8));
            for (var value = 0; value < 256; value++)
            {
                if ((value & mask) != 0) table[row + value] ^= sum;
            }
        }

        return table;
    }
}
