using System.Buffers.Binary;
using System.Text.Json;
using Stoker.Platform;

namespace Stoker.Models;

/// <summary>What is there of a model's files on this machine.</summary>
internal abstract record FilesOutcome
{
    /// <param name="Bytes">Of all files of the model.</param>
    internal sealed record Complete(string Path, long Bytes, string Why) : FilesOutcome;

    /// <param name="Missing">In words: files that are named and not there, or shorter than they say.</param>
    internal sealed record Incomplete(string Path, long Bytes, string Missing) : FilesOutcome;

    internal sealed record Absent(string Path) : FilesOutcome;

    /// <summary>There is something, or may be, and nothing says whether it is all.</summary>
    internal sealed record Unknown(string Why) : FilesOutcome
    {
        public string? Path { get; init; }

        public long? Bytes { get; init; }
    }
}

/// <summary>
/// Looks whether a model's files are here and whole, without reading weights: a directory of safetensors by its index and by the headers of
/// its files, a GGUF file by its header, the caches of Hugging Face and Ollama by their own bookkeeping.
/// </summary>
/// <param name="variables">Of the environment, for where the caches are.</param>
internal sealed class ModelFiles(IReadOnlyDictionary<string, string> variables)
{
    private const int LongestHeader = 100 << 20;

    public FilesOutcome Look(ModelSpec model)
    {
        try
        {
            return model.Engine switch
            {
                EngineKind.OpenAi => new FilesOutcome.Unknown("it is served elsewhere"),
                EngineKind.Simulator => new FilesOutcome.Unknown("a simulator has no files"),
                EngineKind.Ollama => LookInOllama(model),
                _ when model.Path is { } path => LookAt(path),
                _ => LookInHuggingFace(model.Model!),
            };
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new FilesOutcome.Unknown(refused.Message) { Path = model.Path };
        }
    }

    private static FilesOutcome LookAt(string path)
    {
        if (Files.DirectoryExists(path)) return LookAtDirectory(path, path);
        if (!Files.Exists(path)) return new FilesOutcome.Absent(path);
        return path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? LookAtGguf(path)
            : new FilesOutcome.Unknown("a single file of a kind that does not say how long it should be") { Path = path, Bytes = SizeOf(path) };
    }

    /// <param name="directory">Where the files are; links into a cache are followed.</param>
    private static FilesOutcome LookAtDirectory(string directory, string shown)
    {
        var files = Files.List(directory);
        var bytes = files.Sum(SizeOf);
        var index = files.FirstOrDefault(f => f.EndsWith(".safetensors.index.json", StringComparison.Ordinal));
        var weights = files.Where(f => f.EndsWith(".safetensors", StringComparison.Ordinal)).Select(Path.GetFileName).OfType<string>().ToList();
        IReadOnlyCollection<string> wanted = index is null ? weights : IndexedFiles(index);
        if (wanted.Count == 0)
        {
            return files.FirstOrDefault(f => f.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)) is { } gguf ? LookAtGguf(gguf)
                : files.Count == 0 ? new FilesOutcome.Absent(shown)
                : new FilesOutcome.Unknown("neither safetensors nor GGUF files: nothing says what belongs to it") { Path = shown, Bytes = bytes };
        }

