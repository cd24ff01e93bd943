using Microsoft.Win32.SafeHandles;
using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>
/// One replica's pipes, spools, cursor and log, and the steps between them. It is used by one thread at a time. For the order of
/// the steps and why a kill between any two of them loses nothing, see <see cref="LogPump"/>.
/// </summary>
internal sealed class ReplicaLog : IDisposable
{
    // A spool is made anew when it has grown to this; at 40 MB/s that is a rename every 13 ms.
    private const int SpoolLimit = 512 << 10;
    private const int PipeSize = 1 << 20;

    private readonly PumpBuffers _buffers;
    private readonly TimeProvider _time;
    private readonly Redaction _redaction;
    private readonly LogFile _cursorFile;
    private readonly RotatedLog _log;
    private readonly StreamState?[] _streams = new StreamState?[2];
    private LogCursor? _unfinished;

    private ReplicaLog(LogSource source, PumpBuffers buffers, TimeProvider time)
    {
        Source = source;
        _buffers = buffers;
        _time = time;
        _redaction = Redaction.Of(source.Secrets);
        Files.CreateDirectory(Path.GetDirectoryName(source.LogPath)!);
        _cursorFile = LogFile.Open(source.CursorPath);
        _log = new RotatedLog(source.LogPath, source.Rotation);
    }

    public LogSource Source { get; }

    public BatchStored? Stored { get; init; }

    /// <summary>Called between the steps: a test stops the pump there, as a kill would.</summary>
    public Action<PumpStep>? Between { get; init; }

    /// <summary>Where the next line will stand.</summary>
    public LogPosition Position => new(_log.Inode, _log.End);

    /// <summary>Opens everything and brings log and spools to agree, as far as the disk has room for that now.</summary>
    public static ReplicaLog Open(
        LogSource source, PumpBuffers buffers, TimeProvider time, BatchStored? stored = null, Action<PumpStep>? between = null)
    {
        var replica = new ReplicaLog(source, buffers, time) { Stored = stored, Between = between };
        try
        {
            replica.Recover();
            return replica;
        }
        catch
        {
            replica.Dispose();
            throw;
        }
    }

    public SafeFileHandle Pipe(LogStream stream) => State(stream).Pipe;

    /// <summary>Takes one bounded helping from a pipe and stores every line that is complete.</summary>
    public TurnOutcome Turn(LogStream stream)
    {
        // What a failed write left goes first: so a spool holds at most a piece and a helping that are not stored.
        StreamState state = State(stream);
        int error = Finish();
        error = error != 0 ? error : StoreLines(state, ending: false);
        if (error != 0)
        {
            return new TurnOutcome(0, error);
        }

        long taken = state.Spool.Take(state.Pipe, PumpBuffers.RawLength);
        Between?.Invoke(PumpStep.Taken);
        if (taken < 0)
        {
            return new TurnOutcome(0, taken == -Errno.Again ? 0 : (int)-taken);
        }

        error = StoreLines(state, ending: false);
        return new TurnOutcome(taken, error != 0 ? error : Tidy(state));
    }

    /// <summary>
    /// Stores all that the pipes hold at this moment, and a last line that has no newline. A writer that goes on cannot hold this up.
    /// Returns 0 or the errno that stopped it; it can be called again.
    /// </summary>
    public int Drain()
    {
        int error = 0;
        foreach (LogStream stream in (ReadOnlySpan<LogStream>)[LogStream.Output, LogStream.Error])
        {
            StreamState state = State(stream);
            long waiting = Pipes.Waiting(state.Pipe);
            while (waiting > 0 && error == 0)
            {
                TurnOutcome turn = Turn(stream);
                error = turn.Error;
                waiting = turn.Taken > 0 ? waiting - turn.Taken : 0;
            }

            error = error != 0 ? error : Finish();
            error = error != 0 ? error : StoreLines(state, ending: true);
            error = error != 0 ? error : Tidy(state);
        }

        return error;
    }

    public void Dispose()
    {
        foreach (StreamState? state in _streams)
        {
            state?.Dispose();
        }

        _cursorFile.Dispose();
        _log.Dispose();
    }

    private StreamState State(LogStream stream) => _streams[(int)stream]!;

