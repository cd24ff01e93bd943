using System.Collections.Immutable;
using Stoker.Streams.Log.Opening;

namespace Stoker.Streams.Log.Reading;

/// <summary>The segments of a partition as they are at a moment; published by the writer.</summary>
/// <param name="ActiveFrom">The first record of the one that is written.</param>
internal sealed record SegmentList(string Directory, ImmutableArray<SegmentEntry> Sealed, ulong ActiveFrom)
{
    public SegmentList With(SegmentEntry next) => this with { Sealed = Sealed.Add(next), ActiveFrom = next.NextOffset };

    public SegmentList Without(int first) => this with { Sealed = Sealed.RemoveRange(0, first) };

    /// <summary>The file that has a record.</summary>
    public string PathOf(ulong offset) => Sealed.FirstOrDefault(entry => entry.NextOffset > offset)?.Path ?? ActivePath;

    /// <summary>The first file that may have a record not older than a time.</summary>
    public string PathOfTime(long time) => Sealed.FirstOrDefault(entry => entry.GreatestTime >= time)?.Path ?? ActivePath;

    private string ActivePath => Path.Combine(Directory, SegmentEntry.NameOf(ActiveFrom));
}
