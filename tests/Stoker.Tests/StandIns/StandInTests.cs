using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Stoker.Estates;
using Stoker.Platform;
using Stoker.Probes;
using Stoker.StandIns;
using Stoker.Tests.Probes;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.StandIns;

public sealed partial class StandInTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("si").FullName;
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));

    [Fact]
    public async Task It_listens_answers_and_says_that_it_is_a_stand_in_until_it_is_stopped()
    {
        using var first = new HeldPort();
        using var second = new HeldPort();
        var ports = new[] { first.Number, second.Number };
        var options = new StandInOptions("redis", 2, "`redis-server` is not \"installed\"")
        {
            Ports = [.. ports.Select(p => new IPEndPoint(IPAddress.Loopback, p))],
            Status = 203,
        };
        using var process = Start(options);
        Assert.StartsWith("stand-in for redis: `redis-server` is not \"installed\", listening on 127.0.0.1:", await Line(process), StringComparison.Ordinal);
        Assert.True((await ProbeTests.Ask(new ProbeSpec.Tcp("127.0.0.1", ports[0]))).IsHealthy);
        Assert.True((await ProbeTests.Ask(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{ports[1]}/any/path"), 203))).IsHealthy);

        using var client = new HttpClient();
        using var posted = await client.PostAsync($"http://127.0.0.1:{ports[0]}/api", new StringContent(new string('x', 200_000)), _patience.Token);
        Assert.Equal(
            """{"stand_in":true,"service":"redis","replica":2,"why":"`redis-server` is not \"installed\""}""",
            (await posted.Content.ReadAsStringAsync(_patience.Token)).Trim());

        Signal(process, 15);
        Assert.Equal(0, await Exit(process));
        Assert.EndsWith("stand-in for redis: stopped", (await process.StandardOutput.ReadToEndAsync(_patience.Token)).Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_reloads_on_its_signal_logs_on_and_stops_on_the_services_own_signal()
    {
        using var process = Start(new StandInOptions("api", 1, "") { Every = TimeSpan.FromMilliseconds(20), StopSignal = 12, ReloadSignal = 10 });
        await Line(process);
        Signal(process, 10);
        await LineWith(process, "api: reloaded");
        Signal(process, 1);
        await LineWith(process, "api: reloaded");
        await LineWith(process, "api: alive, 0 connections");
        Signal(process, 12);
        Assert.Equal(0, await Exit(process));
    }

    [Fact]
    public async Task It_speaks_sd_notify_and_keeps_the_watchdog_content()
    {
        using var socket = NotifySocket.Bind(_directory, _directory, "stand-in.1");
        using var process = Start(new StandInOptions("model", 1, "no GPU"), ("NOTIFY_SOCKET", socket.Path), ("WATCHDOG_USEC", "40000"));
        var (keepAlives, asked, ended) = (0, false, false);
        List<string> said = [];
        await foreach (var packet in socket.ReadAllAsync(_patience.Token))
        {
            Assert.Equal(process.Id, packet.SenderPid);
            keepAlives += packet.Message.KeepAlive ? 1 : 0;
            if (packet.Message.Ready) said.Add($"ready {packet.Message.Status}");
            if (packet.Message.Reloading) said.Add($"reloading {packet.Message.MonotonicTime > TimeSpan.Zero}");
            if (packet.Message.Stopping) break;
            if (keepAlives == 3 && !asked)
            {
                asked = true;
                Signal(process, 1);
            }

            if (said.Count == 3 && keepAlives >= 3 && !ended)
            {
                ended = true;
                Signal(process, 15);
            }
        }

        Assert.Equal(["ready ", "reloading True", "ready "], said);
        Assert.Equal(0, await Exit(process));
    }

    [Fact]
    public async Task One_that_others_wait_for_completes_at_once()
    {
        using var process = Start(new StandInOptions("migrate", 1, "`flyway` is not installed") { Completes = true, Line = "ready: 7 tables" });
        Assert.Equal(0, await Exit(process));
        Assert.Contains("\nready: 7 tables\n", await process.StandardOutput.ReadToEndAsync(_patience.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named_and_ends_it()
    {
        using var peer = new Peer();
        using var process = Start(new StandInOptions("redis", 1, "") { Ports = [new IPEndPoint(IPAddress.Loopback, peer.Port)] });
        Assert.Equal(1, await Exit(process));
        Assert.Equal(
            $"stand-in for redis: cannot listen on 127.0.0.1:{peer.Port}: Address already in use",
            (await process.StandardError.ReadToEndAsync(_patience.Token)).Trim());
    }

    [Fact]
    public async Task A_full_pipe_without_reader_neither_hangs_nor_kills_it()
    {
        var fifo = Path.Combine(_directory, "out");
        Files.MakeFifo(fifo);
        using var held = new HeldPort();
        var port = held.Number;
        var options = new StandInOptions("chatty", 1, "") { Every = TimeSpan.FromMilliseconds(10), Ports = [new IPEndPoint(IPAddress.Loopback, port)] };
        var arguments = string.Join(' ', options.ToArguments().Select(a => $"'{a}'"));

        // The shell opens the pipe to read and write, as a supervised process does, and fills it to the brim first.
        var fill = "dd if=/dev/zero bs=4096 count=16 2>/dev/null >&3";
        using var process = Start("sh", ["-c", $"exec 3<>'{fifo}'; {fill}; exec '{Program}' {arguments} >&3"]);
        ProbeOutcome outcome;
        do
        {
            outcome = await ProbeTests.Ask(new ProbeSpec.Http(new Uri($"http://127.0.0.1:{port}/")));
            _patience.Token.ThrowIfCancellationRequested();
        }
        while (!outcome.IsHealthy);

        Signal(process, 15);
        Assert.Equal(0, await Exit(process));
    }

    [Fact]
    public async Task Wrong_arguments_are_named()
    {
        using var process = Start(Program, ["stand-in", "--listen", "nowhere"]);
        Assert.Equal(2, await Exit(process));
        Assert.Equal("stoker stand-in: `--listen nowhere` is not understood", (await process.StandardError.ReadToEndAsync(_patience.Token)).Trim());
    }

    public void Dispose()
    {
        _patience.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "stoker");

    private static Process Start(StandInOptions options, params (string Name, string Value)[] environment) =>
        Start(Program, options.ToArguments(), environment);

    private static Process Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in StandInSpec.Environment.Select(v => (v.Key, v.Value)).Concat(environment))
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private async Task<string> Line(Process process) => await process.StandardOutput.ReadLineAsync(_patience.Token) ?? "";

    private async Task LineWith(Process process, string part)
    {
        while (await process.StandardOutput.ReadLineAsync(_patience.Token) is { } line)
        {
            if (line.Contains(part, StringComparison.Ordinal)) return;
        }

        Assert.Fail($"it ended without a line with `{part}`");
    }

    private async Task<int> Exit(Process process)
    {
        await process.WaitForExitAsync(_patience.Token);
        return process.ExitCode;
    }

    private static void Signal(Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
