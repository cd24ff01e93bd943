using System.Text;
using System.Text.RegularExpressions;
using Stoker.Logs;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Logs;

public sealed class ReaderTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 6, 0, 0, TimeSpan.Zero);

    private readonly LogBench _bench = new();
    private readonly ManualTime _time = new(Start);
    private readonly LogPump _pump;

    public ReaderTests() => _pump = new LogPump(_time, static happened => Assert.Fail(happened.ToString()));

    public void Dispose()
    {
        _pump.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Lines_of_several_replicas_and_their_rotated_files_are_merged_by_time()
    {
        LogSource[] sources = [_bench.For("a", 1, new LogRotation(200, 50)), _bench.For("a", 2), _bench.For("dotted.name", 1)];
        LogAttachment[] attachments = [.. sources.Select(_pump.Attach)];
        for (int i = 0; i < 60; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Say(sources[i % 3], attachments[i % 3], $"line {i}");
        }

        List<LogLine> lines = await _bench.Lines();
        Assert.Equal(Enumerable.Range(0, 60).Select(static i => $"line {i}"), Texts(lines));
        Assert.Equal(Start.AddSeconds(1), lines[0].Time);
        Assert.Equal(("dotted.name", 1), (lines[2].Service, lines[2].Replica));
        Assert.Equal(20, (await _bench.Lines(_bench.Query with { Services = ["dotted.name"] })).Count);
        Assert.Equal(["line 57", "line 58"], await _bench.Messages(_bench.Query with { Services = ["a"], Last = 1 }));
        Assert.Equal(["line 54", "line 57"], await _bench.Messages(_bench.Query with { Services = ["a"], Replica = 1, Last = 2 }));
    }

    [Fact]
    public async Task A_query_restricts_by_time_pattern_and_stream_and_counts_the_last_lines_after_that()
    {
        LogAttachment attachment = _pump.Attach(_bench.Source);
        for (int i = 1; i <= 100; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Say(_bench.Source, attachment, $"line {i} ä", i % 10 == 0 ? LogStream.Error : LogStream.Output);
        }

        DateTimeOffset At(int second) => Start.AddSeconds(second);
        Assert.Equal(["line 98 ä", "line 99 ä", "line 100 ä"], await _bench.Messages(_bench.Query with { Since = At(98) }));
        Assert.Equal(["line 1 ä", "line 2 ä"], await _bench.Messages(_bench.Query with { Until = At(2) }));
        Assert.Equal(["line 30 ä", "line 40 ä"], await _bench.Messages(_bench.Query with { Since = At(25), Until = At(45), Stream = LogStream.Error }));
        Assert.Equal(["line 9 ä", "line 19 ä"], await _bench.Messages(_bench.Query with { Pattern = new Regex("9 ä$"), Until = At(20) }));
        Assert.Equal(["line 70 ä", "line 77 ä"], await _bench.Messages(_bench.Query with { Pattern = new Regex("7[07]"), Last = 2 }));
        Assert.Empty(await _bench.Messages(_bench.Query with { Since = At(1000) }));
        Assert.Empty(await _bench.Messages(new LogQuery(Path.Combine(_bench.Directory, "nowhere"))));
    }

    [Fact]
    public async Task The_last_lines_are_the_same_whether_read_from_the_end_or_from_the_beginning()
    {
        // Lines from nothing to longer than a reader's block, so that records lie across blocks in every way.
        LogSource source = _bench.For("long", 1, new LogRotation(700_000, 50));
        LogAttachment attachment = _pump.Attach(source);
        using FileStream writer = _bench.Writer(source: source);
        var random = new Random(7);
        for (int i = 0; i < 400; i++)
        {
            int length = random.Next(20) switch { 0 => random.Next(60_000, 200_000), 1 => 0, _ => random.Next(200) };
            writer.Write(Encoding.ASCII.GetBytes($"{i} {new string('x', length)}\n"));
            await attachment.DrainAsync();
        }

        List<string> all = await _bench.Messages(_bench.Query with { Services = ["long"] });
        Assert.Equal(400, all.Count);
        Assert.All(all.Index(), static entry => Assert.StartsWith($"{entry.Index} ", entry.Item));
        foreach (int count in (int[])[0, 1, 2, 150, 399, 400, 1000])
        {
            Assert.Equal(all.TakeLast(count), await _bench.Messages(_bench.Query with { Services = ["long"], Last = count }));
        }
    }

    [Fact]
    public async Task A_record_that_is_still_being_written_is_not_shown()
    {
        LogAttachment attachment = _pump.Attach(_bench.Source);
        await Say(_bench.Source, attachment, "whole");
        await File.AppendAllTextAsync(_bench.Source.LogPath, "2026-11-21T06:28:01.000000000Z stdout F to");
        Assert.Equal(["whole"], await _bench.Messages());
        Assert.Equal(["whole"], await _bench.Messages(_bench.Query with { Last = 5 }));
    }

    [Fact]
    public async Task Following_gives_history_and_then_every_new_line_once()
    {
        LogAttachment attachment = _pump.Attach(_bench.Source);
        _bench.Start("exec seq -f 'line %.0f' 1 200000");
        await LogBench.Until(() => attachment.Lines > 100);
        int next = 1;
        await foreach (LogFeed feed in LogReader.Follow(_pump, _bench.Query))
        {
            // The last lines may be among those that a slow reader missed.
            switch (feed)
            {
                case LogFeed.Missed missed:
                    next += (int)missed.Count;
                    break;
                case LogFeed.Line line:
                    Assert.Equal($"line {next++}", Encoding.ASCII.GetString(line.Value.Message.Span));
                    break;
            }

            if (next > 200_000)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_follower_that_does_not_read_is_told_what_it_missed_and_holds_up_nobody()
    {
        LogAttachment attachment = _pump.Attach(_bench.Source);
        using LogFollower follower = _pump.Follow(static (_, _) => true);
        await _bench.Start("exec seq -f 'line %.0f' 1 100000").WaitForExitAsync();
        await attachment.DrainAsync();
        Assert.Equal(100_000, attachment.Lines);

        long shown = 0, missed = 0;
        await foreach (LogFeed feed in follower.Read())
        {
            shown += feed is LogFeed.Line ? 1 : 0;
            missed += feed is LogFeed.Missed gap ? gap.Count : 0;
            if (shown + missed == 100_000)
            {
                break;
            }
        }

        Assert.True(missed > 0);
    }

    [Fact]
    public async Task An_observer_sees_what_was_stored_until_it_is_let_go_and_one_that_throws_is_let_go()
    {
        var happened = new TaskCompletionSource<LogPumpEvent>();
        using var pump = new LogPump(_time, happened.SetResult);
        LogAttachment attachment = pump.Attach(_bench.For("seen", 1));
        List<string> seen = [];
        using (attachment.Observe((time, stream, message, _) => seen.Add($"{time:ss} {stream} {Encoding.ASCII.GetString(message)}")))
        using (attachment.Observe(static (_, _, _, _) => throw new InvalidOperationException("no")))
        {
            await Say(attachment.Source, attachment, "one", LogStream.Error);
            await Say(attachment.Source, attachment, "two");
        }

        await Say(attachment.Source, attachment, "three");
        Assert.Equal(["00 Error one", "00 Output two"], seen);
        Assert.IsType<LogPumpEvent.ObserverFailed>(await happened.Task);
    }

    private static IEnumerable<string> Texts(IEnumerable<LogLine> lines) => lines.Select(static line => Encoding.UTF8.GetString(line.Message.Span));

    private async Task Say(LogSource source, LogAttachment attachment, string text, LogStream stream = LogStream.Output)
    {
        using FileStream writer = _bench.Writer(stream, source);
        writer.Write(Encoding.UTF8.GetBytes(text + "\n"));
        await attachment.DrainAsync();
    }
}
