using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>What a card has been given to so far.</summary>
internal sealed class GpuSlot(GpuCard card)
{
    private readonly List<GpuAsk> _holders = [];
    private readonly MigCards? _mig = MigCards.For(card.Model);

    public GpuCard Card { get; } = card;

    public IReadOnlyList<GpuAsk> Holders => _holders;

    /// <summary>How it is shared; null while nobody has it.</summary>
    public string? Share => _holders.Count == 0 ? null : _holders[0].Share;

    public bool HasMig => _mig is not null;

    public long Used
    {
        get
        {
            long used = 0;
            foreach (var holder in _holders) used += holder.Memory?.Bytes ?? 0;
            return used;
        }
    }

    public void Take(GpuAsk ask) => _holders.Add(ask);

    /// <summary>Takes back what was given last.</summary>
    public void Undo() => _holders.RemoveAt(_holders.Count - 1);

    public void Clear() => _holders.Clear();

    /// <summary>It can be given: the same as no reason why not, and no words are made.</summary>
    public bool Takes(GpuAsk ask)
    {
        if (Share is not null && (Share == "whole" || Share != ask.Share)) return false;
        if (ask.Share == "mig") return TakesPartition(ask);
        return ask.Memory is not { } needed || Card.Memory is not { } memory || needed.Bytes <= memory.Bytes - Used;
    }

    /// <summary>Why it cannot be given, as the end of a sentence, or null when it can.</summary>
    public string? Refuses(GpuAsk ask)
    {
        if (Share == "whole") return $"{Card.Text} is given whole to {_holders[0].Owner}";
        if (Share is not null && ask.Share == "whole") return $"{Card.Text} is shared by {Owners()}";
        if (Share is not null && Share != ask.Share) return $"{Card.Text} is shared by `{Share}` with {Owners()}, not by `{ask.Share}`";
        if (ask.Share == "mig") return RefusesPartition(ask);
        if (ask.Memory is not { } needed || Card.Memory is not { } memory) return null;
        var left = memory.Bytes - Used;
        if (needed.Bytes <= left) return null;
        return _holders.Count == 0
            ? $"{Card.Name} has {memory}"
            : $"{Card.Text} has {(left > 0 ? new ByteSize(left).ToString() : "nothing")} left after {Budgets()}";
    }

    private string? RefusesPartition(GpuAsk ask)
    {
        if (_mig is null) return $"{Card.Name} cannot be partitioned";
        if (Card.Memory is not { } memory) return null;
        if (SlicesFor(ask, memory) is not { } slices) return $"the largest partition of {Card.Text} is smaller";
        var taken = _holders.Select(h => SlicesFor(h, memory) ?? _mig.MemorySlices).ToList();
        if (_mig.Fit([.. taken, slices])) return null;
        return $"{Card.Text} has no partition of {slices} of {_mig.MemorySlices} slices left after {Budgets()}";
    }

    private bool TakesPartition(GpuAsk ask)
    {
        if (_mig is null) return false;
        if (Card.Memory is not { } memory) return true;
        if (SlicesFor(ask, memory) is not { } slices) return false;
        var taken = new List<int>(_holders.Count + 1) { slices };
        foreach (var holder in _holders) taken.Add(SlicesFor(holder, memory) ?? _mig.MemorySlices);
        return _mig.Fit(taken);
    }

    /// <summary>A partition without a size is the smallest one.</summary>
    private int? SlicesFor(GpuAsk ask, ByteSize memory) => _mig!.SlicesFor(ask.Memory?.Bytes ?? 0, memory.Bytes);

    private string Owners() => Words.Plain(_holders.Select(h => h.Owner), 5);

    private string Budgets() => string.Join(", ", _holders.Select(h => h.Memory is { } m ? $"{h.Owner} {m}" : h.Owner));
}
