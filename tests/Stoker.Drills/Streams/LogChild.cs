using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Stoker.Platform.Disks;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Positions;

namespace Stoker.Drills.Streams;

/// <summary>
/// The process that is killed: this same program, started with a variable set. It opens the log, appends events that are made from the ids it was given, and prints
/// each answer before it goes on: <c>open NEXT TORN .</c>, <c>ack ID OFFSET .</c>, <c>position NEXT .</c>
/// A line without its full stop was cut by the kill.
/// </summary>
internal static class LogChild
{
    public const string Variable = "STOKER_DRILL_LOG";

    private const int AtOnce = 40;

    public static LogOptions Options { get; } = new(SegmentBytes: 256 * 1024, BatchBytes: 16 * 1024, ReserveBytes: 0) { TestsDrive = false };

    /// <summary>An id, and bytes that follow from it.</summary>
    public static byte[] Event(long id)
    {
        var bytes = new byte[40 + (int)(id * 7919 % 2500)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, id);
        SHA256.HashData(bytes.AsSpan(0, 8), bytes.AsSpan(8, 32));
        bytes.AsSpan(40).Fill(bytes[8]);
        return bytes;
    }

    // Before the test runner, which would take longer to start than the log.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void RunWhenAsked()
#pragma warning restore CA2255
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } asked) return;
        var words = asked.Split(' ');
        Run(words[0], long.Parse(words[1]));
        Environment.Exit(0);
    }

    private static void Run(string path, long id)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = false };
        if (StreamLog.Open(path, Options, Disk.Instance, TimeProvider.System) is not LogOpening.Opened opened) throw new InvalidOperationException("the log was not opened");
        var partition = opened.Log.Partitions[0];
        output.WriteLine($"open {partition.End.NextOffset} {opened.Torn.Count} .");
        output.Flush();
        var position = partition.Position("worker");
        using var arrived = new SemaphoreSlim(0);
        var inbox = new AppendInbox(() => arrived.Release());
        var (waiting, results) = (0, new List<AppendResult>());
        while (true)
        {
            for (; waiting < AtOnce; waiting++) _ = partition.Append(Event(id), id, 0, inbox, id++);
            arrived.Wait();
            results = inbox.Take(results);
            waiting -= results.Count;
            foreach (var result in results)
            {
                if (result.Outcome != AppendOutcome.Durable) throw new InvalidOperationException($"{result.Outcome}");
                output.WriteLine($"ack {result.State} {result.FirstOffset} .");
            }

            var end = partition.End;
            if (end.NextOffset % 5 == 0 && position.Set(new Position(end.NextOffset, end.Hash)) == 0) output.WriteLine($"position {end.NextOffset} .");
            output.Flush();
        }
    }
}
