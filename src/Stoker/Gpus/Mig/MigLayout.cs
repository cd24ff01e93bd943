using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <param name="Memory">Null: the smallest partition.</param>
internal sealed record MigAsk(string Owner, long? Memory);

/// <param name="IsThere">An instance that is there already is used.</param>
internal sealed record MigPlacement(string Owner, MigProfile Profile, int Start, bool IsThere);

/// <summary>
/// Partitions on one card: the smallest profile with enough memory for each, at placements that do not overlap, where it can be in the instances that are there already, and with as few owners
/// as can be taken from the places they hold. Pure.
/// </summary>
internal static class MigLayout
{
    private static readonly Dictionary<(uint, int), string> Nobody = [];

    /// <param name="held">Places that were given to an owner before, so that nobody moves without need.</param>
    /// <returns>In the order of the asks; null when they cannot stand on the card together.</returns>
    public static IReadOnlyList<MigPlacement>? Place(
        MigTables table, IReadOnlyList<MigAsk> asks, IReadOnlyList<MigInstance> there, IReadOnlyDictionary<(uint Profile, int Start), string>? held = null) =>
        new MigSearch(table, asks, there, held ?? Nobody).Find();

    /// <summary>Why not, as the end of a sentence, where there is no layout.</summary>
    public static string Why(MigTables table, IReadOnlyList<MigAsk> asks)
    {
        var largest = table.Profiles.Max(p => p.Memory);
        if (asks.FirstOrDefault(a => a.Memory > largest) is { } tooLarge)
        {
            return $"{tooLarge.Owner} needs {new Estates.ByteSize(tooLarge.Memory!.Value)}, and the largest partition has {new Estates.ByteSize(largest)}";
        }

        var sizes = asks.Select(a => (a.Owner, Profile: Profiles(table, a).First())).ToList();
        var needed = sizes.Sum(s => s.Profile.Size);
        return needed > table.Slices
            ? $"{string.Join(", ", sizes.Select(s => $"{s.Owner} {s.Profile.Name}"))} take {needed} of {table.Slices} slices of memory"
            : $"{string.Join(", ", sizes.Select(s => $"{s.Owner} {s.Profile.Name}"))} have no placements beside each other";
    }

    /// <summary>Those with enough memory: of as little of it as will do, and of these the one whose compute is nearest to its share of the memory, so that others get theirs.</summary>
    public static IEnumerable<MigProfile> Profiles(MigTables table, MigAsk ask)
    {
        var share = table.Profiles.Max(p => p.Slices) / (double)table.Slices;
        return table.Profiles.Where(p => p.Memory >= (ask.Memory ?? 0)).OrderBy(p => p.Size).ThenBy(p => Math.Abs(p.Slices - (p.Size * share))).ThenBy(p => p.Slices);
    }
}