        var missing = wanted.Where(f => !weights.Contains(f)).Order(StringComparer.Ordinal).ToList();
        var cut = weights.Where(f => wanted.Contains(f) && !IsWhole(Path.Combine(directory, f))).Order(StringComparer.Ordinal).ToList();
        var partial = files.Count(f => f.EndsWith(".incomplete", StringComparison.Ordinal) || f.EndsWith(".part", StringComparison.Ordinal));
        if (!files.Any(f => Path.GetFileName(f) is "config.json" or "params.json")) missing.Add("config.json");
        List<string> problems = [];
        if (missing.Count > 0) problems.Add($"{missing.Count} of {wanted.Count + 1} files are missing: {Named(missing)}");
        if (cut.Count > 0) problems.Add($"shorter than {(cut.Count == 1 ? "it says" : "they say")}: {Named(cut)}");
        if (partial > 0) problems.Add($"{partial} being fetched");
        if (problems.Count > 0) return new FilesOutcome.Incomplete(shown, bytes, string.Join("; ", problems));
        return new FilesOutcome.Complete(shown, bytes, $"{wanted.Count} file{(wanted.Count == 1 ? "" : "s")} of weights{(index is null ? "" : ", as the index lists them")}");
    }

    private static string Named(List<string> files) => string.Join(", ", files.Take(3)) + (files.Count > 3 ? ", …" : "");

    /// <summary><c>{"metadata":{…},"weight_map":{"lm_head.weight":"model-00002-of-00002.safetensors",…}}</c></summary>
    private static HashSet<string> IndexedFiles(string index)
    {
        try
        {
            using var json = JsonDocument.Parse(Files.ReadAllBytes(index));
            return json.RootElement.TryGetProperty("weight_map", out var map) && map.ValueKind == JsonValueKind.Object
                ? [.. map.EnumerateObject().Where(e => e.Value.ValueKind == JsonValueKind.String).Select(e => e.Value.GetString()!)]
                : [];
        }
        catch (JsonException)
        {
            return [Path.GetFileName(index)];
        }
    }

    /// <summary>Eight bytes: the length of the header; the header, JSON with <c>"data_offsets":[from,to]</c> for each tensor; the tensors.</summary>
    private static bool IsWhole(string file)
    {
        using var stream = Files.OpenRead(file);
        Span<byte> length = stackalloc byte[8];
        if (stream.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8) return false;
        var header = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (header is <= 0 or > LongestHeader) return false;
        var bytes = new byte[header];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) return false;
        try
        {
            using var json = JsonDocument.Parse(bytes);
            var end = 0L;
            foreach (var tensor in json.RootElement.EnumerateObject())
            {
                if (tensor.Value.ValueKind == JsonValueKind.Object && tensor.Value.TryGetProperty("data_offsets", out var offsets)) end = Math.Max(end, offsets[1].GetInt64());
            }

            return SizeOf(file) >= 8 + header + end;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            return false;
        }
    }

    /// <summary>Magic, version, number of tensors; where the last tensor ends is only known from all of the header, which is not read.</summary>
    private static FilesOutcome LookAtGguf(string path)
    {
        var bytes = SizeOf(path);
        Span<byte> head = stackalloc byte[16];
        using (var stream = Files.OpenRead(path))
        {
            if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length) return new FilesOutcome.Incomplete(path, bytes, "it ends within its header");
        }

        if (!head[..4].SequenceEqual("GGUF"u8)) return new FilesOutcome.Incomplete(path, bytes, "it does not begin as a GGUF file does");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        var tensors = BinaryPrimitives.ReadUInt64LittleEndian(head[8..]);
        return new FilesOutcome.Unknown($"GGUF version {version} with {tensors} tensors; its header does not say how long the file is") { Path = path, Bytes = bytes };
    }

    /// <summary><c>$HF_HOME/hub/models--ORG--NAME/{blobs,refs,snapshots}</c>; a blob that is being fetched ends with <c>.incomplete</c>.</summary>
    private FilesOutcome LookInHuggingFace(string model)
    {
        if (model.StartsWith('/') || model.StartsWith("./", StringComparison.Ordinal)) return LookAt(model);
        var home = variables.GetValueOrDefault("HF_HOME") ?? Path.Combine(variables.GetValueOrDefault("XDG_CACHE_HOME") ?? Path.Combine(Home, ".cache"), "huggingface");
        var hub = variables.GetValueOrDefault("HF_HUB_CACHE") ?? Path.Combine(home, "hub");
        var directory = Path.Combine(hub, $"models--{model.Replace("/", "--", StringComparison.Ordinal)}");
        if (!Files.DirectoryExists(directory)) return new FilesOutcome.Absent(directory);
        var blobs = Path.Combine(directory, "blobs");
        IReadOnlyList<string> held = Files.DirectoryExists(blobs) ? Files.List(blobs) : [];
        var fetching = held.Where(f => f.EndsWith(".incomplete", StringComparison.Ordinal)).ToList();
        if (fetching.Count > 0)
            return new FilesOutcome.Incomplete(directory, held.Sum(SizeOf), $"{fetching.Count} file{(fetching.Count == 1 ? " is" : "s are")} being fetched, or was broken off");
        var main = Path.Combine(directory, "refs", "main");
        if (Files.ReadIfPresent(main) is not { } revision) return new FilesOutcome.Unknown("the cache does not say which revision is whole") { Path = directory, Bytes = held.Sum(SizeOf) };
        var snapshot = Path.Combine(directory, "snapshots", System.Text.Encoding.UTF8.GetString(revision).Trim());
        return Files.DirectoryExists(snapshot) ? LookAtDirectory(snapshot, directory) : new FilesOutcome.Absent(directory);
    }

    /// <summary><c>$OLLAMA_MODELS/manifests/registry.ollama.ai/library/NAME/TAG</c> lists layers, <c>blobs/sha256-…</c> holds them.</summary>
    private FilesOutcome LookInOllama(ModelSpec model)
    {
        var root = model.Path ?? variables.GetValueOrDefault("OLLAMA_MODELS") ?? Path.Combine(Home, ".ollama", "models");
        var (name, tag) = model.Model!.LastIndexOf(':') is var colon && colon > model.Model.LastIndexOf('/') ? (model.Model[..colon], model.Model[(colon + 1)..]) : (model.Model, "latest");
        string[] parts = [.. name.Split('/')];
        var relative = parts.Length switch { 1 => $"registry.ollama.ai/library/{name}", 2 => $"registry.ollama.ai/{name}", _ => name };
        var manifest = Path.Combine(root, "manifests", relative, tag);
        if (Files.ReadIfPresent(manifest) is not { } bytes) return new FilesOutcome.Absent(manifest);
        try
        {
            using var json = JsonDocument.Parse(bytes);
            var layers = json.RootElement.GetProperty("layers").EnumerateArray()
                .Select(l => (Blob: Path.Combine(root, "blobs", l.GetProperty("digest").GetString()!.Replace(':', '-')), Size: l.GetProperty("size").GetInt64())).ToList();
            var wrong = layers.Count(l => !Files.Exists(l.Blob) || Files.Length(l.Blob) != l.Size);
            var here = layers.Where(l => Files.Exists(l.Blob)).Sum(l => Files.Length(l.Blob));
            return wrong == 0
                ? new FilesOutcome.Complete(manifest, here, $"{layers.Count} layers, as the manifest lists them")
                : new FilesOutcome.Incomplete(manifest, here, $"{wrong} of {layers.Count} layers are missing or not as long as the manifest says");
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new FilesOutcome.Unknown("the manifest cannot be read") { Path = manifest };
        }
    }

    private string Home => variables.GetValueOrDefault("HOME") ?? "/";

    private static long SizeOf(string file)
    {
        var target = Files.ResolveLinks(file);
        return Files.Exists(target) ? Files.Length(target) : 0;
    }
}
