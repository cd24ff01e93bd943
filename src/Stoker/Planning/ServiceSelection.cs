using Stoker.Diagnostics;
using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>
/// Which services take part, as Compose decides it: those without profiles or with an active one; of these, when services
/// are named, the named ones and what they depend on; and those that were named before. Naming a service activates its profiles.
/// </summary>
internal sealed record ServiceSelection(IReadOnlyList<ServiceSpec> Selected, IReadOnlySet<ServiceName> Active)
{
    public static ServiceSelection For(EstateSpec estate, PlanRequest request, DiagnosticBag bag)
    {
        CheckProfiles(estate, request, bag);
        var named = Named(estate, request, bag);
        var beside = request.Beside.Select(n => estate.Services.GetValueOrDefault(n)).OfType<ServiceSpec>().ToList();
        var profiles = request.Profiles.Concat(named.SelectMany(s => s.Profiles)).ToHashSet(StringComparer.Ordinal);
        var asked = ActiveWith(estate, profiles);
        profiles.UnionWith(beside.SelectMany(s => s.Profiles));
        var active = beside.Count == 0 ? asked : ActiveWith(estate, profiles);
        var chosen = request.Names.Count == 0 ? asked : WithDependencies(estate, named, active);
        if (beside.Count > 0) chosen = [.. chosen, .. WithDependencies(estate, beside, active)];
        var selected = chosen.Select(n => estate.Services[n]).OrderBy(s => s.Name).ToList();
        foreach (var service in selected) CheckDependencies(estate, service, active, bag);
        return new ServiceSelection(selected, active);
    }

    private static HashSet<ServiceName> ActiveWith(EstateSpec estate, HashSet<string> profiles) =>
        [.. estate.Services.Values.Where(s => s.Profiles.Count == 0 || profiles.Contains("*") || s.Profiles.Any(profiles.Contains)).Select(s => s.Name)];

    private static List<ServiceSpec> Named(EstateSpec estate, PlanRequest request, DiagnosticBag bag)
    {
        var named = new List<ServiceSpec>();
        foreach (var name in request.Names.Distinct())
        {
            if (estate.Services.TryGetValue(name, out var service))
            {
                named.Add(service);
                continue;
            }

            bag.Add(
                PlanDiagnostics.UnknownName,
                SourcePosition.Whole(estate.File),
                $"there is no service `{name}`",
                Suggestion.For(name.Value, estate.Services.Keys.Order().Select(s => s.Value)));
        }

        return named;
    }

    private static HashSet<ServiceName> WithDependencies(EstateSpec estate, List<ServiceSpec> named, HashSet<ServiceName> active)
    {
        var byGroup = estate.Services.Values
            .Where(s => s.Group is not null && active.Contains(s.Name))
            .ToLookup(s => s.Group!.Value.Value);
        var chosen = new HashSet<ServiceName>();
        var groups = new HashSet<GroupName>();
        var open = new Stack<ServiceSpec>(named);
        while (open.TryPop(out var service))
        {
            if (!chosen.Add(service.Name)) continue;
            foreach (var name in service.DependsOn.Keys)
            {
                if (active.Contains(name)) open.Push(estate.Services[name]);
            }

            if (service.Group is not { } own || !groups.Add(own.Value) || !estate.Groups.TryGetValue(own.Value, out var group)) continue;
            foreach (var brought in group.DependsOn.SelectMany(g => byGroup[g.Value])) open.Push(brought);
        }

        return chosen;
    }

    private static void CheckDependencies(EstateSpec estate, ServiceSpec service, HashSet<ServiceName> active, DiagnosticBag bag)
    {
        foreach (var dependency in service.DependsOn.Values)
        {
            if (active.Contains(dependency.Service)) continue;
            if (!estate.Services.TryGetValue(dependency.Service, out var inactive))
            {
                bag.Add(
                    dependency.Required ? PlanDiagnostics.UnknownReference : PlanDiagnostics.OptionalDependencyMissing,
                    dependency.Where,
                    $"service `{service.Name}` depends on unknown service `{dependency.Service}`",
                    Suggestion.For(dependency.Service.Value, estate.Services.Keys.Order().Select(s => s.Value)));
                continue;
            }

            bag.Add(
                dependency.Required ? PlanDiagnostics.InactiveDependency : PlanDiagnostics.OptionalDependencyMissing,
                dependency.Where,
                $"service `{service.Name}` depends on `{dependency.Service}`, which is not active: {Inactive(inactive)}"
                    + (dependency.Required ? "" : "; it starts without it"),
                $"activate it with `--profile {inactive.Profiles[0]}`");
        }
    }

    /// <summary>Why a service is not active, in words.</summary>
    public static string Inactive(ServiceSpec service) => service.Profiles.Count == 1
        ? $"its profile `{service.Profiles[0]}` was not asked for"
        : $"none of its profiles {Words.List(service.Profiles)} was asked for";

    private static void CheckProfiles(EstateSpec estate, PlanRequest request, DiagnosticBag bag)
    {
        var known = estate.Services.Values.SelectMany(s => s.Profiles).Append("*").ToHashSet(StringComparer.Ordinal);
        foreach (var profile in request.Profiles.Where(p => !known.Contains(p)).Order(StringComparer.Ordinal))
        {
            bag.Add(
                PlanDiagnostics.UnknownProfile,
                SourcePosition.Whole(estate.File),
                $"no service has the profile `{profile}`",
                Suggestion.For(profile, known.Where(k => k != "*").Order(StringComparer.Ordinal)));
        }
    }
}
