namespace Stoker.Streams.Log.Format;

/// <summary>
/// What everything in a segment is measured in. Whatever is written begins at a block, so that a drive whose real sector is 4 KiB never rewrites one that holds
/// something acknowledged; what a power cut tears is told by sectors, which every drive writes whole or not at all.
/// </summary>
internal static class Blocks
{
    public const int Size = 4096, Sector = 512;

    /// <summary>Ends everything that is written, up to the block's end: at least so many bytes, none zero. Room that was never written is all zeros.</summary>
    public const int LeastPadding = 8;

    public const byte Padding = 0xA5;

    /// <summary>Bytes on the disk of something so long.</summary>
    public static int Extent(int length) => (length + LeastPadding + Size - 1) & ~(Size - 1);

    public static long Up(long position) => (position + Size - 1) & ~(long)(Size - 1);

    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    /// <summary>Whole sectors without a bit set.</summary>
    public static int ZeroSectors(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        for (; bytes.Length >= Sector; bytes = bytes[Sector..]) count += IsZero(bytes[..Sector]) ? 1 : 0;
        return count;
    }
}
