using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Stoker.Platform;

namespace Stoker.Logs;

/// <summary>
/// What one stream of a replica has written and the log does not hold yet, in a file. Bytes move from the pipe to its end in one kernel step
/// (<see cref="Pipes.MoveToFile"/>), so a byte is either in the pipe or here, whatever kills the daemon. Positions count from
/// the stream's first byte ever and never start again: the file's first 16 bytes say which position its content begins at, and when it has
/// grown, a new file with the rest is renamed over it, which changes all of that at once.
/// </summary>
internal sealed class Spool : IDisposable
{
    private const int HeaderLength = 16;
    private const ulong Magic = 0x314C_4F4F_5053_4B54; // "TKSPOOL1"

    private readonly string _path;
    private LogFile _file;

    private Spool(string path, LogFile file, long start, long end)
    {
        _path = path;
        _file = file;
        Start = start;
        End = end;
    }

    /// <summary>The first position that is still here.</summary>
    public long Start { get; private set; }

    /// <summary>The position after the last byte that left the pipe.</summary>
    public long End { get; private set; }

    /// <summary>Opens the spool, or makes one that begins at <paramref name="start"/>.</summary>
    public static Spool Open(string path, long start)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        LogFile? file = Files.Exists(path) ? LogFile.Open(path) : null;
        if (file is not null && file.Read(0, header) == HeaderLength && BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic)
        {
            long first = BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
            return new Spool(path, file, first, first + file.Facts().Length - HeaderLength);
        }

        file?.Dispose();
        int error = Replace(path, start, [], out file);
        return error == 0 ? new Spool(path, file!, start, start) : throw Errno.Failed($"cannot make `{path}`", error);
    }

    /// <summary>Takes up to <paramref name="limit"/> bytes from the pipe; returns how many, or the negated errno.</summary>
    public long Take(SafeFileHandle pipe, int limit)
    {
        long moved = Pipes.MoveToFile(pipe, _file.Handle, HeaderLength + End - Start, limit);
        End += Math.Max(moved, 0);
        return moved;
    }

    public int Read(long position, Span<byte> target) => _file.Read(HeaderLength + position - Start, target);

    /// <summary>Forgets all before <paramref name="position"/>; returns 0, or the errno that left everything as it was.</summary>
    public int ForgetBefore(long position, Span<byte> scratch)
    {
        Span<byte> rest = scratch[..(int)(End - position)];
        int count = Read(position, rest);
        int error = Replace(_path, position, rest[..count], out LogFile? file);
        if (error == 0)
        {
            _file.Dispose();
            _file = file!;
            Start = position;
        }

        return error;
    }

    public void Dispose() => _file.Dispose();

    private static int Replace(string path, long start, ReadOnlySpan<byte> content, out LogFile? file)
    {
        string fresh = path + ".new";
        try
        {
            file = LogFile.Open(fresh, empty: true);
        }
        catch (IOException failure)
        {
            file = null;
            return failure.HResult;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], start);
        int error = file.Write(0, header);
        error = error != 0 ? error : file.Write(HeaderLength, content);
        error = error != 0 ? error : LogFile.Move(fresh, path);
        if (error != 0)
        {
            file.Dispose();
            file = null;
            LogFile.Delete(fresh);
        }

        return error;
    }
}
