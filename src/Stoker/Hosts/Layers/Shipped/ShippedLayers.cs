namespace Stoker.Hosts.Layers.Shipped;

/// <summary>
/// The layers that Stoker has ready. They are made of the same steps and checks as an estate's own, are planned, journalled and rolled back like them, and are held to a machine by
/// what they do and not by their files alone. A layer that would lock its owner out, or cut what runs, refuses with the reason.
/// </summary>
internal static class ShippedLayers
{
    public static IReadOnlyList<ShippedLayer> All { get; } =
    [
        BaseSystem.Layer, Accounts.Layer, SshKeysOnly.Layer, Firewall.Layer, BanGuessers.Layer, SecurityUpdates.Layer, KernelParameters.Layer,
        NvidiaDriver.Layer, ContainerToolkit.Layer, AiFrameworks.Layer,
    ];

    public static IEnumerable<string> Names => All.Select(l => l.Name);

    public static ShippedLayer? Find(string name) => All.FirstOrDefault(l => l.Name == name);
}
