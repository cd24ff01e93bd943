using System.Buffers.Binary;
using System.Text;

namespace Stoker.Tests.Hosts.Facts;

/// <summary>Writes SMBIOS structures as firmware leaves them.</summary>
internal static class SmbiosBytes
{
    /// <param name="correction">3 none, 5 single-bit, 6 multi-bit ECC.</param>
    public static byte[] Array(byte correction)
    {
        var part = new byte[0x17];
        (part[0], part[1], part[4], part[5], part[6]) = (16, 0x17, 3, 3, correction);
        return [.. part, 0, 0];
    }

    /// <param name="mebibytes">0: an empty slot.</param>
    public static byte[] Module(string slot, int mebibytes, byte kind, int speed, int configured, string maker, string product)
    {
        var part = new byte[0x28];
        (part[0], part[1], part[0x12], part[0x10], part[0x17], part[0x1A]) = (17, 0x28, kind, 1, 2, 3);
        // 32 GiB and more stand in the extended size.
        BinaryPrimitives.WriteUInt16LittleEndian(part.AsSpan(0x0C), (ushort)(mebibytes >= 0x7FFF ? 0x7FFF : mebibytes));
        if (mebibytes >= 0x7FFF) BinaryPrimitives.WriteUInt32LittleEndian(part.AsSpan(0x1C), (uint)mebibytes);
        BinaryPrimitives.WriteUInt16LittleEndian(part.AsSpan(0x15), (ushort)speed);
        BinaryPrimitives.WriteUInt16LittleEndian(part.AsSpan(0x20), (ushort)configured);
        return [.. part, .. Encoding.ASCII.GetBytes($"{slot}\0{maker}\0{product}\0"), 0];
    }

    public static byte[] End => [127, 4, 0xFF, 0xFE, 0, 0];
}