    private void Recover()
    {
        LogCursor? cursor = LogCursor.Read(_buffers.Cursor.AsSpan(0, _cursorFile.Read(0, _buffers.Cursor)));
        foreach (LogStream stream in (ReadOnlySpan<LogStream>)[LogStream.Output, LogStream.Error])
        {
            var spool = Spool.Open(Source.SpoolPath(stream), cursor?.Position(stream) ?? 0);
            long position = Math.Clamp(cursor?.Position(stream) ?? spool.Start, spool.Start, spool.End);
            _streams[(int)stream] = new StreamState(stream, spool, Pipes.OpenFifo(Source.Fifo(stream)), position);
            Pipes.Enlarge(Pipe(stream), PipeSize);
        }

        switch (LogRecovery.Decide(cursor, _log.Inode, _log.End, cursor is { } found ? State(found.Stream).Spool.Start : 0))
        {
            case LogRecovery.Complete(Whole: true):
                break;
            case LogRecovery.Complete or LogRecovery.StartOver:
                _log.CutTornLine(_buffers.Raw);
                break;
            case LogRecovery.Empty:
                _log.CutTo(0);
                break;
            case LogRecovery.Rewrite:
                // On a full disk this fails here, and again at the first turn, which reports it.
                _unfinished = cursor;
                Finish();
                break;
        }
    }

    // Writes the announced batch again, with its time, so that a reader who saw its first lines sees the same ones.
    private int Finish()
    {
        if (_unfinished is not { } cursor)
        {
            return 0;
        }

        StreamState state = State(cursor.Stream);
        int error = _log.ReopenIfDeleted();
        error = error == 0 && _log.Inode == cursor.LogInode ? _log.CutTo(cursor.Start) : error;
        int length = (int)Math.Clamp(Math.Min(cursor.To, state.Spool.End) - cursor.From, 0, _buffers.Raw.Length);
        Span<byte> raw = _buffers.Raw.AsSpan(0, length);
        if (error != 0 || state.Spool.Read(cursor.From, raw) < length)
        {
            return error != 0 ? error : Errno.InputOutput;
        }

        state.Position = cursor.From;
        CriFormat.WriteHeader(_buffers.Header, cursor.Time, cursor.Stream);
        Formatted batch = CriFormat.Format(raw, _buffers.Text, _buffers.Header, _redaction, cursor.TailTag);
        error = batch.Lines == 0 ? 0 : Store(state, batch, cursor.TailTag, cursor.Time);
        _unfinished = error == 0 ? null : _unfinished;
        return error;
    }

    private int StoreLines(StreamState state, bool ending)
    {
        int error = state.Unstored == 0 ? 0 : _log.ReopenIfDeleted();
        while (error == 0 && state.Unstored > 0)
        {
            int length = (int)Math.Min(state.Unstored, PumpBuffers.RawLength);
            if (!Load(state, length, ending, out error))
            {
                return error;
            }

            ReadOnlySpan<byte> raw = _buffers.Raw.AsSpan(0, length);
            byte tailTag = CriFormat.Nothing;
            if (ending && length == state.Unstored)
            {
                tailTag = CriFormat.Whole;
            }
            else if (length == PumpBuffers.RawLength && !raw.Contains((byte)'\n'))
            {
                raw = raw[.._redaction.SafeCut(raw)];
                tailTag = CriFormat.Piece;
            }

            if (tailTag == CriFormat.Nothing && !raw.Contains((byte)'\n'))
            {
                state.Known = length;
                return 0;
            }

            error = StoreBatch(state, raw, tailTag);
        }

        return error;
    }

    private int StoreBatch(StreamState state, ReadOnlySpan<byte> raw, byte tailTag)
    {
        DateTimeOffset now = _time.GetUtcNow();
        CriFormat.WriteHeader(_buffers.Header, now, state.Stream);
        int room = _log.Room(_buffers.Text.Length);
        Formatted batch = CriFormat.Format(raw, _buffers.Text.AsSpan(0, room), _buffers.Header, _redaction, tailTag);
        if (batch.Lines == 0 && _log.End > 0)
        {
            return Rotate(state);
        }

        if (batch.Lines == 0)
        {
            // A single record that is longer than a whole file may be: it gets a file of its own.
            int newline = raw.IndexOf((byte)'\n');
            int needed = CriFormat.HeaderLength + (newline < 0 ? raw.Length : newline) + 1;
            batch = CriFormat.Format(raw, _buffers.Text.AsSpan(0, needed), _buffers.Header, _redaction, tailTag);
        }

        return Store(state, batch, tailTag, now);
    }

