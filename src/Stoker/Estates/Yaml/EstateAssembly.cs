using System.Collections.Immutable;
using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>
/// Files to one tree. For each file, in order: its includes first, the file on top of them, <c>extends</c> resolved, then the whole
/// on top of the files before it. An include is a set of files of its own, assembled the same way.
/// </summary>
internal sealed class EstateAssembly(SourceFiles files, EnvFiles envFiles, DiagnosticBag bag)
{
    private const int MostIncludes = 1000;

    private readonly NodeMerge _merge = new(bag);
    private int _included;

    /// <summary>The merged tree, without <c>include</c> and <c>extends</c>, on top of <paramref name="below"/>.</summary>
    /// <param name="chain">Paths of the files that led here by <c>include</c>, outermost first.</param>
    public MappingNode? Assemble(
        IEnumerable<(string Path, SourcePosition? Asked)> set, string directory, VariableScope scope, ImmutableList<string> chain, MappingNode? below)
    {
        var merged = below;
        foreach (var (path, asked) in set)
        {
            if (IsCycle(path, asked, chain)) continue;
            if (files.Load(path, directory, scope, asked) is not { } root) continue;
            var model = WithIncludes(root, scope, chain.Add(path));
            var services = new ServiceTable(path, model, merged, directory, scope);
            model = new Extends(files, _merge, bag).Resolve(services);
            merged = MergeMarks.Settle(merged is null ? model : _merge.Files(merged, model));
        }

        return merged;
    }

    private MappingNode WithIncludes(MappingNode root, VariableScope scope, ImmutableList<string> chain)
    {
        MappingNode? included = null;
        foreach (var entry in IncludeEntry.ReadAll(root, file => files.Directories[file], bag))
        {
            if (++_included > MostIncludes)
            {
                if (_included == MostIncludes + 1)
                    bag.Add(YamlDiagnostics.TooManyIncludes, entry.Paths[0].Asked, $"more than {MostIncludes} files are included", "do files include each other's neighbours many times over?");
                break;
            }

            var inner = entry.EnvFiles is null ? envFiles.WithDefault(scope, entry.Directory) : envFiles.With(scope, entry.EnvFiles);
            var set = entry.Paths.Select(p => (p.Path, (SourcePosition?)p.Asked));
            if (Assemble(set, entry.Directory, inner, chain, null) is not { } model) continue;
            included = included is null ? model : _merge.Files(included, model);
        }

        var own = Without(root, "include");
        return included is null ? own : _merge.Files(included, own);
    }

    private bool IsCycle(string path, SourcePosition? asked, ImmutableList<string> chain)
    {
        var first = chain.IndexOf(path);
        if (first < 0) return false;
        var names = chain.Skip(first).Append(path).Select(p => $"`{files.NameOf(p)}`");
        bag.Add(YamlDiagnostics.IncludeCycle, asked ?? SourcePosition.Whole(files.NameOf(path)), $"files include each other: {string.Join(" → ", names)}", "remove one of these includes");
        return true;
    }

    private static MappingNode Without(MappingNode mapping, string key) =>
        mapping.Find(key) is null ? mapping : mapping with { Entries = [.. mapping.Entries.Where(e => e.Key.Value != key)] };
}
