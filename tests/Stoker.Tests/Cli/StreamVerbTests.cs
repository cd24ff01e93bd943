using System.Text.Json;
using Stoker.Cli;
using Stoker.Platform.Sqlite;
using Stoker.Streams;
using Stoker.Streams.Work;
using Xunit;

namespace Stoker.Tests.Cli;

/// <summary>The verbs of streams, against a stream's real process, log and store.</summary>
public sealed class StreamVerbTests : IDisposable
{
    private readonly StreamBed _bed = new();

    public void Dispose() => _bed.Dispose();

    [Fact]
    public async Task A_marked_event_goes_through_every_hop()
    {
        await _bed.StartAsync();
        Assert.Equal(ExitCode.Done, _bed.Run("check", "--json"));
        var document = JsonDocument.Parse(_bed.Output).RootElement;
        Assert.Equal(JsonValueKind.Null, document.GetProperty("stuck").ValueKind);
        Assert.Equal(["posted", "on disk", "stored", "queried back"], document.GetProperty("hops").EnumerateArray().Select(hop => hop.GetProperty("hop").GetString()));
        Assert.Equal("0-0", document.GetProperty("receipt").GetString());
    }

    [Fact]
    public void A_check_of_a_stream_that_does_not_run_is_stuck_at_its_first_hop()
    {
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("check"));
        Assert.Contains("stuck  posted", _bed.Output, StringComparison.Ordinal);
        Assert.Contains("is stuck at `posted`", _bed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_sent_is_answered_one_by_one_and_sent_again_it_makes_no_second_documents()
    {
        await _bed.StartAsync();
        _bed.World.Write("facts.ndjson", $"{Fact("a", 1, 0)}\n\n{{\"metadata_id\": \"b\"}}\nno json\n{Fact("c", 0, 1)}\n");
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("send", "facts.ndjson"));
        Assert.Equal("0-0  a\n0-1  c\n", _bed.Output);
        Assert.Contains("facts.ndjson:3: $.gpu_hardware: this field is missing", _bed.Error, StringComparison.Ordinal);
        Assert.Contains("facts.ndjson:4: $: ", _bed.Error, StringComparison.Ordinal);
        Assert.Contains("2 taken, 2 rejected", _bed.Error, StringComparison.Ordinal);

        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("send", "gpu-metadata", "facts.ndjson"));
        Assert.Equal("0-2  a\n0-3  c\n", _bed.Output);
        await _bed.UntilAsync("stored", "receipt", "0-3");
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--json"));
        Assert.Equal(2, JsonDocument.Parse(_bed.Output).RootElement.GetProperty("documents").GetArrayLength());
    }

    [Fact]
    public async Task Arrays_and_CloudEvents_are_told_from_lines_and_found_again_by_what_they_say()
    {
        await _bed.StartAsync();
        _bed.World.Write("in.json", $"[{Fact("a", 1, 0)},\n {Fact("b", 0.8, 0.6)}, {Fact("far", -1, 0)}, {{\"specversion\": \"1.0\", \"id\": \"7\", \"source\": \"/box\", \"type\": \"log.line\", \"data\": {{\"line\": \"ready\"}}}}]");
        Assert.Equal(ExitCode.Done, _bed.Run("send", "in.json", "--json"));
        Assert.Equal(4, _bed.Output.TrimEnd('\n').Split('\n').Length);
        await _bed.UntilAsync("stored", "receipt", "gpu-metadata", "0-3");

        Assert.Equal(ExitCode.Done, _bed.Run("query", "--type", "log.line"));
        Assert.Contains("/box", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--near-id", "a", "--limit", "2", "--json"));
        Assert.Equal(["a", "b"], JsonDocument.Parse(_bed.Output).RootElement.GetProperty("documents").EnumerateArray().Select(each => each.GetProperty("id").GetString()));
        _bed.World.Write("vector.json", "[-1, 0.1]");
        Assert.Equal(ExitCode.Done, _bed.Run("query", "--near", "vector.json", "--limit", "1"));
        Assert.Contains("far", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("query", "--near-id", "nobody"));
    }

    [Fact]
    public async Task Status_is_the_process_own_and_without_it_what_the_files_say()
    {
        await _bed.StartAsync();
        _bed.World.Write("one.json", Fact("a", 1, 0));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json"));
        await _bed.UntilAsync("stored", "receipt", "0-0");
        Assert.Equal(ExitCode.Done, _bed.Run("status", "--json"));
        var running = Partition();
        Assert.Equal("writable", running.GetProperty("state").GetString());

        await _bed.StopAsync();
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("status", "--json"));
        var stopped = Partition();
        Assert.Equal("stopped", stopped.GetProperty("state").GetString());
        Assert.Equal(1u, stopped.GetProperty("stored").GetUInt64());
        Assert.Equal(running.GetProperty("hash").GetString(), stopped.GetProperty("hash").GetString());
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("list"));
        Assert.Contains("does not answer", _bed.Error, StringComparison.Ordinal);

        JsonElement Partition() => JsonDocument.Parse(_bed.Output).RootElement.GetProperty("streams")[0].GetProperty("partitions")[0];
    }

    [Fact]
    public async Task A_flipped_bit_is_found_while_the_stream_runs_and_set_aside_when_it_does_not()
    {
        await _bed.StartAsync();
        foreach (var id in new[] { "a", "b", "c" })
        {
            _bed.World.Write("one.json", Fact(id, 1, 0));
            Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json"));
        }

        await _bed.UntilAsync("stored", "receipt", "0-2");
        Assert.Equal(ExitCode.Done, _bed.Run("verify"));
        Assert.Contains("store, partition 0: agrees", _bed.Output, StringComparison.Ordinal);

        // The second batch begins in the third block: header, "a", "b".
        Flip(Path.Combine(_bed.Log, "0", $"{0:D20}.log"), (2 * 4096) + 200);
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("verify", "--json"));
        var damage = Assert.Single(JsonDocument.Parse(_bed.Output).RootElement.GetProperty("damages").EnumerateArray());
        Assert.Equal((1u, 2u), (damage.GetProperty("first_offset").GetUInt64(), damage.GetProperty("next_offset").GetUInt64()));
        Assert.Equal(ExitCode.Refused, _bed.Run("quarantine"));

        await _bed.StopAsync();
        Assert.Equal(ExitCode.Done, _bed.Run("quarantine"));
        Assert.Contains("record 1 is lost", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("replay", "--dry-run", "--json"));
        var replay = JsonDocument.Parse(_bed.Output).RootElement;
        Assert.Equal(2, replay.GetProperty("same").GetInt32());
        Assert.InRange(replay.GetProperty("gone").GetInt64(), 1, long.MaxValue);
    }

    [Fact]
    public async Task A_replay_finds_what_differs_and_brings_back_what_is_missing_while_the_stream_runs()
    {
        await _bed.StartAsync();
        _bed.World.Write("in.ndjson", string.Concat(Enumerable.Range(0, 30).Select(i => Fact($"e{i}", 1, i) + "\n")));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "in.ndjson", "--quiet"));
        await _bed.UntilAsync("stored", "receipt", "0-29");
        using (var store = SqliteDatabase.Open(Path.Combine(StreamPlan.DirectoryOf(_bed.World.State.Path, _bed.Plan.Name), "documents.db"), new SqliteSchema("")))
        {
            store.Execute("DELETE FROM \"gpu-metadata\" WHERE id IN ('e3', 'e20')");
            store.Execute("UPDATE \"gpu-metadata\" SET document = replace(document, 'Tesla T4', 'Tesla T5') WHERE id = 'e5'");
        }

        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("replay", "--dry-run", "--json"));
        var dry = JsonDocument.Parse(_bed.Output).RootElement;
        Assert.Equal((27, 1, 2), (dry.GetProperty("same").GetInt32(), dry.GetProperty("different").GetInt32(), dry.GetProperty("missing").GetInt32()));
        Assert.Equal(1, dry.GetProperty("fields").GetProperty("$.gpu_hardware.device_name").GetInt32());

        Assert.Equal(ExitCode.Done, _bed.Run("replay", "--from", "10"));
        Assert.Contains("1 were not in the store and are now", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("replay", "--from", "2026-01-01T00:00:00Z", "--json"));
        Assert.Equal((1, 29), (Sum("stored"), Sum("duplicates")));

        // The stream's own worker was not fenced off.
        Assert.Equal(ExitCode.Done, _bed.Run("check"));
        Assert.Equal(ExitCode.Done, _bed.Run("verify"));

        int Sum(string name) => JsonDocument.Parse(_bed.Output).RootElement.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Dead_letters_are_grouped_shown_dropped_and_tried_again()
    {
        await _bed.StartAsync();
        Assert.Equal(ExitCode.Done, _bed.Run("dead", "list"));
        _bed.World.Write("one.json", Fact("a", 1, 0));
        Assert.Equal(ExitCode.Done, _bed.Run("send", "one.json"));
        await _bed.UntilAsync("stored", "receipt", "0-0");
        using (var letters = DeadLetterStore.Open(StreamPlan.DirectoryOf(_bed.World.State.Path, _bed.Plan.Name)))
            letters.Add([new(0, 7, "/box", "x", "frame", "", "unreadable", [1, 2, 3], 5), new(0, 8, "/box", "y", "not_json", "$.data", "no JSON", [4], 6)], 9);

        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("dead", "list", "--json"));
        var causes = JsonDocument.Parse(_bed.Output).RootElement.GetProperty("causes");
        Assert.Equal(["frame", "not_json"], causes.EnumerateArray().Select(cause => cause.GetProperty("cause").GetString()));
        Assert.Equal(ExitCode.Done, _bed.Run("dead", "show", "0-8"));
        Assert.Contains("not_json at $.data: no JSON", _bed.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, _bed.Run("dead", "drop", "gpu-metadata", "0-8"));
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("dead", "drop", "0-9"));
        Assert.Equal(ExitCode.Usage, _bed.Run("dead", "retry"));
        Assert.Equal(ExitCode.Done, _bed.Run("dead", "retry", "--cause", "frame"));
        // It is poison still, and waits again with one more attempt.
        await _bed.UntilAsync("tried 2 times", "dead", "show", "0-7");
    }

    [Fact]
    public void Names_are_completed_and_a_stream_that_is_not_there_is_said()
    {
        Assert.Equal(ExitCode.Usage, _bed.Run("verify", "gpu-metadat"));
        Assert.Contains("did you mean `gpu-metadata`?", _bed.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.NotAsItShouldBe, _bed.Run("verify"));
        Assert.Contains("has no log yet", _bed.Error, StringComparison.Ordinal);
        _bed.World.Output.GetStringBuilder().Clear();
        Assert.Equal(ExitCode.Done, _bed.World.Run("complete", "--", "stream", "verify", "gpu"));
        Assert.StartsWith("gpu-metadata\t", _bed.Output, StringComparison.Ordinal);
    }

    private static string Fact(string id, double x, double y) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"metadata_id\": \"{id}\", \"source_uri\": \"gs://ca4\", \"embedding\": [{x}, {y}], \"gpu_hardware\": {{\"device_name\": \"Tesla T4\"}}}}");

    private static void Flip(string path, long at)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = at;
        var value = file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ 1));
    }
}
