using System.Diagnostics;
using System.Runtime.InteropServices;
using Stoker.Drills.Shared;
using Xunit;

namespace Stoker.Drills.Streams.Shared;

/// <summary>
/// librdkafka's mock cluster in a process of its own, with a topic: the script that the estate <c>ca4</c> runs, too. It speaks Kafka's protocol and keeps everything in
/// memory, 5 MiB or 100,000 messages a partition.
/// </summary>
internal sealed class MockKafka : IAsyncDisposable
{
    public const string Topic = "drill";

    /// <summary>Numbers of Kafka's protocol.</summary>
    public const int Produce = 0, Fetch = 1, NotLeader = 6, NotEnoughReplicas = 19, TimedOut = 7;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private MockKafka(Process process) => _process = process;

    public int Port { get; private set; }

    public string Address => $"kafka://127.0.0.1:{Port}/{Topic}";

    public static void SkipUnlessThere()
    {
        Assert.SkipUnless(NativeLibrary.TryLoad("librdkafka.so.1", out _), "Kafka's library librdkafka.so.1 is not installed (Debian: librdkafka1)");
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "python3 is not installed");
    }

    public static async Task<MockKafka> StartAsync(int partitions = 4)
    {
        SkipUnlessThere();
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(Machine.Repository, "estates", "ca4", "mock-kafka.py"), "0", Topic, $"{partitions}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var kafka = new MockKafka(Process.Start(start)!);
        var ready = await kafka.HearAsync();
        Assert.StartsWith("ready on 127.0.0.1:", ready, StringComparison.Ordinal);
        kafka.Port = int.Parse(ready["ready on 127.0.0.1:".Length..ready.IndexOf(',', StringComparison.Ordinal)]);
        return kafka;
    }

    /// <summary>A command of the script, which has been obeyed when this returns.</summary>
    public async Task DoAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        Assert.Equal("ok", await HearAsync());
    }

    /// <summary>A message of somebody else's.</summary>
    public Task PutAsync(int partition, string value, params (string Name, string Value)[] headers) => DoAsync(
        $"put {Topic} {partition} {(headers.Length == 0 ? "-" : string.Join(',', headers.Select(each => $"{each.Name}={Uri.EscapeDataString(each.Value)}")))} {Uri.EscapeDataString(value)}");

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> HearAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException($"the mock cluster ended with {_process.ExitCode}");
}
