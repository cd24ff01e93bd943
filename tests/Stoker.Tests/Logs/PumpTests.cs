using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Stoker.Logs;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Logs;

[SupportedOSPlatform("linux")]
public sealed class PumpTests : IDisposable
{
    private readonly ConcurrentQueue<LogPumpEvent> _events = new();
    private readonly LogPump _pump;

    public PumpTests() => _pump = new LogPump(TimeProvider.System, _events.Enqueue);

    public void Dispose()
    {
        _pump.Dispose();
        Assert.Empty(_events);
    }

    [Fact]
    public async Task Both_streams_of_a_child_are_stored_in_the_format_of_container_runtimes()
    {
        using var bench = new LogBench();
        LogAttachment attachment = _pump.Attach(bench.Source);
        bench.Start("echo hello; echo trouble >&2; printf unfinished").WaitForExit();
        await attachment.DrainAsync();

        string[] records = await File.ReadAllLinesAsync(bench.Source.LogPath);
        Assert.All(records, static record => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) F ", record));
        Assert.Equal(["stderr F trouble", "stdout F hello", "stdout F unfinished"], records.Select(static record => record[31..]).Order());
        Assert.Equal(3, attachment.Lines);
        Assert.Equal(new FileInfo(bench.Source.LogPath).Length, attachment.Bytes);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bench.Source.LogPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bench.Source.OutputFifo));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(bench.Directory, "logs")));
    }

    [Fact]
    public async Task A_million_lines_arrive_once_and_in_order_while_anothers_single_line_is_not_kept_waiting()
    {
        using var bench = new LogBench();
        LogAttachment flood = _pump.Attach(bench.Source);
        LogSource quietSource = bench.For("quiet", 1);
        LogAttachment quiet = _pump.Attach(quietSource);
        var seen = new TaskCompletionSource<long>();
        using IDisposable watching = quiet.Observe((_, _, _, _) => seen.TrySetResult(flood.Lines));

        // It is there already, and told by the flood itself: to be started by a test that has to wait its own turn could take longer than the flood.
        Process other = bench.Start("read go; echo here I am", quietSource);
        int lines = 0;
        using IDisposable telling = flood.Observe((_, _, _, _) =>
        {
            if (++lines == 1000)
            {
                other.StandardInput.WriteLine("go");
            }
        });
        Process child = bench.Start("exec seq -f 'line %.0f of a flood that goes on and on, with some eighty bytes in each' 1 1000000");
        long floodWhenSeen = await seen.Task;
        await child.WaitForExitAsync();
        await flood.DrainAsync();

        Assert.InRange(floodWhenSeen, 1000, 999_999);
        List<string> messages = await bench.Messages(bench.Query with { Services = ["vision"] });
        Assert.Equal(1_000_000, messages.Count);
        Assert.All(messages.Index(), static entry => Assert.StartsWith($"line {entry.Index + 1} of", entry.Item));
    }

    [Fact]
    public async Task A_line_waits_for_its_newline_even_when_it_comes_byte_by_byte()
    {
        using var bench = new LogBench();
        LogAttachment attachment = _pump.Attach(bench.Source);
        using FileStream writer = bench.Writer();
        foreach (byte one in "slowly"u8.ToArray())
        {
            writer.WriteByte(one);
            await LogBench.Until(() => Pipes.Waiting(writer.SafeFileHandle) == 0);
        }

        Assert.Equal(0, attachment.Lines);
        writer.Write("...\nnext"u8);
        await LogBench.Until(() => attachment.Lines == 1);
        Assert.Equal(["slowly..."], await bench.Messages());
        await attachment.DrainAsync();
        Assert.Equal(["slowly...", "next"], await bench.Messages());
    }

    [Fact]
    public async Task A_line_of_three_megabytes_is_stored_in_pieces_that_give_the_line_again()
    {
        using var bench = new LogBench();
        LogAttachment attachment = _pump.Attach(bench.Source);
        bench.Start("head -c 3145728 /dev/zero | tr '\\0' x; echo; echo after").WaitForExit();
        await attachment.DrainAsync();

        List<LogLine> lines = await bench.Lines();
        Assert.Equal("after", Encoding.UTF8.GetString(lines[^1].Message.Span));
        List<LogLine> pieces = lines[..^1];
        Assert.All(pieces[..^1], static piece => Assert.True(piece.Partial));
        Assert.False(pieces[^1].Partial);
        Assert.Equal(3 << 20, pieces.Sum(static piece => piece.Message.Length));
        Assert.All(pieces, static piece => Assert.Equal(-1, piece.Message.Span.IndexOfAnyExcept((byte)'x')));
    }

    [Fact]
    public async Task What_is_no_text_is_kept_byte_for_byte()
    {
        using var bench = new LogBench();
        LogAttachment attachment = _pump.Attach(bench.Source);
        byte[] all = [.. Enumerable.Range(0, 256).Select(static value => (byte)value).Where(static value => value != '\n')];
        using FileStream writer = bench.Writer(LogStream.Error);
        writer.Write([.. all, (byte)'\n', (byte)'\n', 0xC3, 0x28, (byte)'\r', (byte)'\n']);
        await attachment.DrainAsync();

        List<LogLine> lines = await bench.Lines();
        Assert.Equal([all, [], [0xC3, 0x28, (byte)'\r']], lines.Select(static line => line.Message.ToArray()));
        Assert.All(lines, static line => Assert.Equal(LogStream.Error, line.Stream));
    }

    [Fact]
    public async Task A_flood_through_small_files_loses_and_tears_no_line_and_keeps_each_file_within_its_size()
    {
        using var bench = new LogBench(rotation: new LogRotation(256 << 10, 200));
        LogAttachment attachment = _pump.Attach(bench.Source);
        bench.Start("exec seq -f 'line %.0f' 1 300000").WaitForExit();
        await attachment.DrainAsync();

        List<string> messages = await bench.Messages();
        Assert.Equal(Enumerable.Range(1, 300_000).Select(static number => $"line {number}"), messages);
        string[] files = Directory.GetFiles(Path.Combine(bench.Directory, "logs"), "vision.1.log*");
        Assert.InRange(files.Length, 50, 200);
        Assert.All(files, static file => Assert.InRange(new FileInfo(file).Length, 1, 256 << 10));
        Assert.All(files.Where(static file => !file.EndsWith(".cursor", StringComparison.Ordinal)), static file => Assert.Equal((byte)'\n', File.ReadAllBytes(file)[^1]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Only_so_many_files_are_kept_and_they_hold_the_newest_lines(int files)
    {
        using var bench = new LogBench(rotation: new LogRotation(10_000, files));
        LogAttachment attachment = _pump.Attach(bench.Source);
        bench.Start("exec seq -f 'line %.0f' 1 5000").WaitForExit();
        await attachment.DrainAsync();

        string[] kept = Directory.GetFiles(Path.Combine(bench.Directory, "logs"), "vision.1.log*");
        Assert.Equal(files, kept.Count(static file => !file.EndsWith(".cursor", StringComparison.Ordinal)));
        List<string> messages = await bench.Messages();
        Assert.Equal(Enumerable.Range(5001 - messages.Count, messages.Count).Select(static number => $"line {number}"), messages);
    }

    [Fact]
    public async Task A_record_longer_than_a_file_may_be_gets_a_file_of_its_own()
    {
        using var bench = new LogBench(rotation: new LogRotation(100, 20));
        LogAttachment attachment = _pump.Attach(bench.Source);
        using FileStream writer = bench.Writer();
        writer.Write(Encoding.ASCII.GetBytes("a\n" + new string('b', 500) + "\nc\nd\n"));
        await attachment.DrainAsync();
        Assert.Equal(["a", new string('b', 500), "c", "d"], await bench.Messages());
    }

    [Fact]
    public async Task Secrets_are_replaced_before_the_file_and_leave_no_trace_in_the_directory()
    {
        using var bench = new LogBench(null, null, "hunter2-and-more", "-----BEGIN KEY-----\nMIIEvQIBADANBg\nsame==\n");
        LogAttachment attachment = _pump.Attach(bench.Source);
        List<string> seen = [];
        using IDisposable watching = attachment.Observe((_, _, message, _) => seen.Add(Encoding.UTF8.GetString(message)));
        using FileStream writer = bench.Writer();
        writer.Write("password is hunter2-a"u8);
        await LogBench.Until(() => Pipes.Waiting(writer.SafeFileHandle) == 0);
        writer.Write("nd-more!\nhunter2-and-morehunter2-and-more\nhunter2\nMIIEvQIBADANBg\nsame==\n"u8);
        await attachment.DrainAsync();

        Assert.Equal(["password is ***!", "******", "hunter2", "***", "same=="], await bench.Messages());
        Assert.Equal(await bench.Messages(), seen);
        foreach (string file in Directory.GetFiles(bench.Directory, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith(".out", StringComparison.Ordinal) && !file.EndsWith(".err", StringComparison.Ordinal)))
        {
            string content = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain("hunter2-and-more", content, StringComparison.Ordinal);
            Assert.DoesNotContain("MIIEvQIBADANBg", content, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_secret_that_lies_across_two_pieces_of_a_long_line_is_replaced()
    {
        using var bench = new LogBench(null, null, "a-secret-value");
        LogAttachment attachment = _pump.Attach(bench.Source);
        string line = new string('x', PumpBuffers.RawLength - 5) + "a-secret-value" + new string('y', 10);
        using FileStream writer = bench.Writer();
        writer.Write(Encoding.ASCII.GetBytes(line + "\n"));
        await attachment.DrainAsync();
        Assert.Equal(line.Replace("a-secret-value", "***", StringComparison.Ordinal), string.Concat(await bench.Messages()));
    }

    [Fact]
    public async Task What_a_child_writes_while_no_pump_is_attached_waits_in_the_pipe()
    {
        using var bench = new LogBench();
        LogAttachment attachment = _pump.Attach(bench.Source);
        Process child = bench.Start("echo before; read go; echo during; read go");
        await LogBench.Until(() => attachment.Lines == 1);
        attachment.Detach();
        await child.StandardInput.WriteLineAsync("go");
        using (FileStream other = bench.Writer())
        {
            await LogBench.Until(() => Pipes.Waiting(other.SafeFileHandle) == "during\n".Length);
        }

        using (var next = new LogPump(TimeProvider.System, _events.Enqueue))
        {
            await next.Attach(bench.Source).DrainAsync();
        }

        Assert.Equal(["before", "during"], await bench.Messages());
    }

    [Fact]
    public async Task A_log_that_somebody_removed_is_begun_anew()
    {
        using var bench = new LogBench();
        LogAttachment attachment = _pump.Attach(bench.Source);
        using FileStream writer = bench.Writer();
        writer.Write("one\n"u8);
        await attachment.DrainAsync();
        File.Delete(bench.Source.LogPath);
        writer.Write("two\n"u8);
        await attachment.DrainAsync();
        Assert.Equal(["two"], await bench.Messages());
    }
}
