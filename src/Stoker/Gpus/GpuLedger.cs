namespace Stoker.Gpus;

/// <summary>What an owner may use of a card, by the plan.</summary>
/// <param name="Owner">A service, a replica (<c>vision/2</c>) or a group (<c>group vision_gpu</c>).</param>
/// <param name="Memory">Null: it has the card whole, or said nothing.</param>
/// <param name="Covers">Services whose use counts against it.</param>
internal sealed record LedgerBudget(string Owner, long? Memory, IReadOnlyList<string> Covers);

/// <param name="State">
/// <c>within</c>, <c>over</c>, <c>idle</c> (nothing is on the card), <c>undeclared</c> (it was not given this card), <c>orphan</c>, <c>other_estate</c>,
/// <c>stranger</c> or <c>unknown</c> (the driver does not tell).
/// </param>
/// <param name="Says">In words, what is not as it should be; null when all is.</param>
internal sealed record LedgerEntry(string Owner, long? Declared, long? Measured, string State, string? Says, IReadOnlyList<int> Pids);

/// <summary>Every byte of a card's memory with who has it. Pure.</summary>
/// <param name="Unaccounted">Used, and of no process that the driver names.</param>
internal sealed record GpuLedger(int Index, string Name, string? Uuid, bool Simulated, long? Total, long? Reserved, long? Used, long? Unaccounted, IReadOnlyList<LedgerEntry> Entries)
{
    /// <summary>Contexts and the driver's rounding are not in what processes are told to use.</summary>
    private const long Slack = 64L << 20;

    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsAsItShouldBe => Entries.All(e => e.Says is null);

    public static GpuLedger Of(GpuDocument gpu, IReadOnlyList<LedgerBudget> budgets)
    {
        var entries = new List<LedgerEntry>();
        var counted = new HashSet<int>();
        foreach (var budget in budgets)
        {
            var own = gpu.Clients.Where(c => c.Owner == "service" && IsCovered(budget, c)).ToList();
            counted.UnionWith(own.Select(c => c.Pid));
            entries.Add(Compare(budget, own, gpu));
        }

        var unexpected = gpu.Clients.Where(c => !counted.Contains(c.Pid))
            .GroupBy(c => (c.Owner, c.Service, Pid: c.Owner is "service" ? 0 : c.Pid))
            .OrderBy(g => g.Key.Service).ThenBy(g => g.Key.Pid);
        foreach (var others in unexpected) entries.Add(Unexpected([.. others]));
        var measured = Sum(gpu.Clients);
        var left = gpu.Now?.UsedMemory - measured;
        return new GpuLedger(
            gpu.Index, gpu.Name, gpu.Device.Uuid, gpu.Simulated, gpu.Device.Memory, gpu.Now?.ReservedMemory, gpu.Now?.UsedMemory, left is > Slack ? left : left is null ? null : 0, entries);
    }

    public static bool IsCovered(LedgerBudget budget, GpuClientDocument client) =>
        budget.Covers.Contains(client.Service) && (!budget.Owner.Contains('/', StringComparison.Ordinal) || budget.Owner == $"{client.Service}/{client.Replica}");

    private static LedgerEntry Compare(LedgerBudget budget, List<GpuClientDocument> own, GpuDocument gpu)
    {
        List<int> pids = [.. own.Select(c => c.Pid)];
        if (gpu.Now is not { Lost: null }) return new LedgerEntry(budget.Owner, budget.Memory, null, "unknown", gpu.Silent ?? "the driver does not tell", pids);
        if (own.Count == 0) return new LedgerEntry(budget.Owner, budget.Memory, 0, "idle", null, pids);
        if (Sum(own) is not { } used) return new LedgerEntry(budget.Owner, budget.Memory, null, "unknown", "the driver does not tell what its processes use", pids);
        if (budget.Memory is not { } declared || used <= declared) return new LedgerEntry(budget.Owner, budget.Memory, used, "within", null, pids);
        return new LedgerEntry(budget.Owner, declared, used, "over", $"uses {Bytes(used - declared)} more than it declared", pids);
    }

    private static LedgerEntry Unexpected(List<GpuClientDocument> clients)
    {
        var first = clients[0];
        var measured = Sum(clients);
        List<int> pids = [.. clients.Select(c => c.Pid)];
        return first.Owner switch
        {
            "service" => new LedgerEntry(first.OwnerText, null, measured, "undeclared", $"{first.Service} was not given this GPU", pids),
            "orphan" => new LedgerEntry(first.OwnerText, null, measured, "orphan", $"pid {first.Pid}, {first.Command}: left behind by {first.Service}, which does not know of it", pids),
            "other_estate" => new LedgerEntry(first.OwnerText, null, measured, "other_estate", $"pid {first.Pid}, {first.Command}: of another estate", pids),
            _ => new LedgerEntry($"pid {first.Pid}", null, measured, "stranger", $"{first.Command ?? "a process that is not visible here"} is none of the estate's", pids),
        };
    }

    private static long? Sum(IReadOnlyList<GpuClientDocument> clients) => clients.Any(c => c.Memory is null) ? null : clients.Sum(c => c.Memory);

    private static Estates.ByteSize Bytes(long bytes) => new(bytes);
}
