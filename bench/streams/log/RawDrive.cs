using System.Diagnostics;
using Stoker.Platform.Disks;

namespace Stoker.Bench;

/// <summary>What the log is measured against: the same bytes to a file that was written before, each write followed by its sync, and nothing else.</summary>
internal sealed class RawDrive : IDisposable
{
    private const int Size = 64 << 20;

    private readonly string _path;
    private readonly IDiskFile _file;
    private readonly byte[] _bytes = new byte[8 << 20];
    private long _at;

    public RawDrive(string directory)
    {
        _path = Path.Combine(directory, "raw");
        _file = Disk.Instance.OpenOrThrow(_path, DiskAccess.Create);
        Random.Shared.NextBytes(_bytes);
        for (var at = 0; at < Size; at += _bytes.Length) DiskCalls.Check(_file.WriteAll(at, _bytes), "write", _path);
        DiskCalls.Check(_file.Sync(), "sync", _path);
    }

    public TimeSpan Write(int bytes)
    {
        if (_at + bytes > Size) _at = 0;
        var began = Stopwatch.GetTimestamp();
        DiskCalls.Check(_file.WriteAll(_at, _bytes.AsSpan(0, bytes)), "write", _path);
        DiskCalls.Check(_file.Sync(), "sync", _path);
        _at += bytes;
        return Stopwatch.GetElapsedTime(began);
    }

    public void Dispose()
    {
        _file.Dispose();
        File.Delete(_path);
    }
}
