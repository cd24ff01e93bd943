using Stoker.Estates;

namespace Stoker.Hosts.Layers;

/// <summary>
/// Ordered requirements on a machine: base system, drivers, frameworks, each verified, applied and rolled back.
/// <code>
///  layers: ─→ LayerReader ─→ LayerSpec…, each behind those that it needs
///     plan: StepLook says what differs ─→ apply: StepDo changes it ─→ verify: its checks ─→ the next layer
///                                            │ before and after
///                                            └─→ LayerJournal ─→ rollback: the last change first, where all is still as it was left
/// </code>
/// Promises: the difference is shown before anything is changed; only what differs is; the first failure ends it and doing it again goes on; what a layer changed is on the disk before it is made,
/// so that a rollback returns exactly there, also after a crash. Refuses: a rollback over somebody's later changes, with the difference; to replace a directory by a file; to change uids.
/// </summary>
internal static class LayersModule
{
    public static SectionSpec Section { get; } = new("layers", "Ordered requirements on hosts: what is verified, applied and rolled back.", IsActedOn: true)
    {
        Shape = LayerKeys.Section,
        Expand = (estate, source) => source.Section is null ? estate : estate with { Parts = [.. estate.Parts, new LayerReader(estate, source.Context, source.Bag).Read(source.Section)] },
    };
}
