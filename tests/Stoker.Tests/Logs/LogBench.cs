using System.Diagnostics;
using Stoker.Logs;
using Stoker.Platform;

namespace Stoker.Tests.Logs;

/// <summary>A directory with one replica's pipes and log, gone afterwards.</summary>
internal sealed class LogBench : IDisposable
{
    private readonly List<Process> _children = [];

    public LogBench(string? root = null, LogRotation? rotation = null, params string[] secrets)
    {
        Directory = Path.Combine(root ?? Path.GetTempPath(), "stoker-logs-" + Guid.NewGuid().ToString("n")[..12]);
        Source = For("vision", 1, rotation, secrets);
    }

    public string Directory { get; }

    public LogSource Source { get; init; }

    /// <summary>Another replica in the same directory, with its pipes made.</summary>
    public LogSource For(string service, int replica, LogRotation? rotation = null, params string[] secrets)
    {
        string Fifo(string stream) => Path.Combine(Directory, "pipes", $"{service}.{replica}.{stream}");
        Files.CreateDirectory(Path.Combine(Directory, "pipes"));
        Files.MakeFifo(Fifo("out"));
        Files.MakeFifo(Fifo("err"));
        return new LogSource(service, replica, Fifo("out"), Fifo("err"), Path.Combine(Directory, "logs", $"{service}.{replica}.log"),
            rotation ?? new LogRotation(1L << 40, 5), [.. secrets.Select(System.Text.Encoding.UTF8.GetBytes)]);
    }

    public LogQuery Query => new(Path.Combine(Directory, "logs"));

    /// <summary>A pipe end for a test that writes bytes itself, held open like a child holds it.</summary>
    public FileStream Writer(LogStream stream = LogStream.Output, LogSource? source = null) =>
        new((source ?? Source).Fifo(stream), new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0 });

    /// <summary>A real child whose stdout and stderr are the pipes, opened for reading and writing.</summary>
    public Process Start(string script, LogSource? source = null)
    {
        source ??= Source;
        var child = Process.Start(new ProcessStartInfo("sh")
        {
            ArgumentList = { "-c", $"exec 1<>'{source.OutputFifo}' 2<>'{source.ErrorFifo}'\n{script}" },
            RedirectStandardInput = true,
        })!;
        _children.Add(child);
        return child;
    }

    /// <summary>All records of the replica, oldest first, joined: messages as they were written.</summary>
    public async Task<List<LogLine>> Lines(LogQuery? query = null)
    {
        List<LogLine> lines = [];
        await foreach (LogLine line in LogReader.Read(query ?? Query))
        {
            lines.Add(line);
        }

        return lines;
    }

    public async Task<List<string>> Messages(LogQuery? query = null) =>
        [.. (await Lines(query)).Select(static line => System.Text.Encoding.UTF8.GetString(line.Message.Span))];

    /// <summary>Waits for something that will come true by itself.</summary>
    public static async Task Until(Func<bool> predicate)
    {
        long start = Stopwatch.GetTimestamp();
        while (!predicate())
        {
            Xunit.Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), "it did not happen");
            await Task.Yield();
        }
    }

    public void Dispose()
    {
        foreach (Process child in _children)
        {
            if (!child.HasExited)
            {
                child.Kill(entireProcessTree: true);
            }

            child.WaitForExit();
            child.Dispose();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
