using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoker.Estates;
using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform.Gpus;

namespace Stoker.Gpus;

/// <summary>How the GPUs of a plan are divided, and what it takes to make it so: what <c>stoker gpu plan --json</c> prints.</summary>
internal sealed record GpuLayoutDocument(string Estate, string? Host, bool Refused, IReadOnlyList<GpuLayout> Gpus, IReadOnlyList<GpuRefusal> Refusals);

/// <param name="Hint">A way out; null where there is none to name.</param>
internal sealed record GpuRefusal(string Code, string Message, string? Hint);

/// <param name="Profile">Of MIG, as in <c>3g.20gb</c>.</param>
/// <param name="Start">The first slice of memory of a partition.</param>
/// <param name="IsThere">The partition is there already.</param>
/// <param name="ThreadPercent">Of MPS: the share of the card's threads that goes with its share of memory.</param>
internal sealed record GpuLayoutEntry(string Owner, long? Memory)
{
    public string? Profile { get; init; }

    public int? Start { get; init; }

    public bool? IsThere { get; init; }

    public int? ThreadPercent { get; init; }
}

/// <summary>One card. Pure, but for what is told of its present partitions.</summary>
/// <param name="Share"><c>whole</c>, <c>mps</c>, <c>mig</c>, <c>time</c>; null: free.</param>
/// <param name="Left">Of its memory, given to nobody.</param>
/// <param name="Steps">To make it so, in order; empty when it is so.</param>
/// <param name="Stops">Services that must stop for it.</param>
/// <param name="Seconds">How long they are away at most: their time to stop, and the card's to change.</param>
/// <param name="Problem">Why it cannot be divided so, in words.</param>
internal sealed record GpuLayout(
    string? Host, int Index, string Model, bool Present, string? Share, long? Memory, long? Left, IReadOnlyList<GpuLayoutEntry> Entries,
    IReadOnlyList<string> Steps, IReadOnlyList<string> Stops, double Seconds, string? Problem)
{
    /// <summary>A change of mode resets the card; instances are made and ended in a moment.</summary>
    private const double ResetSeconds = 15, InstanceSeconds = 1;

    /// <param name="mig">What the card says of itself; null: it has no MIG, or is not here to be asked.</param>
    /// <param name="running">Services that run on the card now.</param>
    /// <param name="users">Of them, those that are in an instance; null: nobody can say, and it may be each of them.</param>
    /// <param name="record">Who was given which instance; null: nobody.</param>
    public static GpuLayout Of(GpuPlan gpu, EstateSpec estate, MigState? mig, IReadOnlyList<string> running, Func<MigInstance, IReadOnlyList<string>>? users = null, MigRecord? record = null)
    {
        var entries = gpu.Holders.Select(h => new GpuLayoutEntry(h.Owner, h.Memory?.Bytes)).ToList();
        var left = gpu.Memory is { } memory && gpu.Share is "mps" or "time" ? gpu.Memory!.Value.Bytes - gpu.Holders.Sum(h => h.Memory?.Bytes ?? 0) : (long?)null;
        var layout = new GpuLayout(gpu.Host?.Value, gpu.Index, gpu.Model, gpu.IsPresent, gpu.Share, gpu.Memory?.Bytes, left, entries, [], [], 0, null);
        return gpu.Share switch
        {
            "mps" => layout with { Entries = Threads(entries, gpu.Memory?.Bytes) },
            "mig" => Partition(layout, estate, mig, running, users ?? (_ => running), record),
            _ when mig is { IsOn: true, Instances.Count: >= 0 } on && gpu.Share is not null => layout with
            {
                Steps = [.. on.Instances.Select(i => $"end partition {i.Id} ({ProfileName(on, i)})"), "turn MIG off, which resets the card"],
                Stops = running,
                Seconds = Away(estate, running) + ResetSeconds,
            },
            _ => layout,
        };
    }

    private static GpuLayout Partition(GpuLayout layout, EstateSpec estate, MigState? mig, IReadOnlyList<string> running, Func<MigInstance, IReadOnlyList<string>> users, MigRecord? record)
    {
        var table = MigChange.TableOf(mig, layout.Model, layout.Memory);
        List<MigAsk> asks = [.. layout.Entries.Select(e => new MigAsk(e.Owner, e.Memory))];
        if (table is null) return layout with { Problem = "the card cannot be partitioned; it can be shared by MPS" };
        if (MigChange.Of(table, asks, mig, record?.HeldBy(asks)) is not { } change) return layout with { Problem = MigLayout.Why(table, asks) };
        var steps = new List<string>();
        if (change.Mode is not null) steps.Add("turn MIG on, which resets the card where it is older than Hopper");
        steps.AddRange(change.Ends.Select(i => $"end partition {i.Id} ({ProfileName(mig!, i)}, slices {i.Start} to {i.Start + i.Size - 1})"));
        steps.AddRange(change.Makes.Select(p => $"make {p.Profile.Name} at slice {p.Start} for {p.Owner}"));
        // Only those in what is ended, seen there or not yet, and those who move; a change of mode is for all.
        var concerned = (record?.Given ?? []).Where(g => change.Moves(g) || change.Ends.Any(i => i.Id == g.Instance)).SelectMany(g => Covered(g.Owner, estate)).Where(running.Contains);
        IReadOnlyList<string> stops = change.Mode is not null ? running : [.. change.Ends.SelectMany(users).Concat(concerned).Distinct().Order(StringComparer.Ordinal)];
        return layout with
        {
            Entries = [.. layout.Entries.Zip(change.Layout, (e, p) => e with { Profile = p.Profile.Name, Start = p.Start, IsThere = p.IsThere })],
            Left = table.Profiles.Max(p => p.Memory) - change.Layout.Sum(p => p.Profile.Memory),
            Steps = steps,
            Stops = stops,
            Seconds = steps.Count == 0 ? 0 : (stops.Count > 0 ? Away(estate, stops) : 0) + (change.Mode is not null ? ResetSeconds : 0) + (InstanceSeconds * (change.Ends.Count + change.Makes.Count)),
        };
    }

    private static IEnumerable<string> Covered(string owner, EstateSpec estate)
    {
        const string group = "group ";
        return owner.StartsWith(group, StringComparison.Ordinal) ? estate.Services.Values.Where(s => s.Group?.Value.Value == owner[group.Length..]).Select(s => s.Name.Value) : [owner.Split('/')[0]];
    }

    private static List<GpuLayoutEntry> Threads(List<GpuLayoutEntry> entries, long? memory) => [.. entries.Select(e => e with { ThreadPercent = MpsDaemons.ThreadsOf(e.Memory, memory) })];

    private static double Away(EstateSpec estate, IReadOnlyList<string> services) =>
        services.Count == 0 ? 0 : services.Max(s => estate.Services.TryGetValue(new ServiceName(s), out var spec) ? spec.StopGracePeriod.TotalSeconds : 0);

    private static string ProfileName(MigState mig, MigInstance instance) => mig.Profiles.FirstOrDefault(p => p.Id == instance.ProfileId)?.Name ?? $"profile {instance.ProfileId}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(GpuLayoutDocument))]
internal sealed partial class GpuLayoutJson : JsonSerializerContext
{
    public static GpuLayoutJson Readable { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
