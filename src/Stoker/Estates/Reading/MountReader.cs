using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>What is mounted into a container: <c>volumes</c> in both forms, and <c>tmpfs</c>.</summary>
internal static class MountReader
{
    private static readonly string[] Modes =
        ["ro", "rw", "z", "Z", "U", "nocopy", "shared", "slave", "private", "rshared", "rslave", "rprivate", "noexec", "exec", "nodev", "dev", "nosuid", "suid"];

    /// <summary>Trades of consistency for speed that only Docker on macOS knew.</summary>
    private static readonly string[] ForMacOs = ["cached", "delegated", "consistent"];

    public static IReadOnlyList<MountSpec> Read(ServiceSource source)
    {
        var mounts = new List<MountSpec>();
        foreach (var item in source.Map.Items("volumes"))
        {
            var mount = item switch
            {
                ScalarNode { Value: { Length: > 0 } text } => ReadShort(source, text, item.Where),
                MappingNode map => ReadLong(source, map),
                _ => null,
            };
            if (mount is not null) Add(mount);
        }

        foreach (var tmpfs in source.Map.Strings("tmpfs"))
        {
            var colon = tmpfs.Value.IndexOf(':');
            var target = colon < 0 ? tmpfs.Value : tmpfs.Value[..colon];
            var options = colon < 0 ? [] : tmpfs.Value[(colon + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries);
            if (target.StartsWith('/')) Add(new MountSpec(MountKind.Tmpfs, null, target, options, tmpfs.Where));
            else Invalid(source, tmpfs.Value, tmpfs.Where, "a tmpfs is mounted at an absolute path");
        }

        return mounts;

        void Add(MountSpec mount)
        {
            if (mounts.Find(m => m.Target == mount.Target) is { } other)
                source.Report(EstateDiagnostics.RepeatedMount, mount.Where, $"mounts two things at `{mount.Target}`", $"first at {other.Where}");
            else mounts.Add(mount);
        }
    }

    private static MountSpec? ReadShort(ServiceSource source, string text, SourcePosition where)
    {
        var parts = text.Split(':');
        if (parts.Length > 3 || parts.Contains("")) return Invalid(source, text, where, null);
        var target = parts.Length == 1 ? parts[0] : parts[1];
        if (!target.StartsWith('/')) return Invalid(source, text, where, $"`{target}` has to be an absolute path in the container");
        var options = parts.Length == 3 ? ReadModes(source, parts[2], where) : [];
        if (options is null) return Invalid(source, text, where, $"the mode is one or more of `{string.Join("`, `", Modes)}`");
        var from = parts.Length == 1 ? null : parts[0];
        return IsPath(from)
            ? new MountSpec(MountKind.Bind, source.Context.PathAt(from!, where), target, options, where) { CreatesHostPath = true }
            : new MountSpec(MountKind.Volume, from, target, options, where);
    }

    private static List<string>? ReadModes(ServiceSource source, string modes, SourcePosition where)
    {
        var kept = new List<string>();
        foreach (var mode in modes.Split(','))
        {
            if (ForMacOs.Contains(mode)) source.Report(EstateDiagnostics.NoEffect, where, $"has a volume mode `{mode}` without effect: it is about macOS");
            else if (Modes.Contains(mode)) kept.Add(mode);
            else return null;
        }

        return kept;
    }

    private static bool IsPath(string? from) => from is not null && (from[0] is '/' or '.' || from == "~" || from.StartsWith("~/", StringComparison.Ordinal));

    private static MountSpec? ReadLong(ServiceSource source, MappingNode map)
    {
        if (map.Text("target") is not { Length: > 0 } target) return null;
        if (!target.StartsWith('/')) return Invalid(source, target, map.Scalar("target")!.Where, $"`{target}` has to be an absolute path in the container");
        var from = map.PositionedText("source");
        var options = new List<string>();
        if (map.Flag("read_only") == true) options.Add("ro");
        switch (map.Text("type"))
        {
            case "bind" when from is { } path:
                if (map.Map("bind").Text("propagation") is { } propagation) options.Add(propagation);
                if (map.Map("bind").Text("selinux") is { } label) options.Add(label);
                return new MountSpec(MountKind.Bind, source.Context.PathAt(path.Value, path.Where), target, options, map.Where)
                {
                    CreatesHostPath = map.Map("bind").Flag("create_host_path") ?? true,
                };
            case "bind":
                return Invalid(source, target, map.Where, "a bind mount needs a `source`");
            case "volume":
                if (map.Map("volume").Flag("nocopy") == true) options.Add("nocopy");
                return new MountSpec(MountKind.Volume, from?.Value, target, options, map.Where);
            case "tmpfs" when from is null:
                if (map.Map("tmpfs").Size("size") is { } size) options.Add($"size={size.Bytes}");
                if (map.Map("tmpfs").Octal("mode") is { } mode) options.Add($"mode={Convert.ToString(mode, 8)}");
                return new MountSpec(MountKind.Tmpfs, null, target, options, map.Where);
            case "tmpfs":
                return Invalid(source, target, from!.Value.Where, "a tmpfs has no `source`");
            case ("cluster" or "npipe" or "image") and var type:
                source.Report(EstateDiagnostics.Refused, map.Scalar("type")!.Where, $"has a volume of type `{type}`, which is refused: only `bind`, `volume` and `tmpfs` are mounted");
                return null;
            default:
                return null;
        }
    }

    private static MountSpec? Invalid(ServiceSource source, string text, SourcePosition where, string? hint)
    {
        source.Report(EstateDiagnostics.InvalidMount, where, $"has volume `{text}`, which is not `[SOURCE:]TARGET[:MODE]`", hint);
        return null;
    }
}
