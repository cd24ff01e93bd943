using System.Text.Json;
using Stoker.Estates;
using Stoker.Platform;

namespace Stoker.Supervision;

/// <summary>
/// Every transition with its cause, in order: in a file (one JSON document a line, <c>journal.ndjson</c>) and, the latest of them, in
/// memory. A line is handed to the kernel before anything that follows from it is done, so a kill of the daemon loses none.
/// A full disk costs the file lines, never the service: what could not be written is written when there is space again.
/// </summary>
internal sealed class Journal
{
    private const int Kept = 10_000;
    private const long RotateAt = 16 << 20;

    private readonly Lock _lock = new();
    private readonly TimeProvider _clock;
    private readonly string _path;
    private readonly Queue<EstateEvent> _recent = new();
    private readonly Queue<EstateEvent> _unwritten = new();
    private Stream? _file;
    private long _sequence;
    private TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Journal(string path, TimeProvider clock)
    {
        _path = path;
        _clock = clock;
    }

    /// <summary>Why lines are kept in memory only; null while the file takes them.</summary>
    public string? StorageProblem { get; private set; }

    public static Journal Open(string path, TimeProvider clock)
    {
        var journal = new Journal(path, clock);
        foreach (var known in Read(path, after: 0).TakeLast(Kept)) journal.Remember(known);
        journal._sequence = journal._recent.Count == 0 ? 0 : journal._recent.Last().Sequence;
        return journal;
    }

    /// <summary>The lines of a file and of the one rotated before it; for readers without a daemon too. A torn last line is passed over.</summary>
    public static IEnumerable<EstateEvent> Read(string path, long after)
    {
        foreach (var file in new[] { path + ".1", path })
        {
            if (Files.ReadIfPresent(file) is not { } bytes) continue;
            var start = 0;
            for (int end; start < bytes.Length && (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
            {
                if (Parse(bytes.AsSpan(start, end - start)) is { } known && known.Sequence > after) yield return known;
            }
        }
    }

    public long Write(ServiceName? service, int? replica, string kind, ServiceState? state, string text, long? cause)
    {
        TaskCompletionSource written;
        EstateEvent line;
        lock (_lock)
        {
            line = new EstateEvent(++_sequence, _clock.GetUtcNow(), service, replica, kind, state, text, cause);
            Remember(line);
            _unwritten.Enqueue(line);
            WriteOut();
            written = _written;
            _written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        written.TrySetResult();
        return line.Sequence;
    }

    public long Write(string kind, string text) => Write(null, null, kind, null, text, null);

    /// <summary>The latest lines after a sequence, and a task that completes with the next one.</summary>
    public (IReadOnlyList<EstateEvent> Lines, Task Next) After(long sequence)
    {
        lock (_lock) return ([.. _recent.Where(e => e.Sequence > sequence)], _written.Task);
    }

    private void Remember(EstateEvent line)
    {
        _recent.Enqueue(line);
        if (_recent.Count > Kept) _recent.Dequeue();
    }

    private void WriteOut()
    {
        try
        {
            _file ??= OpenFile();
            while (_unwritten.TryPeek(out var line))
            {
                _file.Write(JournalLine.Write(line));
                _unwritten.Dequeue();
            }

            StorageProblem = null;
            if (_file.Length > RotateAt) Rotate();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Kept and tried again with the next line; the oldest go when even memory would grow without bound.
            StorageProblem = problem.Message;
            _file?.Dispose();
            _file = null;
            while (_unwritten.Count > Kept) _unwritten.Dequeue();
        }
    }

    /// <summary>Each line is one write to the kernel. One that a full disk has torn is closed first, so that it cannot swallow the next.</summary>
    private Stream OpenFile()
    {
        var torn = Files.Exists(_path) && Files.ReadTail(_path, 1) is [not (byte)'\n'];
        Stream file = Files.OpenAppend(_path);
        if (torn) file.Write("\n"u8);
        return file;
    }

    private void Rotate()
    {
        _file?.Dispose();
        _file = null;
        Files.Move(_path, _path + ".1");
    }

    private static EstateEvent? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JournalLine.Read(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
