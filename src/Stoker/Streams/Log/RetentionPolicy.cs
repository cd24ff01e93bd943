using Stoker.Streams.Log.Format;
using Stoker.Streams.Log.Opening;

namespace Stoker.Streams.Log;

/// <summary>What may be deleted; whatever is not set keeps nothing from being kept.</summary>
/// <param name="Before">Records older than this, in microseconds of UTC since 1970.</param>
/// <param name="MostBytes">More than this on the disk.</param>
/// <param name="Below">Records below this offset.</param>
internal sealed record RetentionLimits(long? Before = null, long? MostBytes = null, ulong? Below = null);

/// <param name="Segments">From the front.</param>
/// <param name="Begin">The first record that stays.</param>
/// <param name="Hash">Of all before it.</param>
internal sealed record RetentionDecision(int Segments, ulong Begin, RunningHash Hash);

internal static class RetentionPolicy
{
    /// <param name="segments">In order; the last is the one that is written, and always stays.</param>
    /// <param name="lowestRequired">The first record that a consumer still needs.</param>
    public static RetentionDecision Decide(IReadOnlyList<SegmentEntry> segments, ulong begin, ulong? lowestRequired, RetentionLimits limits)
    {
        var bytes = segments.Sum(segment => segment.Bytes);
        var count = 0;
        while (count < segments.Count - 1)
        {
            var segment = segments[count];
            if (segment.NextOffset > lowestRequired) break;
            if (!(segment.GreatestTime < limits.Before || bytes > limits.MostBytes || segment.NextOffset <= limits.Below)) break;
            bytes -= segment.Bytes;
            count++;
        }

        return count == 0 ? new RetentionDecision(0, begin, default) : new RetentionDecision(count, segments[count].FirstOffset, segments[count].Before);
    }
}
