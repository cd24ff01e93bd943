using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;

namespace Stoker.Models;

/// <summary>What is only right or wrong of all models together.</summary>
internal sealed class ModelChecks(EstateSpec estate, IReadOnlyList<ModelSpec> models, MappingNode section, DiagnosticBag bag)
{
    private readonly Dictionary<string, ModelSpec> _byKey = models.ToDictionary(m => m.Key);

    public void Check()
    {
        var names = new Dictionary<string, (string Model, SourcePosition Where)>(StringComparer.Ordinal);
        foreach (var model in models)
        {
            if (model.IsSupervised && estate.Services.TryGetValue(model.Service, out var service))
            {
                bag.Add(ModelDiagnostics.NameTaken, model.Where, $"model `{model.Key}` is run by a service of that name, and `services` has a `{model.Key}` too",
                    $"call one of them differently (the service is at {service.Where}); clients can be told another name by `name`");
            }

            CheckNames(model, names);
            foreach (var (fallback, where) in Map(model).Strings("fallbacks")) CheckReference(model, fallback, where, "falls back to");
            if (model.Canary is { } canary) CheckReference(model, canary.Of, Map(model).Map("canary")!.Find("of")?.Where ?? model.Where, "is a canary of");
        }

        CheckCycles();
    }

    /// <summary>A model that nobody starts keeps who waits for it waiting for ever.</summary>
    public static void CheckWaiting(IEnumerable<ServiceSpec> services, IReadOnlyDictionary<ServiceName, ServiceSpec> all, DiagnosticBag bag)
    {
        foreach (var service in services.Where(s => !s.StartsOnRequest))
        {
            foreach (var dependency in service.DependsOn.Values.Where(d => all.TryGetValue(d.Service, out var model) && model.StartsOnRequest))
            {
                bag.Add(ModelDiagnostics.WaitsForRequest, dependency.Where, $"service `{service.Name}` waits for model `{dependency.Service}`, which is only loaded on request",
                    "leave the dependency out, or give the model `load: {policy: start}`");
            }
        }
    }

    private void CheckNames(ModelSpec model, Dictionary<string, (string Model, SourcePosition Where)> names)
    {
        var where = Map(model).Find("name")?.Where ?? model.Where;
        foreach (var (name, at) in Map(model).Strings("aliases").Prepend(new Positioned<string>(model.Name, where)))
        {
            if (names.TryAdd(name, (model.Key, at))) continue;
            var other = names[name];
            bag.Add(ModelDiagnostics.RepeatedName, at,
                other.Model == model.Key ? $"model `{model.Key}` is called `{name}` twice" : $"model `{model.Key}` is called `{name}`, and so is model `{other.Model}`",
                $"first at {other.Where}");
        }
    }

    private void CheckReference(ModelSpec model, string other, SourcePosition where, string does)
    {
        if (other == model.Key) bag.Add(ModelDiagnostics.FallbackCycle, where, $"model `{model.Key}` {does} itself");
        else if (!_byKey.ContainsKey(other))
        {
            var byName = models.FirstOrDefault(m => m.Name == other || m.Aliases.Contains(other));
            if (section.Find(other) is { } unserved)
                bag.Add(ModelDiagnostics.UnknownModel, where, $"model `{model.Key}` {does} model `{other}`, which cannot be served as it is written", $"see {unserved.Where}");
            else
                bag.Add(ModelDiagnostics.UnknownModel, where, $"model `{model.Key}` {does} unknown model `{other}`",
                    byName is not null ? $"by its key: `{byName.Key}`" : Suggestion.For(other, section.Named().Select(m => m.Name)) ?? "declare it in `models`");
        }
    }

    private void CheckCycles()
    {
        var done = new HashSet<string>();
        foreach (var model in models)
        {
            var path = new List<string>();
            if (Leads(model.Key, path, done) is not { } start) continue;
            var cycle = path.SkipWhile(key => key != start).Append(start);
            bag.Add(ModelDiagnostics.FallbackCycle, _byKey[start].Where, $"fallbacks lead in a circle: {string.Join(" → ", cycle.Select(key => $"`{key}`"))}",
                "a request that fails everywhere would go round; take one of them out");
        }
    }

    /// <summary>The key at which a path of fallbacks comes back to itself; null when it does not.</summary>
    private string? Leads(string key, List<string> path, HashSet<string> done)
    {
        if (path.Contains(key)) return key;
        if (!_byKey.TryGetValue(key, out var model) || !done.Add(key)) return null;
        path.Add(key);
        foreach (var fallback in model.Fallbacks.Where(f => f != key))
        {
            if (Leads(fallback, path, done) is { } start) return start;
        }

        path.RemoveAt(path.Count - 1);
        return null;
    }

    private MappingNode Map(ModelSpec model) => section.Map(model.Key)!;
}
