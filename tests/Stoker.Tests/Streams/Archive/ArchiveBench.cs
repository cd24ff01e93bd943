using System.Buffers;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Archive;
using Stoker.Streams.Events;
using Stoker.Streams.Log;
using Stoker.Streams.Log.Positions;
using Stoker.Streams.Transform;
using Stoker.Streams.Work;
using Stoker.Tests.Logs;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>An archive's worker between a log and a directory on one disk in memory, with a clock that the test moves.</summary>
internal sealed class ArchiveBench : IAsyncDisposable
{
    public const string Stream = "frames", Root = "/data/archive";

    public static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly List<string> _said = [];
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public ArchiveBench(LogWorkshop? workshop = null, ArchiveSpec? spec = null)
    {
        Workshop = workshop ?? LogWorkshop.Make();
        Store = new FakeArchive(Workshop.Disk, Root);
        Spec = spec ?? new ArchiveSpec(Root) { EverySeconds = 60 };
        Worker = Make();
    }

    public LogWorkshop Workshop { get; }

    public FakeArchive Store { get; private set; }

    public ArchiveSpec Spec { get; set; }

    public ManualTime Time { get; } = new(Start);

    public ArchiveWorker Worker { get; private set; }

    public Partition Partition => Workshop.Partition;

    public Position Kept => Partition.Position(ArchiveModule.Consumer).Current;

    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said) return [.. _said];
        }
    }

    public void Run() => _running = Task.Run(() => Worker.RunAsync(_stop.Token));

    /// <summary>As when the process ends: what is not closed is gone.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        Worker.Dispose();
        _stop.Dispose();
        (_stop, _running) = (new CancellationTokenSource(), Task.CompletedTask);
    }

    /// <summary>As the next process: log, position and archive as they are on the disk.</summary>
    public async Task AgainAsync()
    {
        await StopAsync();
        Workshop.Close();
        Workshop.OpenWhole();
        Worker = Make();
        Run();
    }

    public void Append(params IEnumerable<string> ids)
    {
        foreach (var id in ids) AppendData(id, "application/json", "{}");
    }

    public void AppendData(string id, string contentType, string data) => Append(Partition, id, contentType, Encoding.UTF8.GetBytes(data), Time.GetUtcNow());

    public static void Append(Partition partition, string id, string contentType, byte[] data, DateTimeOffset now)
    {
        var said = new EventEnvelope
        {
            Form = EventForm.CloudEvent, Source = Encoding.UTF8.GetBytes("s"), Id = Encoding.UTF8.GetBytes(id), Type = Encoding.UTF8.GetBytes("t"),
            ContentType = Encoding.UTF8.GetBytes(contentType), Data = data, HasData = true, Received = now.UtcDateTime,
        };
        var frame = new ArrayBufferWriter<byte>();
        EnvelopeFrame.Write(said, frame);
        Assert.Equal(AppendOutcome.Durable, LogWorkshop.Append(partition, frame.WrittenSpan, LogModule.MicrosecondsOf(now)).Outcome);
    }

    /// <summary>Until all of the log is archived; time goes on meanwhile.</summary>
    public Task ArchivedAsync() => UntilAsync(() => Worker.Progress.Next == Partition.End.NextOffset, timePasses: true);

    public async Task UntilAsync(Func<bool> holds, bool timePasses = false)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            Assert.False(patience.IsCancellationRequested, $"{Worker.Progress}, log to {Partition.End.NextOffset}: {string.Join('\n', Said)}\n{string.Join('\n', Store.Puts)}");
            Assert.False(_running.IsFaulted, $"{_running.Exception}");
            if (timePasses) Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
        }
    }

    /// <summary>The names of what is in the archive: not of what is being written, which has another name in a moment.</summary>
    public IReadOnlyList<string> Names(string what) =>
        [.. Workshop.Disk.Files($"{Root}/{Stream}/{what}").Where(name => !name.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public IReadOnlyList<ArchiveManifest> Manifests() => [.. Names("manifest").Select(name => ArchiveManifest.FromJson(Workshop.Disk.Content(name)))];

    public IReadOnlyList<string> Lines(string what) => [.. Names(what).SelectMany(name => LinesOf(Workshop.Disk.Content(name)))];

    public IReadOnlyList<string> Ids(string what) => [.. Lines(what).Select(line => JsonDocument.Parse(line).RootElement.GetProperty(what == ArchiveSpec.Raw ? "id" : "metadata_id").GetString()!)];

    public async Task<ArchiveReport> VerifyAsync()
    {
        var files = LogFiles.Look(Workshop.Disk, LogWorkshop.Root);
        return await new ArchiveVerifier(Store, Stream, files?.ToView(), static _ => { }).RunAsync(TestContext.Current.CancellationToken);
    }

    public async Task AssertWholeAsync()
    {
        var report = await VerifyAsync();
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        Workshop.Dispose();
    }

    private static string[] LinesOf(byte[] compressed)
    {
        using var gzip = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private ArchiveWorker Make() => new(Stream, Partition, Spec, Store, Workshop.Disk, "/data/spool", EventTransform.Of("box-1"), Time, line =>
    {
        lock (_said) _said.Add(line);
    });
}
