namespace Stoker.Planning;

/// <summary>
/// Looks for a way to give cards to all, or to more, of those who ask: depth first, those who were given cards in the first way first, and no further down where even the rest could not
/// make it better. Ends after so many steps, so that a plan is quick; with as few cards and asks as people check by hand it has then tried everything.
/// </summary>
internal sealed class GpuSearch
{
    /// <summary>Some tens of milliseconds at eight cards and sixty asks.</summary>
    private const int MostSteps = 5_000;

    /// <summary>Of ways to choose several cards for one ask.</summary>
    private const int MostChoices = 256;

    private readonly List<GpuSlot> _slots;
    private readonly List<GpuAsk> _asks;
    private readonly int[]?[] _places;
    private int _fewestRefused;
    private int _steps;
    private int[]?[]? _best;

    private GpuSearch(IReadOnlyList<GpuSlot> slots, IReadOnlyList<GpuAsk> asks, int refused)
    {
        _slots = [.. slots.Select(s => new GpuSlot(s.Card))];
        _asks = [.. asks];
        _places = new int[]?[asks.Count];
        _fewestRefused = refused;
    }

    /// <param name="refused">How many the way that is known refuses.</param>
    /// <returns>The slots of each ask that gets its cards; null when there is no way that refuses fewer, or none was found.</returns>
    public static IReadOnlyDictionary<GpuAsk, IReadOnlyList<int>>? Find(IReadOnlyList<GpuSlot> slots, IReadOnlyList<GpuAsk> asks, int refused)
    {
        var search = new GpuSearch(slots, asks, refused);
        search.Go(0, 0);
        if (search._best is not { } best) return null;
        var found = new Dictionary<GpuAsk, IReadOnlyList<int>>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < best.Length; i++)
        {
            if (best[i] is { } places) found[asks[i]] = places;
        }

        return found;
    }

    private void Go(int at, int refused)
    {
        if (refused >= _fewestRefused || _steps++ >= MostSteps) return;
        if (at == _asks.Count)
        {
            (_fewestRefused, _best) = (refused, [.. _places]);
            return;
        }

        var ask = _asks[at];
        foreach (var places in Choices(ask))
        {
            foreach (var place in places) _slots[place].Take(ask);
            _places[at] = places;
            Go(at + 1, refused);
            foreach (var place in places) _slots[place].Undo();
            if (_fewestRefused == 0 || _steps >= MostSteps) return;
        }

        _places[at] = null;
        Go(at + 1, refused + 1);
    }

    /// <summary>Where it can go, the fullest cards first; of cards that are alike in all that matters, one.</summary>
    private IEnumerable<int[]> Choices(GpuAsk ask)
    {
        if (ask.DeviceIds.Count > 0)
        {
            int[] named = [.. ask.DeviceIds.Select(id => _slots.FindIndex(s => s.Card.Answers(id))).Distinct()];
            return named.All(p => p >= 0 && _slots[p].Takes(ask)) ? [named] : [];
        }

        var wanted = ask.Count ?? _slots.Count;
        var seen = new HashSet<(string, long?, string?, long, int)>();
        var able = new List<int>();
        for (var i = 0; i < _slots.Count; i++)
        {
            var slot = _slots[i];
            if (!slot.Takes(ask)) continue;
            // Cards that others ask for by name are not alike.
            if (wanted == 1 && slot.Holders.Count == 0 && !IsNamed(slot) && !seen.Add((slot.Card.Model, slot.Card.Memory?.Bytes, slot.Share, slot.Used, 0))) continue;
            able.Add(i);
        }

        able.Sort((a, b) => Left(_slots[a]).CompareTo(Left(_slots[b])) is not 0 and var order ? order : a.CompareTo(b));
        return able.Count < wanted ? [] : Combinations(able, wanted).Take(MostChoices);
    }

    private bool IsNamed(GpuSlot slot) => _asks.Exists(a => a.DeviceIds.Any(slot.Card.Answers));

    private static long Left(GpuSlot slot) => (slot.Card.Memory?.Bytes ?? long.MaxValue / 2) - slot.Used;

    private static IEnumerable<int[]> Combinations(List<int> of, int size)
    {
        var chosen = Enumerable.Range(0, size).ToArray();
        while (true)
        {
            yield return [.. chosen.Select(i => of[i])];
            var at = size - 1;
            while (at >= 0 && chosen[at] == of.Count - size + at) at--;
            if (at < 0) yield break;
            chosen[at]++;
            for (var i = at + 1; i < size; i++) chosen[i] = chosen[i - 1] + 1;
        }
    }
}
