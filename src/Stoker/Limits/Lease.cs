namespace Stoker.Limits;

/// <summary>An admitted request's claim on its limits. A value that may be copied: whichever copy is settled first, counts. The default one is none.</summary>
internal readonly record struct Lease(int Index, uint Generation)
{
    public bool IsNone => Generation == 0;
}

/// <summary>What a lease stands for.</summary>
/// <param name="KeyAndModel">Null: the key has no limit for this model.</param>
/// <param name="Model">Null: the model has no limit over all keys.</param>
/// <param name="Tokens">Reserved.</param>
/// <param name="Second">That the reservation counts for in the windows.</param>
/// <param name="Day">It was admitted on.</param>
/// <param name="Month">It was admitted in.</param>
internal readonly record struct LeaseSlot(KeyAccount Account, Meter? KeyAndModel, Meter? Model, long Tokens, long Second, int Day, int Month);

/// <summary>Leases under way, in an array that is used again: a stale lease is told by the generation of its place.</summary>
internal sealed class LeaseTable
{
    private readonly Stack<int> _free = new();
    private (LeaseSlot Slot, uint Generation, bool Taken)[] _places = new (LeaseSlot, uint, bool)[64];
    private int _used;

    public Lease Take(LeaseSlot slot)
    {
        if (!_free.TryPop(out var index))
        {
            if (_used == _places.Length) Array.Resize(ref _places, _used * 2);
            index = _used++;
        }

        ref var place = ref _places[index];
        // Zero is no generation, so that the default lease fits no place.
        place.Generation = place.Generation == uint.MaxValue ? 1 : place.Generation + 1;
        place.Slot = slot;
        place.Taken = true;
        return new Lease(index, place.Generation);
    }

    /// <summary>False when it has been returned before, or never was one.</summary>
    public bool Return(Lease lease, out LeaseSlot slot)
    {
        slot = default;
        if ((uint)lease.Index >= (uint)_used) return false;
        ref var place = ref _places[lease.Index];
        if (!place.Taken || place.Generation != lease.Generation) return false;
        slot = place.Slot;
        place.Slot = default;
        place.Taken = false;
        _free.Push(lease.Index);
        return true;
    }
}
