using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <summary>Does a change to a card, step by step, or brings it back; on the thread of its driver. Every problem is in the driver's words, with the step that met it.</summary>
internal static class MigSteps
{
    /// <param name="After">What the card has now, as it says itself; null: it does not say.</param>
    /// <param name="Problem">Why it is not as it should be; null: it is.</param>
    /// <param name="Stuck">Why it is not as it was before either; null: it is, or no way back was needed.</param>
    internal sealed record Outcome(MigState? After, string? Problem, string? Stuck);

    public static Outcome Do(IGpuControl control, string uuid, MigChange change, MigShape before)
    {
        var problem = Make(control, uuid, change) ?? Verify(control.ReadMig(uuid), change);
        var stuck = problem is null ? null : Return(control, uuid, before);
        return new Outcome(control.ReadMig(uuid), problem, stuck);
    }

    private static string? Make(IGpuControl control, string uuid, MigChange change)
    {
        foreach (var instance in change.Ends)
        {
            if (control.DestroyInstance(uuid, instance.Id) is { } kept) return $"partition {instance.Id} could not be ended: {kept}";
        }

        if (change.Mode is { } on && Switch(control, uuid, on) is { } refused) return refused;
        foreach (var place in change.Makes)
        {
            if (control.CreateInstance(uuid, place.Profile.Id, (uint)place.Start) is { Problem: { } problem }) return $"{place.Profile.Name} at slice {place.Start} could not be made: {problem}";
        }

        return null;
    }

    /// <summary>The library has said that all went well; the card is asked whether it is so.</summary>
    private static string? Verify(MigState? after, MigChange change)
    {
        if (after is null) return change.Layout.Count == 0 ? null : "the card does not say which partitions it has";
        if (change.Layout.Count == 0) return after.IsOn ? "MIG is still on" : null;
        foreach (var place in change.Layout)
        {
            if (after.Instances.FirstOrDefault(i => i.ProfileId == place.Profile.Id && i.Start == place.Start) is not { } made)
            {
                return $"{place.Profile.Name} at slice {place.Start} was made, and is not there";
            }

            if (made.Uuid is null) return $"{place.Profile.Name} at slice {place.Start} has no MIG device in it";
        }

        return null;
    }

    private static string? Return(IGpuControl control, string uuid, MigShape before)
    {
        if (control.ReadMig(uuid) is not { } now) return "the card does not say which partitions it has";
        foreach (var instance in now.Instances.Where(i => !before.Instances.Any(b => b.ProfileId == i.ProfileId && b.Start == i.Start)))
        {
            if (control.DestroyInstance(uuid, instance.Id) is { } kept) return $"partition {instance.Id} could not be ended: {kept}";
        }

        if (now.IsOn != before.IsOn && Switch(control, uuid, before.IsOn) is { } refused) return refused;
        foreach (var lost in before.Instances.Where(b => !now.Instances.Any(i => i.ProfileId == b.ProfileId && i.Start == b.Start)).OrderByDescending(i => i.Size))
        {
            if (control.CreateInstance(uuid, lost.ProfileId, (uint)lost.Start) is { Problem: { } problem }) return $"the partition at slice {lost.Start} could not be made again: {problem}";
        }

        return null;
    }

    private static string? Switch(IGpuControl control, string uuid, bool on)
    {
        var refused = control.SetMigMode(uuid, on);
        // A reset may have given the card another handle.
        (control as IGpuDriver)?.ReadDevices();
        return refused is null ? null : $"MIG could not be turned {(on ? "on" : "off")}: {refused}";
    }
}
