using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

/// <summary>What every store answers to people.</summary>
public abstract class StoreQueryConformance
{
    private protected abstract Task<StoreBed> MakeBedAsync();

    [Fact]
    public async Task Documents_are_found_by_key_id_source_type_host_GPU_and_time()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        await worker.AppliedAsync(0,
            Documents.Of("a", 0, host: "box-1", gpu: "GPU-1"), Documents.Of("b", 10, host: "box-1", gpu: "GPU-2", type: "t2"),
            Documents.Of("c", 20, host: "box-2", gpu: "GPU-3"), Documents.Of("d", 30, host: "", gpu: "", source: "elsewhere"));

        Assert.Equal(["d", "c", "b", "a"], await worker.IdsAsync(new DocumentQuery()));
        Assert.Equal(["c"], await worker.IdsAsync(new DocumentQuery { Key = Documents.KeyOf("s3://frames/1.png", "c") }));
        Assert.Equal(["b"], await worker.IdsAsync(new DocumentQuery { Id = "b" }));
        Assert.Equal(["d"], await worker.IdsAsync(new DocumentQuery { Source = "elsewhere" }));
        Assert.Equal(["b"], await worker.IdsAsync(new DocumentQuery { Type = "t2" }));
        Assert.Equal(["a", "b"], await worker.IdsAsync(new DocumentQuery { Host = "box-1", Order = QueryOrder.OldestFirst }));
        Assert.Equal(["b"], await worker.IdsAsync(new DocumentQuery { Host = "box-1", Gpu = "GPU-2" }));
        Assert.Equal(["c", "b"], await worker.IdsAsync(new DocumentQuery { From = Documents.Start.AddSeconds(10), Until = Documents.Start.AddSeconds(30) }));
        Assert.Equal(["a", "b"], await worker.IdsAsync(new DocumentQuery { Order = QueryOrder.OldestFirst, Limit = 2 }));
        Assert.Empty(await worker.IdsAsync(new DocumentQuery { Host = "box-1' OR '1'='1" }));
        Assert.Empty(await worker.IdsAsync(new DocumentQuery { Limit = 0 }));
    }

    [Fact]
    public async Task More_than_a_page_comes_whole_and_in_order()
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        // Two of each moment.
        await worker.AppliedAsync(0, [.. Enumerable.Range(0, 1300).Select(n => Documents.Of($"p{n:d4}", n, time: Documents.Start.AddSeconds(n / 2)))]);
        var newest = await worker.FindAsync(new DocumentQuery { Limit = 1201 });
        Assert.Equal(1201, newest.Select(found => found.Id).Distinct().Count());
        Assert.Equal(newest.Select(found => found.Time).OrderDescending(), newest.Select(found => found.Time));
        var oldest = await worker.FindAsync();
        Assert.Equal(1300, oldest.Count);
        Assert.Equal(oldest.Select(found => found.Time).Order(), oldest.Select(found => found.Time));
    }

    [Theory]
    [InlineData(VectorDistance.Cosine)]
    [InlineData(VectorDistance.L2)]
    internal async Task The_nearest_vectors_are_those_that_counting_by_hand_finds(VectorDistance distance)
    {
        await using var bed = await MakeBedAsync();
        await using var worker = await Worker.StartAsync(bed);
        var random = new Random(9);
        var vectors = Enumerable.Range(0, 300).Select(_ => Enumerable.Range(0, 37).Select(_ => (random.NextSingle() * 2) - 1).ToArray()).ToList();
        await worker.AppliedAsync(0,
        [
            .. vectors.Select((vector, n) => Documents.Of($"v{n}", n, vector: vector, host: n % 2 == 0 ? "even" : "odd")),
            Documents.Of("none", 300), Documents.Of("other", 301, vector: [1, 2, 3]), Documents.Of("zero", 302, vector: new float[37], host: "zero"),
        ]);
        var asked = vectors[17].Select(value => value + 0.05f).ToArray();
        var expected = vectors.Select((vector, n) => (Id: $"v{n}", Distance: ByHand(asked, vector))).Where((_, n) => n % 2 == 1).OrderBy(pair => pair.Distance).Take(5).ToList();

        var found = await worker.FindAsync(new DocumentQuery { Nearest = new NearestTo(asked, distance), Host = "odd", Limit = 5 });
        Assert.Equal("v17", found[0].Id);
        Assert.Equal(expected.Select(pair => pair.Id), found.Select(document => document.Id));
        Assert.All(found.Zip(expected), pair => Assert.Equal(pair.Second.Distance, pair.First.Distance!.Value, 4));
        Assert.Equal(distance == VectorDistance.L2 ? 301 : 300, (await worker.FindAsync(new DocumentQuery { Nearest = new NearestTo(asked, distance), Limit = 1000 })).Count);

        double ByHand(float[] a, float[] b) => distance == VectorDistance.L2
            ? Math.Sqrt(a.Zip(b, (x, y) => Math.Pow((double)x - y, 2)).Sum())
            : 1 - (a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x)));
    }
}
