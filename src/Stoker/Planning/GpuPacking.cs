using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>One request for GPUs: of a replica, or of a whole group with a budget.</summary>
/// <param name="Owner">Who is named in messages: <c>vision</c>, <c>vision/2</c>, <c>group vision_gpu</c>.</param>
/// <param name="Count">How many cards; null: all of the host.</param>
/// <param name="DeviceIds">These cards, by index or UUID; then <paramref name="Count"/> does not matter.</param>
/// <param name="Memory">Needed on each card; null: not said.</param>
/// <param name="Share"><c>whole</c>, <c>mps</c>, <c>mig</c> or <c>time</c>.</param>
internal sealed record GpuAsk(string Owner, int? Count, IReadOnlyList<string> DeviceIds, ByteSize? Memory, string Share, SourcePosition Where)
{
    /// <summary>Names of the cards it runs on already: it stays there if it can, so that it need not be restarted.</summary>
    public IReadOnlyList<string> RunsOn { get; init; } = [];
}

internal abstract record GpuAnswer(GpuAsk Ask)
{
    internal sealed record Given(GpuAsk Ask, IReadOnlyList<GpuCard> Cards) : GpuAnswer(Ask);

    internal sealed record Refused(GpuAsk Ask, DiagnosticCode Code, string Reason, string? Hint) : GpuAnswer(Ask);
}

/// <summary>
/// Fits requests to the cards of one host, first fit decreasing: cards asked for by id first, then all, whole cards (the
/// smallest that is large enough), partitions, and shares of memory, larger before smaller. A whole card is nobody else's;
/// a card shared by one means (MPS, time slices, MIG) is not shared by another. What does not fit so is tried in other ways by <see cref="GpuSearch"/>.
/// </summary>
internal sealed class GpuPacking
{
    private readonly string _host;
    private readonly List<GpuSlot> _slots;

    private GpuPacking(string host, IEnumerable<GpuCard> cards)
    {
        _host = host;
        _slots = [.. cards.OrderBy(c => c.Index).Select(c => new GpuSlot(c))];
    }

    public static (IReadOnlyList<GpuAnswer> Answers, IReadOnlyList<GpuSlot> Slots) Pack(
        string host, IEnumerable<GpuCard> cards, IEnumerable<GpuAsk> asks)
    {
        var packing = new GpuPacking(host, cards);
        var ordered = asks
            .OrderBy(a => a.DeviceIds.Count > 0 ? 0 : a.RunsOn.Count > 0 ? 1 : 2)
            .ThenBy(a => a.Count is null ? 0 : 1)
            .ThenBy(a => a.Share switch { "whole" => 0, "mig" => 1, _ => 2 })
            .ThenByDescending(a => a.Memory?.Bytes ?? 0)
            .ThenBy(a => a.Owner, StringComparer.Ordinal)
            .ToList();
        var answers = ordered.ConvertAll(packing.Answer);
        var refused = answers.Count(a => a is GpuAnswer.Refused { Code: var code } && code == PlanDiagnostics.GpuDoesNotFit);
        if (refused == 0) return (answers, packing._slots);
        // The first fit is not the only one: before anything is refused, the others are tried.
        List<GpuAsk> possible = [.. answers.Where(a => a is GpuAnswer.Given || ((GpuAnswer.Refused)a).Code == PlanDiagnostics.GpuDoesNotFit).Select(a => a.Ask)];
        return GpuSearch.Find(packing._slots, possible, refused) is { } better ? packing.Repack(ordered, answers, better) : (answers, packing._slots);
    }

    private (IReadOnlyList<GpuAnswer>, IReadOnlyList<GpuSlot>) Repack(List<GpuAsk> ordered, List<GpuAnswer> before, IReadOnlyDictionary<GpuAsk, IReadOnlyList<int>> better)
    {
        foreach (var slot in _slots) slot.Clear();
        foreach (var ask in ordered)
        {
            if (!better.TryGetValue(ask, out var places)) continue;
            foreach (var place in places) _slots[place].Take(ask);
        }

        // Reasons are given beside what has its place now.
        return ([.. ordered.Select((ask, i) => Answer(ask, before[i]))], _slots);

        GpuAnswer Answer(GpuAsk ask, GpuAnswer first)
        {
            if (better.TryGetValue(ask, out var places)) return new GpuAnswer.Given(ask, [.. places.Order().Select(p => _slots[p].Card)]);
            return first is GpuAnswer.Refused { Code: var code } && code != PlanDiagnostics.GpuDoesNotFit ? first : DoesNotFit(ask, Wanted(ask), _slots);
        }
    }

