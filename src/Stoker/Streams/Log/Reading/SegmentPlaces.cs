using Stoker.Platform.Disks;
using Stoker.Streams.Log.Format;

namespace Stoker.Streams.Log.Reading;

/// <summary>Where in a segment to begin reading: by its seal's index, where it has one. A wrong place costs time, or is told as damage; never a record.</summary>
internal static class SegmentPlaces
{
    /// <returns>The last place that is early enough, else the first batch's.</returns>
    public static long Find(IDiskFile file, ulong tag, Func<SegmentMark, bool> isEarlyEnough)
    {
        var place = (long)SegmentHeader.Size;
        var trailer = new byte[SegmentSeal.TrailerSize];
        var length = file.Length;
        if (length < SegmentHeader.Size || file.ReadAll(length - trailer.Length, trailer) != trailer.Length) return place;
        var position = SegmentSeal.PositionFrom(trailer);
        if (position < SegmentHeader.Size || length - position is <= 0 or > int.MaxValue) return place;
        var bytes = new byte[length - position];
        if (file.ReadAll(position, bytes) != bytes.Length || SegmentSeal.TryRead(bytes, tag, position) is not { } seal) return place;
        foreach (var mark in seal.Index)
        {
            if (!isEarlyEnough(mark)) break;
            place = mark.Position;
        }

        return place;
    }
}
