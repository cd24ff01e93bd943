using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Estates;
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
        var loaded = EstateWork.Load(new ApplyRequest(choice.Files) { Env = env, Variables = world.Variables });
        return new EstateReading(loaded.Source, loaded.Estate, loaded.Diagnostics, loaded.Source?.Directory ?? Path.GetDirectoryName(choice.Files[0])!);
    }
}
