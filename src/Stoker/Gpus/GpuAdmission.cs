using Stoker.Estates;

namespace Stoker.Gpus;

/// <summary>What an owner was promised of a card, and whether it is at it.</summary>
/// <param name="IsUp">A process of it runs, or was let start a moment ago.</param>
internal sealed record Promise(LedgerBudget Budget, bool IsUp);

/// <summary>Whether a start has room on a card.</summary>
internal abstract record Admission
{
    private Admission()
    {
    }

    internal sealed record Room : Admission;

    /// <param name="Why">What it waits for.</param>
    internal sealed record Later(string Why) : Admission;

    internal sealed record Never(string Why) : Admission;
}

/// <summary>
/// Declared need against what is really free: what the card tells as used by anybody, strangers too, and what others that run were promised and have not taken yet. Pure. A card has a little less
/// than its name says; what the driver keeps does not count against those who fill the card together.
/// </summary>
internal static class GpuAdmission
{
    private const double MostKeptByDriver = 0.1;

    /// <param name="nominal">Memory of the card as the plan has divided it.</param>
    /// <param name="promises">Of all that were given the card; the one who asks is among them.</param>
    public static Admission Decide(GpuDocument gpu, long? nominal, IReadOnlyList<Promise> promises, LedgerBudget asks)
    {
        var name = $"GPU {gpu.Index} ({gpu.Name})";
        if (gpu.Now is not { Lost: null } now) return new Admission.Later($"{name}, which does not answer: {gpu.Silent ?? "the driver does not tell"}");
        if (asks.Memory is not { } declared) return new Admission.Room();
        if (now.FreeMemory is not { } free || gpu.Device.Memory is not { } total) return new Admission.Room();
        var usable = total - (now.ReservedMemory ?? 0);
        var kept = Math.Clamp((nominal ?? total) - usable, 0, (long)(total * MostKeptByDriver));
        if (declared > usable + kept) return new Admission.Never($"it needs {new ByteSize(declared)} on {name}, which has {new ByteSize(usable)}");
        var need = Math.Max(0, declared - MeasuredOf(gpu, asks));
        var promised = promises.Where(p => p.IsUp && p.Budget.Owner != asks.Owner && p.Budget.Memory is not null).Sum(p => Math.Max(0, p.Budget.Memory!.Value - MeasuredOf(gpu, p.Budget)));
        if (need <= free - promised + kept) return new Admission.Room();
        var why = $"{new ByteSize(need)} on {name}: {new ByteSize(free)} {(promised > 0 ? $"are free, and {new ByteSize(promised)} of that are promised to others that run" : "are free")}";
        return new Admission.Later(Blame(gpu, promises) is { Length: > 0 } blame ? $"{why}; {blame}" : why);
    }

    private static long MeasuredOf(GpuDocument gpu, LedgerBudget budget) => gpu.Clients.Where(c => c.Owner == "service" && GpuLedger.IsCovered(budget, c)).Sum(c => c.Memory ?? 0);

    /// <summary>Who has what nobody was promised, the largest first.</summary>
    private static string Blame(GpuDocument gpu, IReadOnlyList<Promise> promises)
    {
        var words = new List<string>();
        foreach (var client in gpu.Clients.Where(c => c.Owner != "service" && c.Memory is > 0).OrderByDescending(c => c.Memory).Take(2))
            words.Add($"pid {client.Pid}, {client.Command ?? "not visible here"} ({client.OwnerText}) has {new ByteSize(client.Memory!.Value)}");
        foreach (var promise in promises.Where(p => p.Budget.Memory is { } most && MeasuredOf(gpu, p.Budget) > most))
            words.Add($"{promise.Budget.Owner} has {new ByteSize(MeasuredOf(gpu, promise.Budget) - promise.Budget.Memory!.Value)} more than it declared");
        return string.Join(", ", words);
    }
}
