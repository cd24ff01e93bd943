using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Stoker.Streams.Archive;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Transform;
using Stoker.Tests.Logs;
using Stoker.Tests.Streams.Log.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Archive;

/// <summary>The archive of a topic, whose position is what the archive says, and which one process after the other goes on with.</summary>
public sealed class TopicArchiveTests : IAsyncDisposable
{
    private const string Root = "/data/archive", Stream = "frames", Folder = "log=kafka-cluster-topic-1-";

    private static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly SimulatedDisk _disk = new();
    private readonly FakeTopic _topic = new();
    private readonly ManualTime _time = new(Start);
    private readonly List<Process> _processes = [];
    private readonly List<string> _said = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes) await process.DisposeAsync();
        _topic.Dispose();
    }

    [Fact]
    public async Task Objects_are_named_by_where_they_begin_and_end_and_chained_by_a_hash_of_the_archive_s_own()
    {
        Add("a", "b");
        var process = Begin();
        await ArchivedAsync(process);
        Add("c", "d", "e", "f", "g");
        await ArchivedAsync(process);
        Assert.Equal(["00000000000000000000-00000000000000000002", "00000000000000000002-00000000000000000007"], Names("raw").Select(name => Path.GetFileName(name)[..41]));
        Assert.All(Names("manifest"), name => Assert.Contains(Folder, name, StringComparison.Ordinal));
        Assert.Equal(["a", "b", "c", "d", "e", "f", "g"], Ids());
        var manifests = Manifests();
        Assert.Equal(manifests[0].Hash, manifests[1].HashBefore);
        Assert.Equal("kafka:cluster/topic.1", manifests[0].Log);
        Assert.Equal(7, (await AssertWholeAsync()).Partitions.Single().HeldToLog);
    }

    [Fact]
    public async Task The_next_process_goes_on_where_the_archive_ends_and_the_last_one_leaves_what_it_has_not_closed()
    {
        var first = Begin();
        Add("a");
        await ArchivedAsync(first);
        Add("b");
        await UntilAsync(() => first.Worker.LagSeconds >= 10, timePasses: true);
        var second = Begin();
        await UntilAsync(() => second.Worker.Progress.IsElsewhere);
        await _topic.TakeAwayAsync();
        Add("c");
        await ArchivedAsync(second);
        await UntilAsync(() => first.Worker.Progress.IsElsewhere);
        Assert.Equal(0, first.Worker.LagSeconds);
        Assert.Equal(["a", "b", "c"], Ids());
        await AssertWholeAsync();
    }

    [Fact]
    public async Task A_process_that_was_frozen_takes_nothing_away_from_its_successor_and_goes_on_where_that_one_is()
    {
        var frozen = Begin();
        var thawed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isMet = false;
        // Between what it has looked at and the manifest that it puts.
        frozen.Store.Hold = name =>
        {
            if (!name.Contains("/manifest/", StringComparison.Ordinal)) return null;
            Volatile.Write(ref isMet, true);
            return thawed.Task.WaitAsync(TestContext.Current.CancellationToken);
        };
        Add("a", "b");
        await UntilAsync(() => Volatile.Read(ref isMet), timePasses: true);
        _topic.Lose();
        Add("c");
        var second = Begin();
        await ArchivedAsync(second);
        Add("d");
        thawed.SetResult();
        await ArchivedAsync(second);
        await UntilAsync(() => frozen.Store.Puts.Any(name => name.Contains("/manifest/", StringComparison.Ordinal)));
        await second.DisposeAsync();
        Add("e");
        await ArchivedAsync(frozen);
        Assert.Equal(["a", "b", "c", "d", "e"], Ids().Distinct());
        var report = await VerifyAsync();
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
    }

    [Fact]
    public async Task What_another_process_has_archived_meanwhile_is_left_to_it()
    {
        var slow = Begin();
        var isHeldUp = true;
        slow.Store.Before = (_, _) => Volatile.Read(ref isHeldUp) ? new ArchiveUnavailableException("slow") : null;
        Add("a", "b");
        await UntilAsync(() => slow.Worker.Progress.Failures > 0, timePasses: true);
        _topic.Lose();
        Add("c");
        var second = Begin();
        await ArchivedAsync(second);
        await second.DisposeAsync();
        Volatile.Write(ref isHeldUp, false);
        await UntilAsync(() => slow.Worker.Progress.Next == 3, timePasses: true);
        Assert.Contains(Said(), line => line.Contains("archived by another process meanwhile", StringComparison.Ordinal));
        Assert.Single(Manifests());
        Assert.True((await VerifyAsync()).IsWhole);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Ended_between_an_object_and_its_manifest_the_next_process_writes_over_what_is_there(int call)
    {
        var first = Begin();
        first.Store.After = (number, _) => number >= call ? new ArchiveUnavailableException("cut off") : null;
        Add("a", "b");
        await UntilAsync(() => first.Worker.Progress.Failures > 0, timePasses: true);
        await first.DisposeAsync();
        // The last call is the manifest's, which counts then.
        Assert.Equal(call == 3 ? 1 : 0, Manifests().Count);
        Add("c", "d", "e");
        var second = Begin();
        await ArchivedAsync(second);
        Assert.Equal(["a", "b", "c", "d", "e"], Ids());
        Assert.Equal(2, Manifests().Count);
        Assert.Empty((await AssertWholeAsync()).Notes);
    }

    [Fact]
    public async Task Offsets_without_an_event_and_events_that_retention_has_deleted_stand_in_the_manifest()
    {
        Add("gone", "gone");
        _topic.Delete(2);
        var process = Begin();
        Add("a");
        _topic.Skip(2);
        Add("b");
        await ArchivedAsync(process);
        _topic.Delete(4);
        Add("late");
        await UntilAsync(() => process.Worker.Progress.Next == 7, timePasses: true);
        Assert.Equal([(3ul, 5ul, "absent")], Manifests().SelectMany(each => each.Gone).Select(gone => (gone.From, gone.To, gone.Why)));
        await process.DisposeAsync();
        Add("deleted", "deleted");
        _topic.Delete(9);
        Add("c");
        process = Begin();
        await ArchivedAsync(process);
        Assert.Equal([(3ul, 5ul, "absent"), (7, 9, "deleted")], Manifests().SelectMany(each => each.Gone).Select(gone => (gone.From, gone.To, gone.Why)));
        Assert.Contains(Said(), line => line.Contains("events 7 to 8 of partition 0 were deleted before they were archived", StringComparison.Ordinal));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task A_day_has_objects_of_its_own_also_within_what_was_fetched_together()
    {
        Add("before");
        _topic.Add("after", Start.AddDays(1));
        _topic.Add("back", Start);
        var process = Begin();
        await ArchivedAsync(process);
        Assert.Equal([1L, 2], Manifests().Select(each => each.Events));
        Assert.Contains("date=2026-11-22", Names("raw")[1], StringComparison.Ordinal);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task What_is_no_event_is_a_raw_line_and_named_in_the_manifest()
    {
        Add("a");
        _topic.Add("", Start, new RecordFault("not_an_event", "", "noise"));
        var process = Begin();
        await ArchivedAsync(process);
        Assert.Equal(["a", "0-1"], Ids());
        Assert.Equal([(1ul, 2ul, "not_an_event")], Manifests().Single().NoDocument.Select(each => (each.From, each.To, each.Cause)));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task A_topic_that_was_made_anew_is_noticed_and_archived_nowhere()
    {
        Add("a", "b");
        var process = Begin();
        await ArchivedAsync(process);
        await process.DisposeAsync();
        var other = new FakeTopic();
        foreach (var id in (string[])["x", "y", "z"]) other.Add(id, Start);
        var next = Begin(other);
        await UntilAsync(() => next.Worker.Progress.Problem?.Contains("event 1 of the topic is not the one that was archived", StringComparison.Ordinal) == true, timePasses: true);
        Assert.Single(Manifests());
        var shorter = new FakeTopic();
        shorter.Add("x", Start);
        var last = Begin(shorter);
        await UntilAsync(() => last.Worker.Progress.Problem?.Contains("has only 1", StringComparison.Ordinal) == true, timePasses: true);
    }

    [Theory]
    [InlineData("hash", "counted anew")]
    [InlineData("lost", "in no object")]
    [InlineData("raw", "are not those that the log gives")]
    public async Task A_verification_finds_what_is_not_the_topic_s_or_is_missing(string what, string expected)
    {
        var process = Begin();
        foreach (var id in (string[])["a", "b", "c"])
        {
            Add(id);
            await ArchivedAsync(process);
        }

        var name = Names("manifest")[1];
        var manifest = ArchiveManifest.FromJson(_disk.Content(name));
        if (what == "lost") _disk.Remove(name);
        else if (what == "hash") _disk.SetContent(name, (manifest with { Hash = new string('0', 16) }).ToJson());
        else _disk.SetContent(name, (manifest with { Objects = [.. manifest.Objects.Select(made => made with { ContentSha256 = new string('0', 64) })] }).ToJson());
        Assert.Contains((await VerifyAsync()).Faults, fault => fault.Words.Contains(expected, StringComparison.Ordinal));
    }

    private List<string> Said()
    {
        lock (_said) return [.. _said];
    }

    private void Add(params IEnumerable<string> ids)
    {
        foreach (var id in ids) _topic.Add(id, _time.GetUtcNow());
    }

    private Process Begin(FakeTopic? topic = null)
    {
        var process = new Process(_disk, topic ?? _topic, _time, _said, _processes.Count);
        _processes.Add(process);
        return process;
    }

    private Task ArchivedAsync(Process process) => UntilAsync(() => process.Worker.Progress is { IsElsewhere: false } at && at.Next == _topic.NextOffset, timePasses: true);

    private async Task UntilAsync(Func<bool> holds, bool timePasses = false)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            Assert.False(patience.IsCancellationRequested, $"{string.Join('\n', _processes.Select(each => each.Worker.Progress))}\n{string.Join('\n', Said())}");
            if (timePasses) _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Not of what is being written, which has another name in a moment.</summary>
    private IReadOnlyList<string> Names(string what) =>
        [.. _disk.Files($"{Root}/{Stream}/{what}").Where(name => !name.EndsWith(".tmp", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private IReadOnlyList<ArchiveManifest> Manifests() => [.. Names("manifest").Select(name => ArchiveManifest.FromJson(_disk.Content(name)))];

    private List<string> Ids() => [.. Names("raw").SelectMany(name => Lines(_disk.Content(name))).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!)];

    private async Task<ArchiveReport> VerifyAsync()
    {
        using var store = new FakeArchive(_disk, Root);
        return await new ArchiveVerifier(store, Stream, _topic.View, static _ => { }).RunAsync(TestContext.Current.CancellationToken);
    }

    private async Task<ArchiveReport> AssertWholeAsync()
    {
        var report = await VerifyAsync();
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        return report;
    }

    private static string[] Lines(byte[] compressed)
    {
        using var gzip = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>One of the processes that share the archive.</summary>
    private sealed class Process : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private bool _isEnded;

        public Process(SimulatedDisk disk, FakeTopic topic, ManualTime time, List<string> said, int number)
        {
            Store = new FakeArchive(disk, Root);
            Worker = new ArchiveWorker(Stream, topic, new ArchiveSpec(Root) { EverySeconds = 60 }, Store, disk, $"/data/spool{number}", EventTransform.Of("box-1"), time, line =>
            {
                lock (said) said.Add(line);
            });
            _running = Task.Run(() => Worker.RunAsync(_stop.Token));
        }

        public FakeArchive Store { get; }

        public ArchiveWorker Worker { get; }

        public async ValueTask DisposeAsync()
        {
            if (_isEnded) return;
            _isEnded = true;
            await _stop.CancelAsync();
            await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
            Worker.Dispose();
            _stop.Dispose();
        }
    }
}
