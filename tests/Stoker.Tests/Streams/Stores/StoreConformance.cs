using System.Text;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

/// <summary>What every store promises of what is written: once, whole, in order. One short class for each store runs all of it.</summary>
public abstract class StoreConformance
{
    private protected abstract Task<StoreBed> MakeBedAsync();

    [Fact]
    public async Task A_document_is_found_as_it_was_written()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        var document = Documents.Of("one", 7, vector: [1.5f, -0f, float.MaxValue, float.Epsilon], time: Documents.Start.AddTicks(1234560));
        Assert.Equal(new ApplyOutcome.Applied(1, 0, 0), await worker.ApplyAsync(0, document));

        var found = Assert.Single(await worker.FindAsync());
        Assert.Equal(("one", "s3://frames/1.png", "gpu.facts.v1", "box-1", "GPU-1"), (found.Id, found.Source, found.Type, found.Host, found.Gpu));
        Assert.Equal((document.Key, 7, Documents.Start.AddTicks(1234560), Documents.Start.AddSeconds(8)), (found.Key, found.Sequence, found.Time, found.Received));
        Assert.Equal(document.Embedding.ToArray(), found.Embedding.ToArray());
        Assert.Equal(CanonicalJson.Of(document.Json.Span), CanonicalJson.Of(found.Json.Span));
    }

    [Fact]
    public async Task What_is_not_known_of_host_GPU_and_vector_stays_unknown()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("bare", host: "", gpu: ""));
        var found = Assert.Single(await worker.FindAsync());
        Assert.Equal((null, null, 0), (found.Host, found.Gpu, found.Dimension));
    }

    [Fact]
    public async Task A_crash_after_the_write_and_before_its_acknowledgement_writes_nothing_twice()
    {
        await using var bed = await MakeBedAsync();
        StoredDocument[] batch = [Documents.Of("a", 0), Documents.Of("b", 1)];
        await using (var first = await Worker.StartAsync(bed))
        {
            Assert.Equal(new StorePosition(0, 11), first.Claim.Position);
            await first.AppliedAsync(0, batch);
        }

        await using var second = await Worker.StartAsync(bed);
        Assert.Equal(new StorePosition(2, Worker.HashAt(2)), second.Claim.Position);
        Assert.Equal(new ApplyOutcome.Elsewhere(second.Claim.Position), await second.ApplyAsync(0, batch));
        Assert.Equal(["a", "b"], await second.IdsAsync());
        await second.AppliedAsync(2, Documents.Of("c", 2));
        Assert.Equal(["a", "b", "c"], await second.IdsAsync());
    }

    [Fact]
    public async Task Duplicates_within_a_batch_and_across_batches_are_told_and_the_first_stays()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        Assert.Equal(new ApplyOutcome.Applied(2, 1, 0), await worker.ApplyAsync(0, Documents.Of("a", 0), Documents.Of("b", 1), Documents.Of("a", 2, """{"later":true}""")));
        Assert.Equal([ItemOutcome.Stored, ItemOutcome.Stored, ItemOutcome.Duplicate], Enumerable.Range(0, 3).Select(worker.Batch.Outcome));
        Assert.Equal(new ApplyOutcome.Applied(1, 2, 0), await worker.ApplyAsync(3, Documents.Of("b", 3, """{"later":true}"""), Documents.Of("c", 4), Documents.Of("a", 5)));
        Assert.Equal([ItemOutcome.Duplicate, ItemOutcome.Stored, ItemOutcome.Duplicate], Enumerable.Range(0, 3).Select(worker.Batch.Outcome));
        Assert.Equal([("a", 0L), ("b", 1L), ("c", 4L)], (await worker.FindAsync()).Select(found => (found.Id, found.Sequence)));
        Assert.Equal(6, (await worker.PositionAsync())?.Next);
    }

    [Fact]
    public async Task Duplicates_among_many_are_told_one_by_one()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, [.. Enumerable.Range(0, 300).Where(n => n % 7 == 0).Select(n => Documents.Of($"d{n}", n))]);
        Assert.Equal(new ApplyOutcome.Applied(257, 43, 0), await worker.ApplyAsync(43, [.. Enumerable.Range(0, 300).Select(n => Documents.Of($"d{n}", 1000 + n))]));
        Assert.All(Enumerable.Range(0, 300), n => Assert.Equal(n % 7 == 0 ? ItemOutcome.Duplicate : ItemOutcome.Stored, worker.Batch.Outcome(n)));
    }

    [Fact]
    public async Task The_same_id_of_another_source_is_another_document()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("a", 0, source: "s1"), Documents.Of("a", 1, source: "s2"));
        Assert.Equal(["s1", "s2"], (await worker.FindAsync()).Select(found => found.Source));
    }

    [Fact]
    public async Task Of_states_the_latest_stays_whatever_order_they_are_replayed_in()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed, StoreMode.Latest);
        Assert.Equal(new ApplyOutcome.Applied(1, 1, 0), await worker.ApplyAsync(0, Documents.Of("gpu", 10), Documents.Of("gpu", 11, """{"load":11}""", host: "")));
        Assert.Equal(new ApplyOutcome.Applied(1, 0, 0), await worker.ApplyAsync(2, Documents.Of("gpu", 12, """{"load":12}""")));
        Assert.Equal(new ApplyOutcome.Applied(0, 1, 0), await worker.ApplyAsync(null, Documents.Of("gpu", 10)));
        Assert.Equal(new ApplyOutcome.Applied(0, 2, 0), await worker.ApplyAsync(null, Documents.Of("gpu", 12, """{"load":0}"""), Documents.Of("gpu", 11)));
        var found = Assert.Single(await worker.FindAsync());
        Assert.Equal((12, """{"load":12}"""), (found.Sequence, Encoding.UTF8.GetString(found.Json.Span).Replace(" ", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_store_that_replaces_writes_over_what_was_made_of_the_same_event_and_nothing_else()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("a", 0, vector: [1]), Documents.Of("b", 1));
        await using (var store = StoresModule.Open(bed.Spec() with { Replaces = true }, TimeProvider.System))
        {
            var stop = TestContext.Current.CancellationToken;
            var claim = await store.TakeAsync(new LogPlace("replay", 3), default, stop);
            var batch = new DocumentBatch((_, _) => Task.CompletedTask);
            batch.Begin(null);
            batch.Add(Documents.Of("a", 0, """{"map":2}""", [2, 3], host: "box-2", gpu: ""));
            batch.Add(Documents.Of("b", 7, """{"map":2}"""));
            batch.Add(Documents.Of("c", 2, """{"map":2}"""));
            batch.End(default);
            Assert.Equal(new ApplyOutcome.Applied(2, 1, 0), await store.ApplyAsync(claim, batch, stop));
            Assert.Equal([ItemOutcome.Stored, ItemOutcome.Duplicate, ItemOutcome.Stored], Enumerable.Range(0, 3).Select(batch.Outcome));
        }

        var found = await worker.FindAsync();
        Assert.Equal([("a", 0L), ("b", 1L), ("c", 2L)], found.Select(each => (each.Id, each.Sequence)));
        Assert.Equal(("box-2", null, """{"map":2}"""), (found[0].Host, found[0].Gpu, Encoding.UTF8.GetString(found[0].Json.Span).Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal(Documents.Bytes([2, 3]), found[0].Embedding.ToArray());
        Assert.DoesNotContain("map", Encoding.UTF8.GetString(found[1].Json.Span), StringComparison.Ordinal);
        Assert.Equal(2, (await worker.PositionAsync())?.Next);
        Assert.Equal(new ApplyOutcome.Applied(1, 1, 0), await worker.ApplyAsync(2, Documents.Of("c", 2), Documents.Of("d", 3)));
    }

    [Fact]
    public async Task A_worker_whose_place_was_taken_is_refused()
    {
        await using var bed = await MakeBedAsync();
        await using var old = await Worker.StartAsync(bed);
        await old.AppliedAsync(0, Documents.Of("a", 0));
        await using var current = await Worker.StartAsync(bed);
        Assert.True(current.Claim.Epoch > old.Claim.Epoch);

        Assert.Equal(new ApplyOutcome.Fenced(current.Claim.Epoch), await old.ApplyAsync(1, Documents.Of("late", 1)));
        Assert.Equal(new ApplyOutcome.Fenced(current.Claim.Epoch), await old.ApplyAsync(null, Documents.Of("late", 1)));
        Assert.Equal(["a"], await current.IdsAsync());
        await current.AppliedAsync(1, Documents.Of("b", 1));
        Assert.Equal(["a", "b"], await current.IdsAsync());
    }

    [Fact]
    public async Task A_position_does_not_go_back_nor_leave_anything_out()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("a", 0), Documents.Of("b", 1), Documents.Of("c", 2));
        var position = new StorePosition(3, Worker.HashAt(3));
        foreach (var wrong in (long[])[0, 2, 4, 1000]) Assert.Equal(new ApplyOutcome.Elsewhere(position), await worker.ApplyAsync(wrong, Documents.Of("x", wrong)));
        worker.Batch.Begin(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => worker.Batch.End(new StorePosition(2, 0)));
        Assert.Equal(position, await worker.PositionAsync());
        Assert.Equal(["a", "b", "c"], await worker.IdsAsync());
    }

    [Fact]
    public async Task A_batch_without_documents_moves_the_position()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        worker.Batch.Begin(0);
        worker.Batch.End(new StorePosition(40, 4));
        Assert.Equal(new ApplyOutcome.Applied(0, 0, 0), await worker.Store.ApplyAsync(worker.Claim, worker.Batch, TestContext.Current.CancellationToken));
        Assert.Equal(new StorePosition(40, 4), await worker.PositionAsync());
    }

    [Fact]
    public async Task Partitions_and_collections_keep_their_own_positions()
    {
        await using var bed = await MakeBedAsync();
        await using var one = await Worker.StartAsync(bed);
        await using var two = await Worker.StartAsync(bed, place: Worker.Place with { Partition = 4 });
        await using var three = await Worker.StartAsync(bed, collection: bed.AnotherCollection());
        await one.AppliedAsync(0, Documents.Of("a", 0));
        await two.AppliedAsync(0, Documents.Of("a", 0, source: "other"), Documents.Of("b", 1));
        Assert.Equal((1, 2, 0), ((await one.PositionAsync())?.Next, (await two.PositionAsync())?.Next, (await three.PositionAsync())?.Next));
        Assert.Null(await one.Store.PositionAsync(new LogPlace("unknown", 0), TestContext.Current.CancellationToken));
        Assert.Equal(3, (await one.FindAsync()).Count);
        Assert.Empty(await three.FindAsync());
    }

    [Fact]
    public async Task A_collection_of_facts_is_not_taken_for_one_of_states()
    {
        await using var bed = await MakeBedAsync();
        await using (await Worker.StartAsync(bed))
        {
        }

        var refusal = await Assert.ThrowsAsync<StoreUnavailableException>(() => Worker.StartAsync(bed, StoreMode.Latest));
        Assert.Contains("`gpu-metadata`", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Facts", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_over_what_is_there_and_a_fresh_build_come_to_the_same()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        StoredDocument[] all = [.. Enumerable.Range(0, 200).Select(n => Documents.Of($"e{n % 150}", n, vector: n % 3 == 0 ? [n, 1f] : []))];
        await worker.AppliedAsync(0, all[..120]);
        await worker.AppliedAsync(null, all);
        Assert.Equal(120, (await worker.PositionAsync())?.Next);
        var replayed = await worker.DigestAsync();

        await using var fresh = await Worker.StartAsync(bed, collection: bed.AnotherCollection());
        foreach (var part in all.Chunk(33).Select((documents, index) => (documents, index))) await fresh.AppliedAsync(part.index * 33, part.documents);
        Assert.Equal(150, replayed.Documents);
        Assert.Equal(replayed, await fresh.DigestAsync());
        await fresh.AppliedAsync(null, Documents.Of("one-more"));
        Assert.NotEqual(replayed, await fresh.DigestAsync());
    }
}
