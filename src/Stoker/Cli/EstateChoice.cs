using System.Text;
using Stoker.Estates.Yaml;

namespace Stoker.Cli;

/// <summary>Which estate a verb is about.</summary>
/// <param name="Files">Absolute paths, in the order of merging.</param>
internal sealed class EstateChoice(Surroundings world, IReadOnlyList<string> files)
{
    public IReadOnlyList<string> Files => files;

    /// <summary><c>-f</c>, else what lies here, else in the nearest directory above that has one. Null when there is none, which is said.</summary>
    public static EstateChoice? Find(Surroundings world, string[] asked, Report report)
    {
        if (asked.Length > 0) return new EstateChoice(world, [.. asked.Select(f => Path.GetFullPath(f, world.CurrentDirectory))]);
        for (var directory = world.CurrentDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (EstateLoader.Discover(directory, world.Files) is { Count: > 0 } found) return new EstateChoice(world, found);
        }

        report.Error(
            $"no estate file: there is no stoker.yaml or compose.yaml in {world.CurrentDirectory} or above",
            "name one with `-f FILE`, or the running estate with `--state DIR`");
        return null;
    }
}
