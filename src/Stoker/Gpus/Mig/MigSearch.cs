using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <summary>
/// Tries places for asks, the largest first, depth first: of the layouts that stand, one that takes the least memory, and of these one that moves the fewest owners from the places they hold.
/// A branch is left as soon as it cannot become better than what was found.
/// </summary>
internal sealed class MigSearch
{
    private readonly MigTables _table;
    private readonly MigAsk[] _asks;
    private readonly int[] _order;
    private readonly Place[][] _places;
    private readonly (int Memory, int Compute)[] _rest;
    private readonly int _compute;
    private readonly Place[] _placed;
    private Place[]? _best;
    private (int Memory, int Moves) _cost = (int.MaxValue, int.MaxValue);

    public MigSearch(MigTables table, IReadOnlyList<MigAsk> asks, IReadOnlyList<MigInstance> there, IReadOnlyDictionary<(uint Profile, int Start), string> held)
    {
        (_table, _compute) = (table, table.Profiles.Max(p => p.Slices));
        _order = [.. Enumerable.Range(0, asks.Count).OrderByDescending(i => asks[i].Memory ?? 0).ThenBy(i => asks[i].Owner, StringComparer.Ordinal)];
        _asks = [.. _order.Select(i => asks[i])];
        _places = [.. _asks.Select(a => PlacesOf(a, there, held))];
        _placed = new Place[_asks.Length];
        _rest = new (int, int)[_asks.Length + 1];
        for (var at = _asks.Length - 1; at >= 0 && _places[at].Length > 0; at--)
            _rest[at] = (_rest[at + 1].Memory + _places[at].Min(p => p.Profile.Size), _rest[at + 1].Compute + _places[at].Min(p => p.Profile.Slices));
    }

    /// <returns>In the order of the asks; null when they cannot stand on the card together.</returns>
    public IReadOnlyList<MigPlacement>? Find()
    {
        if (Array.Exists(_places, p => p.Length == 0)) return null;
        Go(0, 0, 0, 0);
        if (_best is not { } best) return null;
        var layout = new MigPlacement[best.Length];
        for (var at = 0; at < best.Length; at++) layout[_order[at]] = new MigPlacement(_asks[at].Owner, best[at].Profile, best[at].Start, best[at].IsThere);
        return layout;
    }

    private void Go(int at, int memory, int compute, int moves)
    {
        var (rest, needed) = _rest[at];
        if (memory + rest > _table.Slices || compute + needed > _compute || (memory + rest, moves).CompareTo(_cost) >= 0) return;
        if (at == _asks.Length)
        {
            (_best, _cost) = ([.. _placed], (memory, moves));
            return;
        }

        foreach (var place in _places[at])
        {
            if (!IsFree(at, place)) continue;
            _placed[at] = place;
            Go(at + 1, memory + place.Profile.Size, compute + place.Profile.Slices, moves + (place.IsMove ? 1 : 0));
        }
    }

    private bool IsFree(int at, Place place)
    {
        var same = 1;
        for (var i = 0; i < at; i++)
        {
            if (_placed[i].Overlaps(place.Start, place.Profile.Size)) return false;
            if (_placed[i].Profile.Id == place.Profile.Id) same++;
        }

        return same <= place.Profile.Most;
    }

    /// <summary>
    /// Its own first, then what is there and nobody's, then what is free, and from the end: the last slice of memory is reached by large partitions only, and
    /// small ones must not stand in their way.
    /// </summary>
    private Place[] PlacesOf(MigAsk ask, IReadOnlyList<MigInstance> there, IReadOnlyDictionary<(uint Profile, int Start), string> held)
    {
        var isHolder = held.Values.Contains(ask.Owner);
        return
        [
            .. MigLayout.Profiles(_table, ask).SelectMany(p => p.Starts.OrderDescending().Select(start => PlaceAt(p, start))).OrderBy(p => p.Profile.Size).ThenBy(p => p.Rank),
        ];

        Place PlaceAt(MigProfile profile, int start)
        {
            var owner = held.GetValueOrDefault((profile.Id, start));
            var isThere = there.Any(i => i.ProfileId == profile.Id && i.Start == start);
            var rank = owner == ask.Owner ? 0 : owner is null && isThere ? 1 : there.Any(i => i.Start < start + profile.Size && start < i.Start + i.Size) ? 3 : 2;
            return new Place(profile, start, isThere, isHolder && owner != ask.Owner, rank);
        }
    }

    private readonly record struct Place(MigProfile Profile, int Start, bool IsThere, bool IsMove, int Rank)
    {
        public bool Overlaps(int start, int size) => Start < start + size && start < Start + Profile.Size;
    }
}
