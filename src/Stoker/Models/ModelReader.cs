using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;

namespace Stoker.Models;

/// <summary>Reads one entry of <c>models:</c> whose shape has been checked. What it says about its service is read by <see cref="ModelService"/>.</summary>
internal sealed class ModelReader(ReadContext context, DiagnosticBag bag)
{
    /// <summary>What is put on a started engine, and has nothing to be put on where nothing is started.</summary>
    private static readonly string[] OfEngines =
        ["path", "command", "runtime_flags", "args", "replicas", "gpu", "resources", "port", "listen", "load", "idle", .. ModelKeys.OfServices];

    /// <returns>Null: nothing serves it, or nothing can; which was said.</returns>
    public ModelSpec? Read(string key, ScalarNode name, MappingNode map)
    {
        if (EngineOf(key, name, map) is not { } engine) return null;
        var spec = new ModelSpec(key, engine, name.Where)
        {
            Name = map.Text("name") is { Length: > 0 } given ? given : key,
            Aliases = [.. map.Strings("aliases").Select(a => a.Value)],
            Path = map.PositionedText("path") is { } path ? context.PathAt(path.Value, path.Where) : null,
            Model = map.Text("model"),
            Upstreams = [.. Upstreams(key, map)],
            ApiKey = ReadApiKey(key, map),
            Arguments = [.. map.Strings("runtime_flags").Concat(map.Strings("args")).Select(a => a.Value)],
            Port = map.Int("port") is { } port ? new Positioned<int>(port, map.Find("port")!.Where) : null,
            Listen = ReadListen(key, map),
            ContextSize = map.Int("context_size"),
            MaxConcurrency = map.Int("max_concurrency"),
            Fallbacks = [.. map.Strings("fallbacks").Select(f => f.Value)],
            Canary = map.Map("canary") is { } canary ? new CanarySpec(canary.Text("of") ?? "", (canary.Number("share") ?? 0) / 100) : null,
            Load = ReadLoad(map.Map("load")),
            UnloadAfter = map.Map("idle").Duration("unload_after"),
            Timeouts = ReadTimeouts(map.Map("timeouts")),
            Floor = map.Map("check")?.Number("floor") ?? ModelSpec.UsualFloor,
        };
        return IsSound(spec, map) ? spec : null;
    }

    private EngineKind? EngineOf(string key, ScalarNode name, MappingNode map)
    {
        if (map.Text("engine") is { } word)
        {
            // An unknown word was reported with the words there are.
            return Array.IndexOf(ModelKeys.Engines, word) is >= 0 and var at ? (EngineKind)at : null;
        }

        if (map.Find("url") is not null) return EngineKind.OpenAi;
        if (map.Find("engine") is null)
        {
            bag.Add(ModelDiagnostics.NoEngine, name.Where, $"model `{key}` is served by nothing: it has neither `engine` nor `url`",
                $"say what serves it, as in `engine: vllm`, or where it is served, as in `url: http://127.0.0.1:12434/engines/v1`");
        }

        return null;
    }

    private bool IsSound(ModelSpec spec, MappingNode map)
    {
        WarnOfKeysWithoutEffect(spec, map);
        foreach (var (name, where) in map.Strings("aliases").Prepend(new Positioned<string>(spec.Name, map.Find("name")?.Where ?? spec.Where)))
        {
            if (name.Any(char.IsControl) || name.Length > 256)
                bag.Add(ModelDiagnostics.InvalidName, where, $"model `{spec.Key}` has a name that no client can ask for: it is longer than 256 characters, or has control characters");
        }

        return spec.Engine switch
        {
            EngineKind.OpenAi => HasUrl(spec, map),
            EngineKind.Simulator => true,
            _ => SaysWhichModel(spec, map),
        };
    }

    private bool HasUrl(ModelSpec spec, MappingNode map)
    {
        if (map.Find("url") is null)
        {
            bag.Add(ModelDiagnostics.NoUrl, spec.Where, $"model `{spec.Key}` is served by what runs already, and does not say where: it has no `url`",
                "`url: http://HOST:PORT/v1`");
        }

        return spec.Upstreams.Count > 0;
    }

