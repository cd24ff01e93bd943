using System.Buffers.Binary;
using System.Text;

namespace Stoker.Hosts.Facts;

/// <summary>What the firmware says of memory.</summary>
/// <param name="Ecc">In words; null: it does not say.</param>
internal sealed record SmbiosMemory(IReadOnlyList<MemoryModule> Modules, string? Ecc);

/// <summary>
/// The structures that SMBIOS firmware leaves for the system (DSP0134): each has a type, the length of its fixed part and a handle, then that part, then its
/// strings with a zero behind each and one more at the end. Read: 16, arrays of memory, and 17, modules.
/// </summary>
internal static class SmbiosTable
{
    private const byte MemoryArray = 16, MemoryDevice = 17, EndOfTable = 127, SystemMemory = 3;
    private const ushort UnknownSize = 0xFFFF, SizeIsElsewhere = 0x7FFF, InKibibytes = 0x8000;

    public static SmbiosMemory Read(ReadOnlySpan<byte> table)
    {
        var modules = new List<MemoryModule>();
        string? ecc = null;
        while (table.Length >= 4 && table[1] >= 4 && table.Length >= table[1])
        {
            var fixedPart = table[..table[1]];
            var strings = Strings(table[table[1]..], out var length);
            if (fixedPart[0] == EndOfTable) break;
            if (fixedPart[0] == MemoryArray && fixedPart.Length > 6 && fixedPart[5] == SystemMemory) ecc ??= Correction(fixedPart[6]);
            if (fixedPart[0] == MemoryDevice && Module(fixedPart, strings) is { } module) modules.Add(module);
            table = table[(fixedPart.Length + length)..];
        }

        return new SmbiosMemory(modules, ecc);
    }

    private static MemoryModule? Module(ReadOnlySpan<byte> part, List<string> strings)
    {
        if (part.Length < 0x15 || Size(part) is not ({ } size and > 0)) return null;
        return new MemoryModule(Text(0x10, part), size, Kind(part[0x12]), Speed(part, 0x20) ?? Speed(part, 0x15), Text(0x17, part), Text(0x1A, part));

        // Strings are numbered from 1; 0 is none.
        string? Text(int at, ReadOnlySpan<byte> from)
        {
            if (at >= from.Length || from[at] == 0 || from[at] > strings.Count) return null;
            var text = strings[from[at] - 1].Trim();
            return text is "" or "Unknown" or "Not Specified" or "NO DIMM" ? null : text;
        }
    }

    /// <summary>Bytes; 0 for an empty slot.</summary>
    private static long? Size(ReadOnlySpan<byte> part) => BinaryPrimitives.ReadUInt16LittleEndian(part[0x0C..]) switch
    {
        UnknownSize => null,
        SizeIsElsewhere => part.Length >= 0x20 ? (long)BinaryPrimitives.ReadUInt32LittleEndian(part[0x1C..]) << 20 : null,
        var size when (size & InKibibytes) != 0 => (long)(size & ~InKibibytes) << 10,
        var size => (long)size << 20,
    };

    private static int? Speed(ReadOnlySpan<byte> part, int at) =>
        part.Length >= at + 2 && BinaryPrimitives.ReadUInt16LittleEndian(part[at..]) is > 0 and < 0xFFFF and var speed ? speed : null;

    private static string? Correction(byte value) => value switch
    {
        3 => "none",
        4 => "parity",
        5 => "single-bit ECC",
        6 => "multi-bit ECC",
        7 => "CRC",
        _ => null,
    };

    private static string? Kind(byte value) => value switch
    {
        0x12 => "DDR",
        0x13 => "DDR2",
        0x18 => "DDR3",
        0x1A => "DDR4",
        0x1B => "LPDDR",
        0x1C => "LPDDR2",
        0x1D => "LPDDR3",
        0x1E => "LPDDR4",
        0x20 => "HBM",
        0x21 => "HBM2",
        0x22 => "DDR5",
        0x23 => "LPDDR5",
        0x24 => "HBM3",
        _ => null,
    };

    private static List<string> Strings(ReadOnlySpan<byte> rest, out int length)
    {
        var found = new List<string>();
        length = 0;
        while (length < rest.Length && rest[length] != 0)
        {
            var end = rest[length..].IndexOf((byte)0);
            if (end < 0) break;
            found.Add(Encoding.Latin1.GetString(rest.Slice(length, end)));
            length += end + 1;
        }

        // A structure without strings ends with two zeros, one with them with one more.
        length = Math.Min(rest.Length, length + (found.Count == 0 ? 2 : 1));
        return found;
    }
}
