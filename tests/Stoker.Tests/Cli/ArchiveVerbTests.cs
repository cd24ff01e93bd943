using System.Text.Json;
using Stoker.Cli;
using Stoker.Streams.Archive;
using Stoker.Streams.Log;
using Stoker.Tests.Gateway;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary>The archive of a stream's real process, as its verbs and its door tell of it.</summary>
public sealed class ArchiveVerbTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly StreamBed _bed;

    public ArchiveVerbTests() => _bed = new StreamBed(change: plan => plan.Archive = new ArchiveSpec(Path.Combine(_scratch.Directory, "archive")) { EverySeconds = 1 });

    public void Dispose()
    {
        _bed.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task An_event_is_archived_told_with_its_time_and_proved()
    {
        await _bed.StartAsync();
        Send("a");
        await _bed.UntilAsync("\"archive\":\"archived\"", "receipt", "0-0", "--json");
        Assert.True(JsonDocument.Parse(_bed.Output).RootElement.GetProperty("archived").GetDateTimeOffset() > JsonDocument.Parse(_bed.Output).RootElement.GetProperty("logged").GetDateTimeOffset());
        Assert.Equal(ExitCode.Done, _bed.Run("receipt", "0-0"));
        Assert.Contains("  archived   ", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("status"));
        Assert.Contains("ARCHIVED", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("archive", "verify", "--json"));
        var run = Assert.Single(JsonDocument.Parse(_bed.Output).RootElement.GetProperty("partitions").EnumerateArray());
        Assert.Equal((1, 1, 2, 0), (run.GetProperty("events").GetInt32(), run.GetProperty("held_to_log").GetInt32(), run.GetProperty("objects").GetInt32(), run.GetProperty("waiting").GetInt32()));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{_bed.Plan.Listen}") };
        Assert.Contains("stoker_stream_archived_total{partition=\"0\"} 1\n", await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_process_status_and_proof_are_read_from_the_files()
    {
        await _bed.StartAsync();
        Send("a");
        await _bed.UntilAsync("\"archive\":\"archived\"", "receipt", "0-0", "--json");
        var archived = JsonDocument.Parse(_bed.Output).RootElement.GetProperty("archived").GetDateTimeOffset();
        await _bed.StopAsync();

        // The next process has it from the archive, which has it from before the objects were put, however long that took.
        await _bed.StartAsync();
        await _bed.UntilAsync("\"archived\":\"", "receipt", "0-0", "--json");
        var made = ArchiveManifest.FromJson(File.ReadAllBytes(Directory.GetFiles(_bed.Plan.Archive!.To, "*", SearchOption.AllDirectories).Single(name => name.Contains("/manifest/", StringComparison.Ordinal)))).Archived;
        Assert.Equal(LogModule.MicrosecondsOf(made), LogModule.MicrosecondsOf(JsonDocument.Parse(_bed.Output).RootElement.GetProperty("archived").GetDateTimeOffset()));
        Assert.True(made <= archived, $"{made} {archived}");
        await _bed.StopAsync();
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("status", "--json"));
        var stream = JsonDocument.Parse(_bed.Output).RootElement.GetProperty("streams")[0];
        Assert.Equal(_bed.Plan.Archive.To, stream.GetProperty("archive").GetString());
        Assert.Equal((1, 0), (stream.GetProperty("partitions")[0].GetProperty("archived").GetInt32(), stream.GetProperty("partitions")[0].GetProperty("archive_lag_seconds").GetInt32()));
        Assert.Equal(ExitCode.Done, _bed.Run("archive", "verify"));
        Assert.Contains("whole", _bed.Output, StringComparison.Ordinal);

        var raw = Directory.GetFiles(_bed.Plan.Archive.To, "*.gz", SearchOption.AllDirectories).Single(name => name.Contains("/raw/", StringComparison.Ordinal));
        File.Delete(raw);
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("archive", "verify", "gpu-metadata"));
        Assert.Contains("not whole", _bed.Output, StringComparison.Ordinal);
        Assert.Contains($"`{Path.GetRelativePath(_bed.Plan.Archive.To, raw)}`: it is not there", _bed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_that_cannot_be_written_is_told_by_the_status_and_takes_up_its_work_when_it_can()
    {
        // A file where the directory is to be.
        File.WriteAllText(_bed.Plan.Archive!.To, "");
        await _bed.StartAsync();
        Send("a");
        await _bed.UntilAsync("archive: the archive in", "status");
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("status"));
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("list"));
        Assert.Contains("not archived", _bed.Output, StringComparison.Ordinal);
        await _bed.UntilAsync("stored", "receipt", "0-0");
        File.Delete(_bed.Plan.Archive.To);
        await _bed.UntilAsync("\"archive\":\"archived\"", "receipt", "0-0", "--json");
        Assert.Equal(ExitCode.Done, _bed.Run("status"));
    }

    private void Send(string id)
    {
        _bed.World.Write("one.json", $"{{\"metadata_id\": \"{id}\", \"source_uri\": \"gs://ca4\", \"gpu_hardware\": {{\"device_name\": \"Tesla T4\"}}}}");
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json"));
    }
}
