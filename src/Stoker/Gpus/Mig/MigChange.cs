using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <summary>From the partitions that a card has to those that it is to have. Pure.</summary>
/// <param name="Mode">What MIG is switched to; null: it is as it must be. A switch ends whatever is on the card.</param>
/// <param name="Ends">Instances that stand in the way.</param>
/// <param name="Layout">Who gets which, in the order of the asks; empty: the card is to have no partitions.</param>
internal sealed record MigChange(bool? Mode, IReadOnlyList<MigInstance> Ends, IReadOnlyList<MigPlacement> Layout)
{
    /// <summary>The largest first, so that none takes another's place.</summary>
    public IReadOnlyList<MigPlacement> Makes => [.. Layout.Where(p => !p.IsThere).OrderByDescending(p => p.Profile.Size).ThenBy(p => p.Start)];

    public bool IsNothing => Mode is null && Ends.Count == 0 && Layout.All(p => p.IsThere);

    /// <summary>Its owner gets another place.</summary>
    public bool Moves(MigGiven had) => Layout.Any(p => p.Owner == had.Owner && (p.Profile.Id != had.ProfileId || p.Start != had.Start));

    /// <param name="now">Null: the card is not here to be asked.</param>
    /// <returns>Null when the asks cannot stand on the card together.</returns>
    public static MigChange? Of(MigTables table, IReadOnlyList<MigAsk> asks, MigState? now, IReadOnlyDictionary<(uint Profile, int Start), string>? held = null)
    {
        var there = now?.Instances ?? [];
        if (MigLayout.Place(table, asks, there, held) is not { } layout) return null;
        List<MigInstance> ends = [.. there.Where(i => layout.Any(p => IsInTheWay(i, p)))];
        return new MigChange(now is { IsOn: true } ? null : true, ends, layout);
    }

    /// <summary>A card that is to be used in another way than in partitions.</summary>
    public static MigChange Off(MigState now) => new(now.IsOn ? false : null, now.Instances, []);

    /// <summary>Those of the card itself, if it tells any.</summary>
    public static MigTables? TableOf(MigState? now, string model, long? memory) =>
        now is { Profiles.Count: > 0 } ? new MigTables(now.Profiles.Max(p => p.Size), now.Profiles) : MigTables.For(model, memory);

    /// <summary>One that is in nobody's way may stay, and so may one that is asked for as it is.</summary>
    private static bool IsInTheWay(MigInstance there, MigPlacement place) =>
        place.Start < there.Start + there.Size && there.Start < place.Start + place.Profile.Size
        && !(place.IsThere && place.Profile.Id == there.ProfileId && place.Start == there.Start);
}
