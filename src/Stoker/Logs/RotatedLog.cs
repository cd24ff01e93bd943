using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>A place in a log: which file, whatever its name is by now, and where in it.</summary>
internal readonly record struct LogPosition(ulong Inode, long Offset);

/// <summary>
/// The log file that is written now, and those before it: <c>vision.1.log</c>, <c>vision.1.log.1</c> (the next newest), and so on. A file is never longer
/// than the rotation's size, unless a single record is. Names move upwards only as far as the first that is free, so a
/// rotation that was cut short by a kill is completed by the next one without dropping a file.
/// </summary>
internal sealed class RotatedLog : IDisposable
{
    private readonly string _path;
    private readonly LogRotation _rotation;
    private LogFile _file;

    public RotatedLog(string path, LogRotation rotation)
    {
        _path = path;
        _rotation = rotation;
        _file = LogFile.Open(path);
        FileFacts facts = _file.Facts();
        (Inode, End) = (facts.Inode, facts.Length);
    }

    public ulong Inode { get; private set; }

    public long End { get; private set; }

    public static string RotatedPath(string path, int number) => $"{path}.{number}";

    /// <summary>How many more bytes may be written, at most <paramref name="most"/>.</summary>
    public int Room(int most) => (int)Math.Clamp(_rotation.MaxSize - End, 0, most);

    /// <summary>Writes at the end; returns 0 or the errno, after which a part may stand behind <see cref="End"/>.</summary>
    public int Append(ReadOnlySpan<byte> records)
    {
        int error = _file.Write(End, records);
        End += error == 0 ? records.Length : 0;
        return error;
    }

    public int CutTo(long length)
    {
        int error = _file.Truncate(length);
        End = error == 0 ? length : End;
        return error;
    }

    /// <summary>A power failure may leave half a record at the end; what follows must not be joined to it.</summary>
    public void CutTornLine(Span<byte> scratch)
    {
        long end = End;
        while (end > 0)
        {
            int length = (int)Math.Min(end, scratch.Length);
            int newline = scratch[.._file.Read(end - length, scratch[..length])].LastIndexOf((byte)'\n');
            end -= length;
            if (newline >= 0)
            {
                end += newline + 1;
                break;
            }
        }

        if (end < End)
        {
            CutTo(end);
        }
    }

    /// <summary>Somebody removed the file: begin a new one, or the lines to come would be nowhere.</summary>
    public int ReopenIfDeleted()
    {
        if (_file.Facts().Links > 0)
        {
            return 0;
        }

        try
        {
            Use(LogFile.Open(_path));
            return 0;
        }
        catch (IOException failure)
        {
            return failure.HResult;
        }
    }

    /// <summary>Sets the file aside and begins a new one; returns 0, or the errno that stopped it: then it can be called again.</summary>
    public int Rotate(Action<PumpStep>? between)
    {
        // The new file first: on a full disk nothing has been moved yet.
        LogFile fresh;
        try
        {
            fresh = LogFile.Open(_path + ".new", empty: true);
        }
        catch (IOException failure)
        {
            return failure.HResult;
        }

        int error = Shift(between);
        between?.Invoke(PumpStep.Shifted);
        error = error != 0 ? error : LogFile.Move(_path + ".new", _path);
        if (error != 0)
        {
            fresh.Dispose();
            return error;
        }

        between?.Invoke(PumpStep.Rotated);
        Use(fresh);
        return 0;
    }

    public void Dispose() => _file.Dispose();

    private int Shift(Action<PumpStep>? between)
    {
        int free = 1;
        while (free < _rotation.MaxFiles - 1 && Files.Exists(RotatedPath(_path, free)))
        {
            free++;
        }

        for (int number = free; number >= 1; number--)
        {
            int error = LogFile.Move(number == 1 ? _path : RotatedPath(_path, number - 1), RotatedPath(_path, number));
            if (error is not (0 or Errno.NoEntry))
            {
                return error;
            }

            between?.Invoke(PumpStep.Shifted);
        }

        // Left by a larger `max-file`.
        for (int number = _rotation.MaxFiles; Files.Exists(RotatedPath(_path, number)); number++)
        {
            LogFile.Delete(RotatedPath(_path, number));
        }

        return 0;
    }

    private void Use(LogFile file)
    {
        _file.Dispose();
        _file = file;
        FileFacts facts = file.Facts();
        (Inode, End) = (facts.Inode, facts.Length);
    }
}
