using Stoker.Gpus.Mig;
using Stoker.Planning;
using Stoker.Platform.Gpus;

namespace Stoker.Daemon;

/// <summary>A card of the plan that is here, or simulated.</summary>
internal sealed record DividedCard(GpuPlan Plan, string Uuid, GpuDoor Door, bool IsSimulated)
{
    public string Name => $"GPU {Plan.Index} ({Plan.Model}{(IsSimulated ? ", simulated" : "")})";

    public bool IsByMig => Plan.Share == "mig";

    /// <summary>Who is to have a partition; empty: the card is to have none.</summary>
    public IReadOnlyList<MigAsk> Asks => IsByMig ? [.. Plan.Holders.Select(h => new MigAsk(h.Owner, h.Memory?.Bytes))] : [];
}

/// <summary>How far a card is from what the plan says of it.</summary>
internal abstract record PartitionState
{
    private PartitionState()
    {
    }

    internal sealed record Pending : PartitionState;

    internal sealed record Settled : PartitionState;

    /// <summary>It is looked at again.</summary>
    internal sealed record Waits(string Why) : PartitionState;

    /// <summary>Until the next plan.</summary>
    /// <param name="MayPass">It was tried, and is as it was before: it is tried again some times.</param>
    internal sealed record Failed(string Why, bool MayPass = false) : PartitionState;
}
