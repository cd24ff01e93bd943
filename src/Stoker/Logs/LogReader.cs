using System.Runtime.CompilerServices;
using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>
/// Reads logs back: those of several replicas, with their rotated files, merged by time. Lines of one replica stay in the order in which they were
/// written even where the clock jumped. Needs no daemon.
/// </summary>
internal static class LogReader
{
    // How many lines are read before the caller's thread is given back once.
    private const int Stretch = 4096;

    private static readonly Dictionary<string, LogPosition> Nowhere = [];

    /// <summary>The lines that are in the files now.</summary>
    public static IAsyncEnumerable<LogLine> Read(LogQuery query, CancellationToken cancellation = default) => Read(query, Nowhere, cancellation);

    /// <summary>
    /// The lines that are in the files, then the new ones as they come, none twice and none left out; where the reader is too slow it is told
    /// how many it missed.
    /// </summary>
    public static async IAsyncEnumerable<LogFeed> Follow(
        LogPump pump, LogQuery query, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using LogFollower follower = pump.Follow(query.Wants, () => Ends(query));
        await foreach (LogLine line in Read(query, follower.Starts, cancellation))
        {
            yield return new LogFeed.Line(line);
        }

        await foreach (LogFeed feed in follower.Read(cancellation))
        {
            if (feed is not LogFeed.Line { Value: LogLine line } || query.Wants(line.Time, line.Stream, line.Message.Span))
            {
                yield return feed;
            }
        }
    }

    private static async IAsyncEnumerable<LogLine> Read(
        LogQuery query, IReadOnlyDictionary<string, LogPosition> upTo, [EnumeratorCancellation] CancellationToken cancellation)
    {
        List<ReplicaFiles> replicas = [];
        try
        {
            foreach ((string service, int replica, string path) in ReplicaFiles.Find(query))
            {
                replicas.Add(ReplicaFiles.Open(service, replica, path, upTo.TryGetValue(path, out LogPosition position) ? position : null));
            }

            int count = 0;
            foreach (LogLine line in Merge([.. replicas.Select(files => files.Read(query))]))
            {
                yield return line;
                if (++count % Stretch == 0)
                {
                    await Task.Yield();
                    cancellation.ThrowIfCancellationRequested();
                }
            }
        }
        finally
        {
            replicas.ForEach(static files => files.Dispose());
        }
    }

    /// <summary>Merges by time; at equal times the sequence that comes first wins.</summary>
    internal static IEnumerable<LogLine> Merge(IReadOnlyList<IEnumerable<LogLine>> sequences)
    {
        var heads = new PriorityQueue<IEnumerator<LogLine>, (DateTimeOffset, int)>();
        List<IEnumerator<LogLine>> all = [.. sequences.Select(static sequence => sequence.GetEnumerator())];
        try
        {
            for (int i = 0; i < all.Count; i++)
            {
                if (all[i].MoveNext())
                {
                    heads.Enqueue(all[i], (all[i].Current.Time, i));
                }
            }

            while (heads.TryDequeue(out IEnumerator<LogLine>? head, out (DateTimeOffset, int Order) at))
            {
                yield return head.Current;
                if (head.MoveNext())
                {
                    heads.Enqueue(head, (head.Current.Time, at.Order));
                }
            }
        }
        finally
        {
            all.ForEach(static sequence => sequence.Dispose());
        }
    }

    private static Dictionary<string, LogPosition> Ends(LogQuery query)
    {
        Dictionary<string, LogPosition> ends = [];
        foreach ((_, _, string path) in ReplicaFiles.Find(query))
        {
            using LogFile? file = LogFile.OpenToRead(path);
            if (file?.Facts() is { } facts)
            {
                ends[path] = new LogPosition(facts.Inode, facts.Length);
            }
        }

        return ends;
    }
}
