namespace Stoker.Streams.Transform;

/// <summary>Field mappings as they are declared. All of them read the document as it would be without any; so their order says nothing. Settable for the generated reader.</summary>
internal sealed record TransformSpec
{
    /// <summary>Stands in the lineage of each document. To be changed with the mappings.</summary>
    public string Version { get; set; } = TransformModule.Plain;

    /// <summary>Fields to write: <c>gpu: $.gpu_hardware.device_name</c>.</summary>
    public IReadOnlyList<MapSpec> Map { get; set; } = [];

    /// <summary>Fields to move: <c>$.extra.label: label</c>.</summary>
    public IReadOnlyList<RenameSpec> Rename { get; set; } = [];

    /// <summary>Fields to leave out: <c>$.other.debug</c>.</summary>
    public IReadOnlyList<string> Drop { get; set; } = [];
}

/// <param name="Target">A field, or a path of fields.</param>
/// <param name="Path">Where its value comes from; null: it is the constant.</param>
/// <param name="Constant">JSON.</param>
internal sealed record MapSpec(string Target, string? Path, string? Constant = null);

internal sealed record RenameSpec(string From, string To);
