using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <param name="Memory">Null: the smallest partition.</param>
internal sealed record MigAsk(string Owner, long? Memory);

/// <param name="IsThere">An instance that is there already is used.</param>
internal sealed record MigPlacement(string Owner, MigProfile Profile, int Start, bool IsThere);

/// <summary>
/// Partitions on one card: the smallest profile with enough memory for each, at placements that do not overlap, and where it can be the instances that are there already. Larger ones first, then
/// back and forth until all stand or nothing is left to try. Pure.
/// </summary>
internal static class MigLayout
{
    private static readonly Dictionary<(uint, int), string> Nobody = [];

    /// <param name="held">Places that were given to an owner before, so that nobody moves without need.</param>
    /// <returns>In the order of the asks; null when they cannot stand on the card together.</returns>
    public static IReadOnlyList<MigPlacement>? Place(MigTables table, IReadOnlyList<MigAsk> asks, IReadOnlyList<MigInstance> there, IReadOnlyDictionary<(uint Profile, int Start), string>? held = null)
    {
        var order = Enumerable.Range(0, asks.Count).OrderByDescending(i => asks[i].Memory ?? 0).ThenBy(i => asks[i].Owner, StringComparer.Ordinal).ToArray();
        var placed = new MigPlacement?[asks.Count];
        return Go(table, asks, there, held ?? Nobody, order, 0, placed) ? [.. placed.Select(p => p!)] : null;
    }

    /// <summary>Why not, as the end of a sentence, where there is no layout.</summary>
    public static string Why(MigTables table, IReadOnlyList<MigAsk> asks)
    {
        var largest = table.Profiles.Max(p => p.Memory);
        if (asks.FirstOrDefault(a => a.Memory > largest) is { } tooLarge) return $"{tooLarge.Owner} needs {new Estates.ByteSize(tooLarge.Memory!.Value)}, and the largest partition has {new Estates.ByteSize(largest)}";
        var sizes = asks.Select(a => (a.Owner, Profile: Profiles(table, a).First())).ToList();
        var needed = sizes.Sum(s => s.Profile.Size);
        return needed > table.Slices
            ? $"{string.Join(", ", sizes.Select(s => $"{s.Owner} {s.Profile.Name}"))} take {needed} of {table.Slices} slices of memory"
            : $"{string.Join(", ", sizes.Select(s => $"{s.Owner} {s.Profile.Name}"))} have no placements beside each other";
    }

    private static bool Go(MigTables table, IReadOnlyList<MigAsk> asks, IReadOnlyList<MigInstance> there, IReadOnlyDictionary<(uint Profile, int Start), string> held, int[] order, int at, MigPlacement?[] placed)
    {
        if (at == order.Length) return true;
        var ask = asks[order[at]];
        foreach (var (profile, start) in Places(table, ask, there, held))
        {
            if (!Fits(table, placed, profile, start)) continue;
            placed[order[at]] = new MigPlacement(ask.Owner, profile, start, there.Any(i => i.ProfileId == profile.Id && i.Start == start));
            if (Go(table, asks, there, held, order, at + 1, placed)) return true;
            placed[order[at]] = null;
        }

        return false;
    }

    /// <summary>Its own first, then what is there and nobody's, then from the end: the last slice of memory is reached by large partitions only, and small ones must not stand in their way.</summary>
    private static IEnumerable<(MigProfile Profile, int Start)> Places(MigTables table, MigAsk ask, IReadOnlyList<MigInstance> there, IReadOnlyDictionary<(uint Profile, int Start), string> held) =>
        Profiles(table, ask).SelectMany(p => p.Starts.OrderDescending().Select(s => (Profile: p, Start: s))).OrderBy(p => p.Profile.Size).ThenBy(p =>
            held.TryGetValue((p.Profile.Id, p.Start), out var owner) ? owner == ask.Owner ? 0 : 3 : there.Any(i => i.ProfileId == p.Profile.Id && i.Start == p.Start) ? 1 : 2);

    /// <summary>Those with enough memory: of as little of it as will do, and of these the one whose compute is nearest to its share of the memory, so that others get theirs.</summary>
    private static IEnumerable<MigProfile> Profiles(MigTables table, MigAsk ask)
    {
        var share = table.Profiles.Max(p => p.Slices) / (double)table.Slices;
        return table.Profiles.Where(p => p.Memory >= (ask.Memory ?? 0)).OrderBy(p => p.Size).ThenBy(p => Math.Abs(p.Slices - (p.Size * share))).ThenBy(p => p.Slices);
    }

    private static bool Fits(MigTables table, MigPlacement?[] placed, MigProfile profile, int start)
    {
        var (slices, same) = (profile.Slices, 1);
        foreach (var other in placed)
        {
            if (other is null) continue;
            if (other.Start < start + profile.Size && start < other.Start + other.Profile.Size) return false;
            slices += other.Profile.Slices;
            if (other.Profile.Id == profile.Id) same++;
        }

        return slices <= table.Profiles.Max(p => p.Slices) && same <= profile.Most;
    }
}
