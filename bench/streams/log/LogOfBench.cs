using Stoker.Platform.Disks;
using Stoker.Streams.Log;

namespace Stoker.Bench;

/// <summary>A log as it is by default, in a directory that goes with it.</summary>
internal sealed class LogOfBench : IDisposable
{
    public static readonly (string Name, int Size)[] Events = [("608 B", 608), ("8.5 KB", 8567)];

    private readonly string _path;

    public LogOfBench(string directory)
    {
        _path = Path.Combine(directory, "log");
        if (Directory.Exists(_path)) Directory.Delete(_path, recursive: true);
        Log = Open(_path);
    }

    public StreamLog Log { get; }

    public Partition Partition => Log.Partitions[0];

    public static StreamLog Open(string path) => StreamLog.Open(path, new LogOptions(), Disk.Instance, TimeProvider.System) switch
    {
        LogOpening.Opened opened => opened.Log,
        var other => throw new InvalidOperationException($"{other}"),
    };

    public static byte[] Event(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    public void Dispose()
    {
        Log.Dispose();
        Directory.Delete(_path, recursive: true);
    }
}
