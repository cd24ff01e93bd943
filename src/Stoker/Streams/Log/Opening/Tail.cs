using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Reading;

namespace Stoker.Streams.Log.Opening;

/// <summary>
/// Tells a batch that was being written when the power went from one that was whole once. Every sector is written whole or not at all, and those not written are zeros,
/// because that is what a segment has behind its end. So a batch of which all sectors were written cannot be torn: it was damaged since.
/// <code>
///   header     body                          verdict
///   zeros      whatever                      torn: its first sector was not written
///   bad        zeros behind the header       torn within the header
///   bad        something                     damaged
///   good       more zero sectors than told   torn
///   good       its last byte is zero         torn: padding has none
///   good       neither                       damaged
/// </code>
/// </summary>
internal static class Tail
{
    public static bool IsTorn(in Extent extent, ReadOnlySpan<byte> bytes) => extent.Kind switch
    {
        ExtentKind.NotWritten or ExtentKind.CutShort => true,
        ExtentKind.BadHeader => bytes.Length > BatchHeader.Size && Blocks.IsZero(bytes[BatchHeader.Size..Math.Min(bytes.Length, Blocks.Sector)]),
        ExtentKind.BadBody => !extent.Header.IsGap && (bytes[^1] == 0 || Blocks.ZeroSectors(bytes) > extent.Header.ZeroSectors),
        ExtentKind.Batch or ExtentKind.Gap or ExtentKind.Seal or ExtentKind.Unreadable => false,
    };
}
