using System.Diagnostics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Logs;
using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Logs;

public sealed class KillTests(ITestOutputHelper output)
{
    // The drills ask for hundreds.
    private static readonly int Kills = int.TryParse(Environment.GetEnvironmentVariable("STOKER_TEST_KILLS"), out int kills) ? kills : 20;

    [Fact]
    public async Task Numbered_lines_of_two_floods_are_stored_exactly_once_through_a_pump_that_is_killed_again_and_again()
    {
        var rotation = new LogRotation(1 << 20, 10_000);
        using var bench = new LogBench(rotation: rotation);
        Process flood = bench.Start("seq -f 'output %.0f' 1 1000000000 & exec seq -f 'error %.0f' 1 1000000000 >&2");
        var random = new System.Random(20261121);
        for (int kill = 0; kill < Kills; kill++)
        {
            using Process pump = PumpProcess.Start(bench.Source, rotation);
            Assert.Equal("attached", await pump.StandardOutput.ReadLineAsync());
            long until = Stopwatch.GetTimestamp() + Stopwatch.Frequency * random.Next(100_000) / 1_000_000;
            while (Stopwatch.GetTimestamp() < until)
            {
                Thread.SpinWait(50);
            }

            pump.Kill();
            await pump.WaitForExitAsync();
        }

        flood.Kill(entireProcessTree: true);
        await flood.WaitForExitAsync();
        using (var last = new LogPump(TimeProvider.System, static happened => Assert.Fail(happened.ToString())))
        {
            await last.Attach(bench.Source).DrainAsync();
        }

        // Of each stream only the very last line may be cut: its writer was killed.
        long[] counts = [0, 0];
        bool[] ended = [false, false];
        foreach (LogLine line in await bench.Lines())
        {
            int stream = (int)line.Stream;
            string expected = $"{(stream == 0 ? "output" : "error")} {++counts[stream]}";
            string message = Encoding.ASCII.GetString(line.Message.Span);
            Assert.False(ended[stream], $"`{message}` comes after a line that was cut");
            ended[stream] = message != expected;
            Assert.StartsWith(message, expected, StringComparison.Ordinal);
        }

        output.WriteLine($"{Kills} kills, {counts[0]} + {counts[1]} lines");
        Assert.All(counts, static count => Assert.True(count > 1000));
    }

    [Fact]
    public async Task Lines_that_had_left_the_pipe_when_the_pump_died_are_stored_by_the_next_one_without_waiting_for_more()
    {
        using var bench = new LogBench();
        using FileStream writer = bench.Writer();
        using (ReplicaLog first = ReplicaLog.Open(bench.Source, new PumpBuffers(), TimeProvider.System, null, static _ => throw new Killed()))
        {
            writer.Write("one\ntwo\nthr"u8);
            Assert.Throws<Killed>(() => first.Turn(LogStream.Output));
            Assert.Equal(0, Pipes.Waiting(writer.SafeFileHandle));
        }

        using var next = new LogPump(TimeProvider.System, static happened => Assert.Fail(happened.ToString()));
        LogAttachment attachment = next.Attach(bench.Source);
        await LogBench.Until(() => attachment.Lines == 2);
        writer.Write("ee\n"u8);
        await LogBench.Until(() => attachment.Lines == 3);
        Assert.Equal(["one", "two", "three"], await bench.Messages());
    }

    [Fact]
    public async Task A_line_that_repeats_the_one_before_it_is_not_mistaken_for_it_after_a_kill()
    {
        using var bench = new LogBench();
        using FileStream writer = bench.Writer();
        for (int beat = 0; beat < 5; beat++)
        {
            using ReplicaLog log = ReplicaLog.Open(bench.Source, new PumpBuffers(), TimeProvider.System);
            writer.Write("alive\n"u8);
            Assert.Equal(0, log.Turn(LogStream.Output).Error);
            writer.Write("alive\n"u8);
        }

        using ReplicaLog last = ReplicaLog.Open(bench.Source, new PumpBuffers(), TimeProvider.System);
        Assert.Equal(0, last.Drain());
        Assert.Equal(10, (await bench.Messages()).Count);
    }

    /// <summary>What happens to a replica's log, in random order: output of any shape, turns, and deaths between any two steps.</summary>
    private abstract record Happening
    {
        internal sealed record Writes(LogStream Stream, byte[] Bytes) : Happening;

        internal sealed record Turn(LogStream Stream) : Happening;

        /// <summary>A turn that is killed after so many steps; a batch that was being written stays behind up to the given fraction.</summary>
        internal sealed record Death(LogStream Stream, int Steps, int Percent) : Happening;

