using System.Buffers;
using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Transform;
using Stoker.Streams.Work;
using Stoker.Tests.Gateway;
using Stoker.Tests.Logs;
using Stoker.Tests.Streams.Archive;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Work;

/// <summary>A worker between a log on a disk in memory and a store that does what the test says, with a clock that the test moves.</summary>
internal sealed class WorkerBench : IAsyncDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly Scratch _scratch = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _said = [];
    private Task _running = Task.CompletedTask;

    /// <param name="topic">Instead of the log.</param>
    public WorkerBench(LogWorkshop? workshop = null, FakeTopic? topic = null)
    {
        Workshop = workshop ?? LogWorkshop.Make();
        Letters = DeadLetterStore.Open(_scratch.Directory);
        Worker = new PartitionWorker(topic ?? (IEventPartition)Workshop.Partition, Store, Letters, EventTransform.Of("box-1"), Time, line =>
        {
            lock (_said) _said.Add(line);
        });
    }

    public LogWorkshop Workshop { get; }

    public FakeStore Store { get; } = new();

    public ManualTime Time { get; } = new(Start);

    public DeadLetterStore Letters { get; }

    public PartitionWorker Worker { get; }

    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said) return [.. _said];
        }
    }

    public void Run() => _running = Task.Run(() => Worker.RunAsync(_stop.Token));

    public void Append(params IEnumerable<string> ids)
    {
        foreach (var id in ids) AppendData(id, "{}");
    }

    public void AppendData(string id, string data) => Append(Workshop.Partition, id, data, Time.GetUtcNow());

    public static void Append(Partition partition, string id, string data, DateTimeOffset now)
    {
        var said = new EventEnvelope
        {
            Form = EventForm.CloudEvent, Source = Encoding.UTF8.GetBytes("s"), Id = Encoding.UTF8.GetBytes(id), Type = Encoding.UTF8.GetBytes("t"),
            ContentType = Encoding.UTF8.GetBytes("application/json"), Data = Encoding.UTF8.GetBytes(data), HasData = true, Received = now.UtcDateTime,
        };
        var frame = new ArrayBufferWriter<byte>();
        EnvelopeFrame.Write(said, frame);
        Assert.Equal(AppendOutcome.Durable, LogWorkshop.Append(partition, frame.WrittenSpan, LogModule.MicrosecondsOf(now)).Outcome);
    }

    public Task StoredAsync() => UntilAsync(() => Worker.Progress.Next == Workshop.Partition.End.NextOffset);

    /// <summary>Waits for a level; the clock goes on meanwhile where that is said.</summary>
    public async Task UntilAsync(Func<bool> holds, bool timePasses = false)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            Assert.False(patience.IsCancellationRequested, $"{Worker.Progress}, {Store.Takes} takes, {Store.Applies} applies, log to {Workshop.Partition.End.NextOffset}: {string.Join('\n', Said)}");
            Assert.False(_running.IsFaulted, $"{_running.Exception}");
            if (timePasses) Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        await Worker.DisposeAsync();
        Workshop.Dispose();
        Letters.Dispose();
        _scratch.Dispose();
        _stop.Dispose();
    }
}
