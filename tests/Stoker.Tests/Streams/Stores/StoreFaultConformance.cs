using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

/// <summary>What every store promises when something is wrong: with a document, with the store, or with whoever keeps the dead letters.</summary>
public abstract class StoreFaultConformance
{
    private protected abstract Task<StoreBed> MakeBedAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(36)]
    [InlineData(99)]
    public async Task One_bad_document_does_not_keep_the_others_out(int where)
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await bed.RefusePoisonAsync();
        StoredDocument[] batch = [.. Enumerable.Range(0, 100).Select(n => Documents.Of(n == where ? "poison" : $"d{n:d3}", n))];

        Assert.Equal(new ApplyOutcome.Applied(99, 0, 1), await worker.ApplyAsync(0, batch));
        var dead = Assert.Single(worker.DeadLetters);
        Assert.Equal(where, dead.Item);
        Assert.NotEmpty(dead.Reason);
        Assert.All(Enumerable.Range(0, 100), n => Assert.Equal(n == where ? ItemOutcome.Poison : ItemOutcome.Stored, worker.Batch.Outcome(n)));
        Assert.Equal(batch.Where((_, n) => n != where).Select(document => document.Key), (await worker.FindAsync()).Select(found => found.Key));
        Assert.Equal(100, (await worker.PositionAsync())?.Next);
    }

    [Fact]
    public async Task Bad_documents_first_in_the_middle_last_and_beside_duplicates_are_each_named()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0, Documents.Of("a", 0));
        await bed.RefusePoisonAsync();
        StoredDocument[] batch =
        [
            Documents.Of("poison1", 1), Documents.Of("a", 2), Documents.Of("b", 3), Documents.Of("poison2", 4), Documents.Of("b", 5), Documents.Of("c", 6),
            Documents.Of("poison3", 7), Documents.Of("poison4", 8),
        ];
        Assert.Equal(new ApplyOutcome.Applied(2, 2, 4), await worker.ApplyAsync(1, batch));
        Assert.Equal([0, 3, 6, 7], worker.DeadLetters.Select(dead => dead.Item).Order());
        Assert.Equal(["a", "b", "c"], await worker.IdsAsync());
        Assert.Equal(new ApplyOutcome.Applied(1, 0, 0), await worker.ApplyAsync(9, Documents.Of("fresh", 9)));
    }

    [Fact]
    public async Task A_bad_document_is_handed_over_before_the_position_passes_it()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await using var other = bed.Open();
        await bed.RefusePoisonAsync();
        StorePosition? seen = null;
        worker.OnPoison = async () => seen = await other.PositionAsync(Worker.Place, TestContext.Current.CancellationToken);
        await worker.AppliedAsync(0, Documents.Of("a", 0), Documents.Of("poison", 1));
        Assert.Equal(0, seen?.Next);
        Assert.Equal(2, (await other.PositionAsync(Worker.Place, TestContext.Current.CancellationToken))?.Next);
    }

    [Fact]
    public async Task While_dead_letters_cannot_be_kept_the_position_stays()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await bed.RefusePoisonAsync();
        worker.OnPoison = () => throw new InvalidOperationException("the dead letters' disk is full");
        StoredDocument[] batch = [Documents.Of("a", 0), Documents.Of("poison", 1)];
        await Assert.ThrowsAsync<InvalidOperationException>(() => worker.ApplyAsync(0, batch));
        Assert.Equal(0, (await worker.PositionAsync())?.Next);
        if (bed.IsTransactional) Assert.Empty(await worker.FindAsync());

        worker.OnPoison = null;
        var applied = await worker.AppliedAsync(0, batch);
        Assert.Equal(1, applied.Poison);
        Assert.Equal(["a"], await worker.IdsAsync());
        Assert.Equal(2, (await worker.PositionAsync())?.Next);
    }

    [Fact]
    public async Task An_outage_is_not_taken_for_a_bad_document_and_passes()
    {
        await using var bed = await MakeBedAsync();
        StoreClaim claim;
        await using (var first = await Worker.StartAsync(bed))
        {
            await first.AppliedAsync(0, Documents.Of("a", 0));
            claim = first.Claim;
        }

        await using var worker = await Worker.StartAsync(bed);
        await worker.Store.DisposeAsync();
        await bed.StopAsync();
        await using var store = bed.Open();
        var batch = new DocumentBatch((_, _) => throw new InvalidOperationException("nothing here is a dead letter"));
        batch.Begin(1);
        batch.Add(Documents.Of("b", 1));
        batch.End(new StorePosition(2, 2));
        var outage = Assert.IsType<ApplyOutcome.Outage>(await store.ApplyAsync(worker.Claim, batch, TestContext.Current.CancellationToken));
        Assert.NotEmpty(outage.Reason);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PositionAsync(Worker.Place, TestContext.Current.CancellationToken));

        await bed.StartAsync();
        Assert.Equal(new ApplyOutcome.Applied(1, 0, 0), await store.ApplyAsync(worker.Claim, batch, TestContext.Current.CancellationToken));
        Assert.Equal(2, (await store.PositionAsync(Worker.Place, TestContext.Current.CancellationToken))?.Next);
    }

    [Fact]
    public async Task Text_that_databases_do_not_like_is_kept_as_it_is()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        string[] texts =
        [
            """{"a":"\u0000","b":"x\u0000y"}""", """{"a\u0000b":1}""", """{"half":"\ud800","other":"\udc00 \ud83d\ude00"}""", """{"not":"\\u0000","is":"\\\u0000"}""",
            """{"text":"日本語 🜁 ‮ \" \\ \/ \b\f\n\r\t"}""", """{"":{"":[]},"$set":{"a.b":null},"_id":7}""",
            """{"n":[0,-0,1e3,1.50,0.1,123456789012345678901234567890,1e300,-1.7976931348623157e308,2.5e-320,9223372036854775807,18446744073709551615,9007199254740993]}""",
        ];
        await worker.AppliedAsync(0, [.. texts.Select((json, n) => Documents.Of($"t{n}", n, json))]);
        Assert.Equal(texts.Select(Canonical), (await worker.FindAsync()).Select(found => Canonical(System.Text.Encoding.UTF8.GetString(found.Json.Span))));
        Assert.Empty(worker.DeadLetters);

        await worker.AppliedAsync(texts.Length, Documents.Of("nul\0id", 50, "{}", host: "a\0b", gpu: "\0", source: "日本\0"));
        var found = Assert.Single(await worker.FindAsync(new DocumentQuery { Host = "a\uFFFDb" }));
        Assert.Equal(("nul\uFFFDid", "\uFFFD", "日本\uFFFD"), (found.Id, found.Gpu, found.Source));

        static string Canonical(string json) => System.Text.Encoding.UTF8.GetString(CanonicalJson.Of(System.Text.Encoding.UTF8.GetBytes(json)));
    }

    [Fact]
    public async Task Large_documents_long_ids_and_many_at_once_are_kept()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        var vector = Enumerable.Range(0, 4096).Select(n => n / 7f).ToArray();
        var random = new Random(5);
        var letters = new string([.. Enumerable.Range(0, 6_000_000).Select(_ => (char)('a' + random.Next(26)))]);
        var nested = $"{string.Concat(Enumerable.Repeat("{\"a\":[", 40))}1{string.Concat(Enumerable.Repeat("]}", 40))}";
        // No letters twice: what can be compressed would not be long.
        var longId = letters[..9000];
        await worker.AppliedAsync(0, Documents.Of("large", 0, $$"""{"text":"{{letters}}"}""", vector), Documents.Of(longId, 1, nested, source: letters[9000..20000]));
        await worker.AppliedAsync(2, [.. Enumerable.Range(2, 2500).Select(n => Documents.Of($"m{n}", n, vector: vector[..64]))]);
        var found = await worker.FindAsync();
        Assert.Equal(2502, found.Count);
        Assert.Equal(CanonicalJson.Of(System.Text.Encoding.UTF8.GetBytes($$"""{"text":"{{letters}}"}""")), CanonicalJson.Of(found[0].Json.Span));
        Assert.Equal(Documents.Bytes(vector), found[0].Embedding.ToArray());
        Assert.Equal(longId, Assert.Single(await worker.FindAsync(new DocumentQuery { Id = longId })).Id);
    }

    /// <summary>Workers that come, take over, write, repeat themselves and go, beside a model that knows what has to be there.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_workers_do_every_event_is_there_once(int seed)
    {
        await using var bed = await MakeBedAsync();
        var random = new Random(seed);
        // Of 400 events some are the same ones again.
        StoredDocument[] log = [.. Enumerable.Range(0, 400).Select(n => Documents.Of($"e{(random.Next(5) == 0 && n > 0 ? random.Next(n) : n)}", n))];
        var workers = new List<Worker> { await Worker.StartAsync(bed) };
        var position = 0;
        while (position < log.Length)
        {
            var worker = workers[random.Next(workers.Count)];
            if (random.Next(6) == 0)
            {
                // A few that are of the past are enough.
                if (workers.Count > 4)
                {
                    await workers[0].DisposeAsync();
                    workers.RemoveAt(0);
                }

                workers.Add(await Worker.StartAsync(bed));
                Assert.Equal(position, workers[^1].Claim.Position.Next);
                continue;
            }

            var from = random.Next(4) == 0 ? random.Next(log.Length) : position;
            var documents = log[from..Math.Min(log.Length, from + 1 + random.Next(40))];
            var isReplay = random.Next(8) == 0;
            // A replay of what has not come yet would only hide what this is for.
            if (isReplay) documents = log[..Math.Min(position, 30)];
            switch (await worker.ApplyAsync(isReplay ? null : from, documents))
            {
                case ApplyOutcome.Applied:
                    Assert.Same(workers[^1], worker);
                    if (isReplay) break;
                    Assert.Equal(position, from);
                    position += documents.Length;
                    break;
                case ApplyOutcome.Elsewhere elsewhere:
                    Assert.Equal(position, elsewhere.Position.Next);
                    Assert.NotEqual(position, from);
                    break;
                case ApplyOutcome.Fenced fenced:
                    Assert.Equal(workers[^1].Claim.Epoch, fenced.Epoch);
                    Assert.NotSame(workers[^1], worker);
                    break;
                case var other:
                    Assert.Fail($"{other}");
                    break;
            }
        }

        var expected = log.GroupBy(document => document.Key).Select(same => (same.Key, same.Min(document => document.Sequence))).OrderBy(pair => pair.Item2);
        Assert.Equal(expected, (await workers[0].FindAsync()).Select(found => (found.Key, found.Sequence)).OrderBy(pair => pair.Sequence));
        foreach (var worker in workers) await worker.DisposeAsync();
    }
}