    // False: there is nothing to store yet, or the spool cannot be read. A line that grows by a byte at a time is not read anew each time.
    private bool Load(StreamState state, int length, bool ending, out int error)
    {
        error = 0;
        int known = ending || length == PumpBuffers.RawLength ? 0 : state.Known;
        if (known >= length)
        {
            return false;
        }

        Span<byte> fresh = _buffers.Raw.AsSpan(known, length - known);
        if (state.Spool.Read(state.Position + known, fresh) == fresh.Length)
        {
            if (known == 0)
            {
                return true;
            }

            if (!fresh.Contains((byte)'\n'))
            {
                state.Known = length;
                return false;
            }

            if (state.Spool.Read(state.Position, _buffers.Raw.AsSpan(0, known)) == known)
            {
                return true;
            }
        }

        error = Errno.InputOutput;
        return false;
    }

    private int Store(StreamState state, in Formatted batch, byte tailTag, DateTimeOffset time)
    {
        LogCursor cursor = Cursor(_log.End, _log.End + batch.Written) with
        {
            Stream = state.Stream,
            TailTag = tailTag,
            From = state.Position,
            Time = time,
        };
        long to = state.Position + batch.Consumed;
        cursor = state.Stream == LogStream.Output ? cursor with { OutputPosition = to } : cursor with { ErrorPosition = to };
        int error = Announce(cursor);
        Between?.Invoke(PumpStep.Announced);
        if (error != 0)
        {
            return error;
        }

        ReadOnlySpan<byte> records = _buffers.Text.AsSpan(0, batch.Written);
        error = _log.Append(records);
        if (error != 0)
        {
            _unfinished = cursor;
            return error;
        }

        Between?.Invoke(PumpStep.Written);
        state.Position = to;
        state.Known = 0;
        state.HoldsSecret |= batch.Redacted;
        Stored?.Invoke(state.Stream, time, records, batch.Lines);
        return 0;
    }

    private int Rotate(StreamState state)
    {
        if (Source.Rotation.MaxFiles == 1)
        {
            int error = Announce(Cursor(0, 0) with { Stream = state.Stream, From = state.Position });
            Between?.Invoke(PumpStep.Shifted);
            return error != 0 ? error : _log.CutTo(0);
        }

        return _log.Rotate(Between);
    }

    private LogCursor Cursor(long start, long end) => new(
        _log.Inode, start, end, default, CriFormat.Nothing, 0,
        State(LogStream.Output).Position, State(LogStream.Error).Position, default);

    private int Announce(in LogCursor cursor)
    {
        cursor.Write(_buffers.Cursor);
        return _cursorFile.Write(0, _buffers.Cursor);
    }

    private int Tidy(StreamState state)
    {
        if (!state.HoldsSecret && state.Spool.End - state.Spool.Start < SpoolLimit)
        {
            return 0;
        }

        int error = state.Spool.ForgetBefore(state.Position, _buffers.Raw);
        Between?.Invoke(PumpStep.Forgotten);
        state.HoldsSecret &= error != 0;
        return error;
    }

    private sealed class StreamState(LogStream stream, Spool spool, SafeFileHandle pipe, long position) : IDisposable
    {
        public LogStream Stream => stream;

        public SafeFileHandle Pipe => pipe;

        public Spool Spool => spool;

        /// <summary>All before this is in the log.</summary>
        public long Position { get; set; } = position;

        /// <summary>So many bytes after the position are known to hold no newline.</summary>
        public int Known { get; set; }

        /// <summary>A secret's value was taken out of what the spool still holds.</summary>
        public bool HoldsSecret { get; set; }

        public long Unstored => Spool.End - Position;

        public void Dispose()
        {
            spool.Dispose();
            pipe.Dispose();
        }
    }
}