        internal sealed record Drain : Happening;
    }

    private sealed class Killed : Exception;

    [Fact]
    public void Whatever_is_written_and_whenever_the_pump_dies_the_log_holds_every_byte_once()
    {
        Gen<LogStream> stream = Gen.Elements(LogStream.Output, LogStream.Error);
        Gen<byte[]> bytes = Gen.OneOf(
            Gen.Choose(0, 255).Select(static value => (byte)value).ArrayOf(),
            Gen.Elements("tick\n", "a\n", "\n", "no end", "\n\n\n").Select(Encoding.ASCII.GetBytes),
            Gen.Choose(1, 60_000).Select(static count => Encoding.ASCII.GetBytes(new string('z', count))));
        Gen<Happening> happening = Gen.OneOf(
            from s in stream from b in bytes select (Happening)new Happening.Writes(s, b),
            from s in stream from b in bytes select (Happening)new Happening.Writes(s, b),
            stream.Select(static s => (Happening)new Happening.Turn(s)),
            from s in stream from steps in Gen.Choose(0, 12) from percent in Gen.Choose(0, 100) select (Happening)new Happening.Death(s, steps, percent),
            Gen.Constant((Happening)new Happening.Drain()));
        Gen<(Happening[], int)> cases = from list in happening.ArrayOf() from size in Gen.Elements(60, 400, 100_000, 1 << 30) select (list, size);

        Prop.ForAll(cases.ToArbitrary(), static one => Survives(one.Item1, one.Item2))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(60));
    }

    private static void Survives(Happening[] happenings, int maxSize)
    {
        using var bench = new LogBench(rotation: new LogRotation(maxSize, 100_000));
        using FileStream outputWriter = bench.Writer(), errorWriter = bench.Writer(LogStream.Error);
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var buffers = new PumpBuffers();
        int stepsLeft = int.MaxValue;
        ReplicaLog Open() => ReplicaLog.Open(bench.Source, buffers, time, null, _ => stepsLeft = stepsLeft > 0 ? stepsLeft - 1 : throw new Killed());
        ReplicaLog log = Open();
        var expected = new Dictionary<LogStream, List<byte>> { [LogStream.Output] = [], [LogStream.Error] = [] };
        foreach (Happening happening in happenings)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            switch (happening)
            {
                case Happening.Writes(var stream, var bytes) when Pipes.Waiting(log.Pipe(stream)) + bytes.Length < 500_000:
                    (stream == LogStream.Output ? outputWriter : errorWriter).Write(bytes);
                    expected[stream].AddRange(bytes);
                    break;
                case Happening.Turn(var stream):
                    Assert.Equal(0, log.Turn(stream).Error);
                    break;
                case Happening.Death(var stream, var steps, var percent):
                    stepsLeft = steps;
                    Dies(log, stream, bench.Source, percent);
                    stepsLeft = int.MaxValue;
                    log = Open();
                    break;
                case Happening.Drain:
                    // A drain ends a line that had no end.
                    Assert.Equal(0, log.Drain());
                    foreach (List<byte> soFar in expected.Values.Where(static soFar => soFar.Count > 0 && soFar[^1] != '\n'))
                    {
                        soFar.Add((byte)'\n');
                    }

                    break;
            }
        }

        Assert.Equal(0, log.Drain());
        log.Dispose();
        foreach ((LogStream stream, List<byte> bytes) in expected)
        {
            if (bytes.Count > 0 && bytes[^1] != '\n')
            {
                bytes.Add((byte)'\n');
            }

            byte[] stored = [.. bench.Lines(bench.Query with { Stream = stream }).GetAwaiter().GetResult()
                .SelectMany(static line => line.Partial ? line.Message.ToArray() : [.. line.Message.Span, (byte)'\n'])];
            Assert.Equal(bytes, stored);
        }
    }

    private static void Dies(ReplicaLog log, LogStream stream, LogSource source, int percent)
    {
        bool killed = false;
        try
        {
            log.Turn(stream);
        }
        catch (Killed)
        {
            killed = true;
        }

        log.Dispose();
        if (killed && LogCursor.Read(File.ReadAllBytes(source.CursorPath)) is { } cursor)
        {
            // A kill inside the write leaves some of the batch.
            using FileStream file = File.Open(source.LogPath, FileMode.OpenOrCreate);
            long torn = cursor.Start + (cursor.End - cursor.Start) * percent / 100;
            using LogFile facts = LogFile.Open(source.LogPath);
            if (facts.Facts().Inode == cursor.LogInode && file.Length == cursor.End && cursor.End > cursor.Start)
            {
                file.SetLength(torn);
            }
        }
    }
}
