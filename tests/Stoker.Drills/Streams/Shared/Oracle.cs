using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Stoker.Drills.Streams.Shared;

/// <summary>
/// What was sent, kept outside of the program: it issues events, is told which were acknowledged and which refused, and at the end compares with the store. What was
/// neither acknowledged nor refused may be there or not.
/// </summary>
internal sealed class Oracle(int sources = 8)
{
    private readonly ConcurrentDictionary<(string Source, string Id), Guid> _issued = new();
    private readonly ConcurrentDictionary<(string Source, string Id), bool> _acknowledged = new();
    private readonly ConcurrentDictionary<(string Source, string Id), bool> _refused = new();
    private int _last;

    public int Issued => _issued.Count;

    public int Acknowledged => _acknowledged.Count;

    public IEnumerable<(string Source, string Id)> AcknowledgedKeys => _acknowledged.Keys;

    /// <param name="kind">The beginning of the event's id.</param>
    /// <param name="noise">Letters of filling.</param>
    public DrillEvent Issue(string kind = "e", int noise = 300)
    {
        var number = Interlocked.Increment(ref _last);
        var source = $"drill://box-{number % sources}/frames";
        float[] embedding = [number, -0.5f, number / 8f, 1];
        var filling = RandomNumberGenerator.GetHexString(noise, lowercase: true);
        var made = new DrillEvent(source, $"{kind}-{number}", string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"metadata_id":"{{{kind}}}-{{{number}}}","source_uri":"{{{source}}}","embedding":[{{{string.Join(',', embedding)}}}],"gpu_hardware":{"device_name":"Tesla T4","total_memory":{{{number * 1024L}}}},"extra":{"number":{{{number}}},"noise":"{{{filling}}}"}}"""));
        Assert.True(_issued.TryAdd((source, made.Id), Digest(number * 1024L, number, filling, MemoryMarshal.AsBytes(embedding.AsSpan()))));
        return made;
    }

    public void Acknowledge(DrillEvent made) => _acknowledged[(made.Source, made.Id)] = true;

    /// <summary>Nobody may ever find it in the store.</summary>
    public void Refuse(DrillEvent made) => _refused[(made.Source, made.Id)] = true;

    /// <summary>Every acknowledged event once, nothing that was not issued, nothing that was refused, and all as it was sent.</summary>
    public void AssertHolds(IReadOnlyList<StoredEvent> stored, IReadOnlySet<string>? deadLetters = null)
    {
        var found = new HashSet<(string, string)>();
        var wrong = new List<string>();
        foreach (var document in stored)
        {
            var key = (document.Source, document.Id);
            if (!found.Add(key)) wrong.Add($"{key} is there twice");
            if (!_issued.TryGetValue(key, out var digest)) wrong.Add($"{key} was never sent");
            else if (digest != DigestOf(document)) wrong.Add($"{key} is not what was sent: {document.Json}");
            if (_refused.ContainsKey(key)) wrong.Add($"{key} was refused");
        }

        wrong.AddRange(_acknowledged.Keys.Where(key => !found.Contains(key) && deadLetters?.Contains(key.Id) != true).Select(key => $"{key} was acknowledged and is lost"));
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {_acknowledged.Count}: {string.Join('\n', wrong.Take(20))}");
    }

    private static Guid DigestOf(StoredEvent stored)
    {
        using var document = JsonDocument.Parse(stored.Json);
        var extra = document.RootElement.GetProperty("extra");
        return Digest(
            document.RootElement.GetProperty("gpu_hardware").GetProperty("total_memory").GetInt64(), extra.GetProperty("number").GetInt32(),
            extra.GetProperty("noise").GetString()!, stored.Embedding);
    }

    private static Guid Digest(long memory, int number, string noise, ReadOnlySpan<byte> embedding) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{memory}/{number}/{noise}/{Convert.ToHexString(embedding)}"))[..16]);
}

/// <summary>An event as a producer has it.</summary>
internal sealed record DrillEvent(string Source, string Id, string Json);

/// <summary>A document as the store has it.</summary>
internal sealed record StoredEvent(string Source, string Id, string Json, byte[] Embedding);
