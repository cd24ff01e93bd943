using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Estates.Yaml;

namespace Stoker.Cli;

/// <summary>What became of the estate's files: a tree, then specs, and what there is to say about them.</summary>
/// <param name="Loaded">Null when a file could not be read or is not YAML.</param>
/// <param name="Spec">Null when the tree is too wrong to be understood.</param>
internal sealed record EstateReading(LoadedEstate? Loaded, EstateSpec? Spec, DiagnosticBag Bag, string Directory)
{
    public bool IsWrong => Spec is null || Bag.HasErrors;

    public static EstateReading Of(Surroundings world, EstateChoice choice, string? env)
    {
        var bag = new DiagnosticBag();
        var directory = Path.GetDirectoryName(choice.Files[0])!;
        var loaded = EstateLoader.Load(new LoadRequest(choice.Files, null, env, world.Variables), world.Files, bag);
        var spec = loaded is null ? null : EstateReader.Read(loaded.Root, ReadContext.Of(loaded, choice.Files[0], env, world.Files), bag);
        return new EstateReading(loaded, spec, bag, loaded?.Directory ?? directory);
    }
}
