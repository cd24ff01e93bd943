// Documents a second into a store, in batches: Stoker.Bench ADDRESS [BATCHES]. One line for each size of document, tab-separated.
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Stores;

if (StoreAddress.Parse(args[0], out var address) is { } problem)
{
    Console.Error.WriteLine(problem);
    return 2;
}

var batches = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100;
foreach (var (name, vector) in ((string, int)[])[("608 B facts", 0), ("608 B facts + 768 floats", 768)]) await MeasureAsync(name, vector);
return 0;

async Task MeasureAsync(string name, int dimension)
{
    var spec = new StoreSpec(address!, $"bench-{dimension}-{Guid.NewGuid():N}"[..40]);
    await using var store = StoresModule.Open(spec, TimeProvider.System);
    var claim = await store.TakeAsync(new LogPlace("bench", 0), default, default);
    var batch = new DocumentBatch((_, _) => throw new InvalidOperationException("nothing is refused"));
    var embedding = new byte[dimension * sizeof(float)];
    new Random(1).NextBytes(embedding);
    var commits = new List<double>();
    var writing = TimeSpan.Zero;
    for (long at = 0, n = 0; n <= batches; n++)
    {
        batch.Begin(at);
        for (var i = 0; i < store.BatchSize; i++) batch.Add(Make(at + i, embedding));
        at += store.BatchSize;
        batch.End(new StorePosition(at, (ulong)at));
        var began = Stopwatch.GetTimestamp();
        if (await store.ApplyAsync(claim, batch, default) is not ApplyOutcome.Applied applied || applied.Stored != store.BatchSize) throw new InvalidOperationException("not all were stored");
        // The first warms up.
        if (n == 0) continue;
        writing += Stopwatch.GetElapsedTime(began);
        commits.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    commits.Sort();
    var rate = batches * store.BatchSize / writing.TotalSeconds;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{args[0].Split(':')[0]}\t{name}\t{rate:f0}\t{commits[commits.Count / 2]:f1}\t{commits[commits.Count * 99 / 100]:f1}"));
}

static StoredDocument Make(long n, byte[] embedding)
{
    // Ids in no order, as people's are; twenty hosts with eight GPUs.
    Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
    SHA256.HashData(BitConverter.GetBytes(n), hash);
    var id = new Guid(hash[..16]).ToString();
    var (host, gpu) = ($"box-{n % 20:d2}", $"GPU-{n % 160:d3}-6f2d4a1e");
    var json = $$$"""
        {"_id":"{{{id}}}","metadata_id":"{{{id}}}","source":"s3://frames/2026/11/{{{n:d9}}}.png","type":"gpu.facts.v1","time":"2026-11-21T12:00:00.{{{n % 1000000:d6}}}Z","gpu_hardware":{"name":"NVIDIA H100 80GB HBM3","uuid":"{{{gpu}}}","memory_total":85899345920,"memory_allocated":{{{n * 1048576}}},"compute_capability":"9.0","cuda":"12.4","torch":"2.5.1","driver":"550.54.15"},"extra":{"camera":"north-{{{n % 7}}}","frame":{{{n}}},"exposure":0.0{{{n % 97}}}},"enrichment":{"host":"{{{host}}}","gpu":"{{{gpu}}}"},"lineage":{"log":"0123456789abcdef0123456789abcdef","partition":0,"offset":{{{n}}},"producer":"edge-7"}}
        """;
    Span<byte> key = stackalloc byte[EventIdentity.Length];
    var source = Encoding.UTF8.GetBytes($"s3://frames/2026/11/{n:d9}.png");
    EventIdentity.OfEvent(source, Encoding.UTF8.GetBytes(id), key);
    return new StoredDocument(
        Guid.Parse(key), Encoding.UTF8.GetBytes(id), source, "gpu.facts.v1"u8.ToArray(),
        Encoding.UTF8.GetBytes(host), Encoding.UTF8.GetBytes(gpu), 1795262400000000 + n, 1795262400000500 + n, n, Encoding.UTF8.GetBytes(json), embedding);
}
