using Stoker.Hosts.Checks;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>A layer that Stoker has ready, to be used by its name.</summary>
/// <param name="Summary">What it does, in a line.</param>
internal sealed record ShippedLayer(string Name, string Summary, IReadOnlyList<ShippedParameter> Parameters, Func<ShippedCall, LayerContent> Make);

/// <summary>Something that a shipped layer may be told.</summary>
/// <param name="Summary">What it is, with its default.</param>
internal sealed record ShippedParameter(string Name, ParameterKind Kind, string Summary);

/// <summary>What a shipped layer comes to in one estate.</summary>
internal sealed record LayerContent(IReadOnlyList<LayerStep> Apply, IReadOnlyList<CheckSpec> Verify, IReadOnlyList<LayerStep.Command> Rollback);
