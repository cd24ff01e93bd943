using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>The log files of one replica, opened to be read while the pump goes on writing and rotating.</summary>
internal sealed class ReplicaFiles : IDisposable
{
    private readonly List<(LogFile File, long End)> _newestFirst = [];

    private ReplicaFiles(string service, int replica)
    {
        Service = service;
        Replica = replica;
    }

    public string Service { get; }

    public int Replica { get; }

    /// <summary>The logs in a directory that a query names: service, replica and path of the current file.</summary>
    public static IEnumerable<(string Service, int Replica, string Path)> Find(LogQuery query)
    {
        // After a kill in the middle of a rotation only rotated files may be there.
        HashSet<string> names = [.. Names(query, ".log"), .. Names(query, ".log.1").Select(static name => name[..^2])];
        foreach (string name in names.Order(StringComparer.Ordinal))
        {
            // A service's name may have dots: vision.v2.1.log is replica 1 of vision.v2.
            string stem = name[..^".log".Length];
            int dot = stem.LastIndexOf('.');
            if (dot > 0 && int.TryParse(stem.AsSpan(dot + 1), out int replica) && query.Wants(stem[..dot], replica))
            {
                yield return (stem[..dot], replica, Path.Combine(query.Directory, name));
            }
        }
    }

    /// <summary>Opens all files, up to a position if one is given.</summary>
    public static ReplicaFiles Open(string service, int replica, string path, LogPosition? upTo)
    {
        // Newest first: a rotation in between moves a file that is already open to the next name, where its inode is known again.
        var files = new ReplicaFiles(service, replica);
        HashSet<ulong> seen = [];
        for (int number = 0, missing = 0; missing < 2; number++)
        {
            // One name may be missing: a rotation is under way, or was cut short by a kill.
            LogFile? file = LogFile.OpenToRead(number == 0 ? path : RotatedLog.RotatedPath(path, number));
            FileFacts facts = file?.Facts() ?? default;
            missing = file is null ? missing + 1 : 0;
            if (file is not null && seen.Add(facts.Inode))
            {
                files._newestFirst.Add((file, facts.Length));
            }
            else
            {
                file?.Dispose();
            }
        }

        if (upTo is { } position)
        {
            files.CutAt(position);
        }

        return files;
    }

    /// <summary>The lines that a query wants, oldest first.</summary>
    public IEnumerable<LogLine> Read(LogQuery query) => query.Last is { } count ? ReadLast(query, count) : ReadAll(query);

    public void Dispose() => _newestFirst.ForEach(static entry => entry.File.Dispose());

    private static IEnumerable<string> Names(LogQuery query, string ending) => Files.List(query.Directory, "*" + ending).Select(static path => Path.GetFileName(path));

    private void CutAt(LogPosition position)
    {
        // Not found: that file has been rotated away since, and all that is left is newer.
        int at = _newestFirst.FindIndex(entry => entry.File.Facts().Inode == position.Inode);
        int newer = at < 0 ? _newestFirst.Count : at;
        _newestFirst.GetRange(0, newer).ForEach(static entry => entry.File.Dispose());
        _newestFirst.RemoveRange(0, newer);
        if (at >= 0)
        {
            _newestFirst[0] = (_newestFirst[0].File, Math.Min(position.Offset, _newestFirst[0].End));
        }
    }

    private IEnumerable<LogLine> ReadAll(LogQuery query)
    {
        foreach ((LogFile file, long end) in Enumerable.Reverse(_newestFirst))
        {
            if (LiesOutside(query, file, end))
            {
                continue;
            }

            var scan = new LogScan(file, end);
            while (TryNext(scan, forward: true, query, out LogLine? line))
            {
                if (line is not null)
                {
                    yield return line;
                }
            }
        }
    }

    private List<LogLine> ReadLast(LogQuery query, int count)
    {
        List<LogLine> lines = [];
        foreach ((LogFile file, long end) in _newestFirst)
        {
            var scan = new LogScan(file, end);
            while (lines.Count < count && !LiesOutside(query, file, end) && TryNext(scan, forward: false, query, out LogLine? line))
            {
                if (line is not null)
                {
                    lines.Add(line);
                }
            }
        }

        lines.Reverse();
        return lines;
    }

    // A file whose first and last lines are both outside the asked time is passed over. A clock that jumped away and back within one file
    // could hide lines so; one that jumped once cannot.
    private static bool LiesOutside(LogQuery query, LogFile file, long end)
    {
        if (query.Since is null && query.Until is null)
        {
            return false;
        }

        bool found = new LogScan(file, end).TryForward(out ReadOnlySpan<byte> first) & new LogScan(file, end).TryBackward(out ReadOnlySpan<byte> last);
        return found
            && CriFormat.TryParse(first, out DateTimeOffset from, out _, out _) && CriFormat.TryParse(last, out DateTimeOffset to, out _, out _)
            && ((from < query.Since && to < query.Since) || (from > query.Until && to > query.Until));
    }

    // False at the end; a null line is one that the query does not want.
    private bool TryNext(LogScan scan, bool forward, LogQuery query, out LogLine? line)
    {
        line = null;
        if (!(forward ? scan.TryForward(out ReadOnlySpan<byte> record) : scan.TryBackward(out record)))
        {
            return false;
        }

        if (CriFormat.TryParse(record, out DateTimeOffset time, out LogStream stream, out bool partial)
            && query.Wants(time, stream, record[CriFormat.HeaderLength..]))
        {
            line = new LogLine(Service, Replica, time, stream, record[CriFormat.HeaderLength..].ToArray(), partial);
        }

        return true;
    }
}
