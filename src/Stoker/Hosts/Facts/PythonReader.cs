namespace Stoker.Hosts.Facts;

/// <summary>
/// Python environments and what they have of the frameworks that matter here. Nothing is run: an environment says its version in <c>pyvenv.cfg</c> or by
/// the name of its library, and packages say theirs by the names of their directories: <c>torch-2.4.0+cu121.dist-info</c>.
/// </summary>
internal static class PythonReader
{
    private static readonly HashSet<string> Frameworks = new(StringComparer.Ordinal)
    {
        "torch", "torchvision", "vllm", "sglang", "tensorflow", "jax", "jaxlib", "transformers", "accelerate", "deepspeed", "flash-attn", "xformers", "triton", "bitsandbytes", "peft",
        "onnxruntime", "onnxruntime-gpu", "tensorrt", "tensorrt-llm", "llama-cpp-python", "ctranslate2", "faster-whisper", "diffusers", "ultralytics", "cupy-cuda12x", "cupy-cuda11x", "numpy",
        "opencv-python", "opencv-python-headless", "ray",
    };

    /// <summary>A directory with more in it is nobody's place for environments.</summary>
    private const int MostEntries = 200;

    /// <summary>Directories of homes that hold environments by the name, each with how deep they lie.</summary>
    private static readonly string[] Collections = ["", "venvs", ".virtualenvs", "envs", ".pyenv/versions", "miniconda3/envs", "anaconda3/envs", "miniforge3/envs", "micromamba/envs"];

    public static IReadOnlyList<PythonFacts> Read(FactSource source, IReadOnlyList<string> homes)
    {
        var found = new List<PythonFacts>(OfSystem(source));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var place in Places(source, homes))
        {
            if (seen.Add(place) && Environment(source, place) is { } environment) found.Add(environment);
        }

        return found;
    }

    /// <summary>Where environments may be: in homes, <c>/opt</c> and <c>/srv</c>, and one level below them.</summary>
    private static IEnumerable<string> Places(FactSource source, IReadOnlyList<string> homes)
    {
        foreach (var home in homes.Concat(["/opt", "/srv", "/opt/conda", "/opt/conda/envs"]).Distinct())
        {
            if (home is "/" or "/usr") continue;
            yield return home;
            foreach (var collection in Collections)
            {
                var place = collection.Length == 0 ? home : $"{home}/{collection}";
                var names = source.List(place);
                if (names.Count > MostEntries) source.Note("python", $"`{place}` has {names.Count} entries: only the first {MostEntries} were looked into");
                foreach (var name in names.Take(MostEntries))
                {
                    yield return $"{place}/{name}";
                    if (collection.Length > 0 || name[0] == '.') continue;
                    // A project with its environment inside.
                    yield return $"{place}/{name}/.venv";
                    yield return $"{place}/{name}/venv";
                }
            }
        }
    }

    private static PythonFacts? Environment(FactSource source, string place)
    {
        var settings = source.Text($"{place}/pyvenv.cfg");
        var isConda = settings is null && source.List($"{place}/conda-meta").Count > 0;
        if (settings is null && !isConda && !source.Has($"{place}/bin/python3")) return null;
        if (Libraries(source, place) is not { Count: > 0 } libraries) return null;
        var version = settings is not null ? Version(settings) : null;
        var kind = settings is not null ? "venv" : isConda ? "conda" : place.Contains("/.pyenv/", StringComparison.Ordinal) ? "pyenv" : "prefix";
        version ??= OfConda(source, place) ?? (kind == "pyenv" ? Path.GetFileName(place) : libraries[^1].Name[6..]);
        return new PythonFacts(place, kind, version, PackagesIn(source, libraries.Select(l => $"{place}/lib/{l.Name}/site-packages")));
    }

    /// <summary><c>version = 3.11.2</c>, or of virtualenv and uv <c>version_info = 3.11.2.final.0</c>.</summary>
    private static string? Version(string settings)
    {
        var fields = TextFields.Assignments(settings);
        return fields.GetValueOrDefault("version") ?? (fields.GetValueOrDefault("version_info") is { } full ? string.Join('.', full.Split('.').Take(3)) : null);
    }

    /// <summary><c>conda-meta/python-3.11.9-h955ad1f_0.json</c></summary>
    private static string? OfConda(FactSource source, string place) =>
        source.List($"{place}/conda-meta").FirstOrDefault(n => n.StartsWith("python-3", StringComparison.Ordinal))?.Split('-')[1];

    private static List<(string Name, int Minor)> Libraries(FactSource source, string place) =>
        [.. source.List($"{place}/lib").Select(n => (Name: n, Minor: TextFields.Index(n, "python3.") ?? -1)).Where(l => l.Minor >= 0).OrderBy(l => l.Minor)];

    /// <summary>Distributions keep packages of all their versions in one directory, and programs' own in /usr/local.</summary>
    private static IEnumerable<PythonFacts> OfSystem(FactSource source)
    {
        foreach (var prefix in (string[])["/usr", "/usr/local"])
        {
            foreach (var (name, minor) in Libraries(source, prefix))
            {
                if (!source.Has($"{prefix}/bin/{name}")) continue;
                string[] places = [$"{prefix}/lib/python3/dist-packages", $"{prefix}/lib/{name}/dist-packages", $"{prefix}/lib/{name}/site-packages", $"/usr/local/lib/{name}/dist-packages"];
                yield return new PythonFacts(prefix, "system", $"3.{minor}", PackagesIn(source, places.Distinct()));
            }
        }
    }

    private static List<FrameworkFacts> PackagesIn(FactSource source, IEnumerable<string> places)
    {
        var found = new Dictionary<string, FrameworkFacts>(StringComparer.Ordinal);
        foreach (var place in places)
        {
            foreach (var entry in source.List(place))
            {
                if (!entry.EndsWith(".dist-info", StringComparison.Ordinal) && !entry.EndsWith(".egg-info", StringComparison.Ordinal)) continue;
                var parts = entry[..^(entry[^10] == '.' ? 10 : 9)].Split('-');
                // Names are written with underscores here and with dashes elsewhere.
                var package = parts[0].Replace('_', '-').ToLowerInvariant();
                if (parts.Length >= 2 && Frameworks.Contains(package)) found.TryAdd(package, new FrameworkFacts(package, parts[1], Cuda(source, place, package, parts[1])));
            }
        }

        return [.. found.Values.OrderBy(f => f.Package, StringComparer.Ordinal)];
    }

    /// <summary><c>2.4.0+cu121</c> says it; PyTorch's default build says it in <c>torch/version.py</c>: <c>cuda: Optional[str] = '12.4'</c>.</summary>
    private static string? Cuda(FactSource source, string place, string package, string version)
    {
        var local = version.IndexOf("+cu", StringComparison.Ordinal);
        if (local >= 0 && version.Length - local >= 6) return $"{version[(local + 3)..^1]}.{version[^1]}";
        if (package != "torch") return null;
        foreach (var line in (source.Text($"{place}/torch/version.py") ?? "").Split('\n'))
        {
            if (line.StartsWith("cuda", StringComparison.Ordinal) && line.Split('\'') is [_, var cuda, ..]) return cuda;
        }

        return null;
    }
}