    private bool SaysWhichModel(ModelSpec spec, MappingNode map)
    {
        var engine = ModelKeys.Engines[(int)spec.Engine];
        if (spec.Path is null && spec.Model is null)
        {
            bag.Add(ModelDiagnostics.NoModel, spec.Where, $"model `{spec.Key}` does not say which model it is: neither `path` nor `model`",
                spec.Engine == EngineKind.Ollama ? "`model`, an Ollama tag such as `llama3.2:3b`" : "`path` to its files, or `model`, a Hugging Face id");
            return false;
        }

        if (map.PositionedText("path") is not { } path) return true;
        if (spec.Engine == EngineKind.Ollama && spec.Model is null)
        {
            bag.Add(ModelDiagnostics.NoModel, path.Where, $"model `{spec.Key}` has a `path`, where Ollama keeps all its models, and does not say which of them it is",
                "add `model`, an Ollama tag such as `llama3.2:3b`");
            return false;
        }

        var isGguf = path.Value.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (spec.Engine is EngineKind.Tgi && isGguf)
        {
            bag.Add(ModelDiagnostics.PathForm, path.Where, $"model `{spec.Key}` has `path` `{path.Value}`, and engine `{engine}` loads directories of safetensors",
                "name the directory, or take `engine: llamacpp`");
        }
        else if (spec.Engine == EngineKind.Llamacpp && !isGguf)
        {
            bag.Add(ModelDiagnostics.PathForm, path.Where, $"model `{spec.Key}` has `path` `{path.Value}`, and engine `llamacpp` loads one file that ends with `.gguf`",
                "name the file (of a model in several files the first), or take `engine: vllm`");
        }

        return true;
    }

    private void WarnOfKeysWithoutEffect(ModelSpec spec, MappingNode map)
    {
        var engine = ModelKeys.Engines[(int)spec.Engine];
        IEnumerable<(string Key, string Why)> idle = spec.Engine switch
        {
            EngineKind.OpenAi => OfEngines.Select(key => (key, "what runs at `url` is not started here")),
            EngineKind.Simulator => [("path", "the simulator loads nothing"), .. Url("its server is started here")],
            EngineKind.Ollama =>
            [
                ("runtime_flags", "`ollama serve` takes no flags: it is set up by `environment`"),
                ("args", "`ollama serve` takes no flags: it is set up by `environment`"),
                .. Url("its server is started here"),
            ],
            _ => Url("its server is started here"),
        };
        foreach (var (key, why) in idle)
        {
            if (map.Find(key) is not null)
                bag.Add(ModelDiagnostics.NoEffect, map.WhereOf(key), $"model `{spec.Key}` has `{key}`, which has no effect for engine `{engine}`: {why}");
        }

        static IEnumerable<(string, string)> Url(string why) => [("url", why), ("api_key", why)];
    }

    private IEnumerable<UpstreamSpec> Upstreams(string key, MappingNode map)
    {
        var nodes = map.Find("url") switch
        {
            SequenceNode list => list.Items,
            ScalarNode { Value: not null } one => [one],
            _ => [],
        };
        foreach (var node in nodes)
        {
            var text = node is MappingNode entry ? entry.PositionedText("url") : node is ScalarNode { Value: { } value } ? new Positioned<string>(value, node.Where) : null;
            if (text is not { } url) continue;
            if (Uri.TryCreate(url.Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0 && uri.Query.Length == 0 && uri.UserInfo.Length == 0)
                yield return new UpstreamSpec(uri, (node as MappingNode).Int("weight") ?? 1);
            else
            {
                bag.Add(ModelDiagnostics.NoUrl, url.Where, $"model `{key}` has `url` `{url.Value}`, which is no http or https URL without query and password",
                    url.Value.Contains("://", StringComparison.Ordinal) ? "a key goes into `api_key`" : $"`http://{url.Value}`");
            }
        }
    }

    private ApiKeySpec? ReadApiKey(string key, MappingNode map)
    {
        if (map.Map("api_key") is not { } source) return null;
        var file = source.PositionedText("file");
        var variable = source.Text("environment");
        if (file is null == variable is null)
        {
            bag.Add(ModelDiagnostics.NoKey, source.Where, $"model `{key}` has an `api_key` with {(file is null ? "no source" : "two sources")}", "give it `file` or `environment`");
            return null;
        }

        return new ApiKeySpec(file is { } path ? context.PathAt(path.Value, path.Where) : null, variable);
    }

    private string? ReadListen(string key, MappingNode map)
    {
        if (map.PositionedText("listen") is not { } listen) return null;
        if (System.Net.IPAddress.TryParse(listen.Value, out _)) return listen.Value;
        bag.Add(ModelDiagnostics.InvalidListen, listen.Where, $"model `{key}` has `listen` `{listen.Value}`, which is no IP address",
            "an address without a port, as in `0.0.0.0`; the port is `port`");
        return null;
    }

    private static LoadSpec ReadLoad(MappingNode? map)
    {
        var defaults = new LoadSpec();
        return new LoadSpec(map.Text("policy") == "on_request" ? LoadPolicy.OnRequest : defaults.Policy, map.Duration("timeout") ?? defaults.Timeout);
    }

    private static ModelTimeouts ReadTimeouts(MappingNode? map) => new()
    {
        Connect = map.Duration("connect"),
        FirstByte = map.Duration("first_byte"),
        BetweenChunks = map.Duration("between_chunks"),
        Total = map.Duration("total"),
    };
}