    private int Wanted(GpuAsk ask) => ask.DeviceIds.Count > 0 ? ask.DeviceIds.Count : ask.Count ?? _slots.Count;

    private GpuAnswer Answer(GpuAsk ask)
    {
        var wanted = Wanted(ask);
        if (_slots.Count == 0 || wanted > _slots.Count) return TooFew(ask, wanted);
        if (ask.DeviceIds.FirstOrDefault(id => !_slots.Exists(s => s.Card.Answers(id))) is { } unknown) return Unknown(ask, unknown);

        var candidates = ask.DeviceIds.Count > 0
            ? [.. ask.DeviceIds.Select(id => _slots.First(s => s.Card.Answers(id))).Distinct()]
            : InOrder(ask);
        if (ask.DeviceIds.Count > 0) wanted = candidates.Count;
        if (ask.Share == "mig" && candidates.All(s => !s.HasMig)) return NoMig(ask, candidates);

        var chosen = candidates.Where(s => s.Takes(ask)).Take(wanted).ToList();
        if (chosen.Count < wanted) return DoesNotFit(ask, wanted, candidates);
        foreach (var slot in chosen) slot.Take(ask);
        return new GpuAnswer.Given(ask, [.. chosen.OrderBy(s => s.Card.Index).Select(s => s.Card)]);
    }

    /// <summary>Where it runs already; then, for shares, cards shared the same way; then the smallest for a whole card.</summary>
    private IReadOnlyList<GpuSlot> InOrder(GpuAsk ask)
    {
        var order = _slots.OrderBy(s => ask.RunsOn.Contains(s.Card.Name) ? 0 : 1);
        order = ask.Share == "whole"
            ? order.ThenBy(s => s.Card.Memory?.Bytes ?? long.MaxValue)
            : order.ThenBy(s => s.Share == ask.Share ? 0 : 1);
        return [.. order.ThenBy(s => s.Card.Index)];
    }

    private GpuAnswer.Refused TooFew(GpuAsk ask, int wanted) => new(
        ask,
        PlanDiagnostics.TooFewGpus,
        _slots.Count == 0
            ? $"asks for {(ask.Count is null ? "all GPUs" : wanted == 1 ? "a GPU" : Words.Count(wanted, "GPU"))}, and {_host} has none"
            : $"asks for {Words.Count(wanted, "GPU")}, and {_host} has {_slots.Count}",
        null);

    private GpuAnswer.Refused Unknown(GpuAsk ask, string id) => new(
        ask,
        PlanDiagnostics.UnknownGpu,
        $"asks for GPU `{id}`, and {_host} has {Words.Plain(_slots.Select(s => s.Card.Name))}",
        "a GPU is named by its index or by its UUID");

    private static GpuAnswer.Refused NoMig(GpuAsk ask, IEnumerable<GpuSlot> candidates) => new(
        ask,
        PlanDiagnostics.NoMig,
        $"asks for a MIG partition, and {Words.Plain(candidates.Select(s => s.Card.Name))} cannot be partitioned",
        "share it by MPS: `share: mps`");

    private static GpuAnswer.Refused DoesNotFit(GpuAsk ask, int wanted, IReadOnlyList<GpuSlot> candidates)
    {
        var needs = ask switch
        {
            { Share: "whole" } => $"{(wanted == 1 ? "a whole GPU" : $"{wanted} whole GPUs")}{(ask.Memory is { } each ? $" of {each}" : "")}",
            { Memory: { } memory } => $"{memory} on {(wanted == 1 ? "one GPU" : $"each of {wanted} GPUs")}",
            _ => $"a share of {Words.Count(wanted, "GPU")}",
        };
        var reasons = candidates.OrderBy(s => s.Card.Index).Select(s => s.Refuses(ask)).OfType<string>().ToList();
        var shown = string.Join("; ", reasons.Take(4)) + (reasons.Count > 4 ? $"; and {reasons.Count - 4} more" : "");
        return new GpuAnswer.Refused(
            ask,
            PlanDiagnostics.GpuDoesNotFit,
            $"needs {needs}, {shown}",
            ask.Share == "whole"
                ? "let them share a GPU, each with a budget: `gpu: {share: mps, memory: 6GiB}`"
                : "ask for less memory, or move a service to another GPU or host");
    }
}
