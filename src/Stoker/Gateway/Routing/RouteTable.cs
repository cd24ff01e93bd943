using System.Collections.Frozen;
using System.Text;

namespace Stoker.Gateway.Routing;

/// <summary>Names and aliases to routes. Immutable, replaced as a whole by <see cref="Router.Apply"/>.</summary>
internal sealed class RouteTable
{
    /// <summary>The longest name that is looked up.</summary>
    public const int LongestName = 512;

    private readonly FrozenDictionary<string, Route> _byName;
    private readonly FrozenDictionary<string, Route>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    /// <param name="routes">Of specs that passed <see cref="Check"/>.</param>
    public RouteTable(IReadOnlyList<Route> routes)
    {
        Routes = routes;
        _byName = routes.SelectMany(route => Names(route.Spec).Select(name => (name, route))).ToFrozenDictionary(r => r.name, r => r.route, StringComparer.Ordinal);
        _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public static RouteTable Empty { get; } = new([]);

    /// <summary>In the order of the plan.</summary>
    public IReadOnlyList<Route> Routes { get; }

    /// <summary>By name or alias, case-sensitive.</summary>
    public Route? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>By the UTF-8 bytes of the request, without their escapes; allocates nothing.</summary>
    public Route? Find(ReadOnlySpan<byte> name)
    {
        if (name.Length > LongestName) return null;
        Span<char> text = stackalloc char[LongestName];
        return Encoding.UTF8.TryGetChars(name, text, out var written) && _bySpan.TryGetValue(text[..written], out var route) ? route : null;
    }

    /// <summary>The next model to try instead of one.</summary>
    public Route? NextFallback(Route asked, ref FallbackCourse course)
    {
        while (course.Next < asked.Spec.Fallbacks.Count)
        {
            var fallback = asked.Spec.Fallbacks[course.Next++];
            if ((fallback.When & course.Case) != 0 && Find(fallback.Model.Value) is { } route && route != asked) return route;
        }

        return null;
    }

    /// <exception cref="ArgumentException">The specs contradict each other: whoever wrote the plan has not checked it.</exception>
    public static void Check(IReadOnlyList<RouteSpec> specs)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (specs.SelectMany(Names).FirstOrDefault(name => !names.Add(name)) is { } twice) throw new ArgumentException($"two routes are named `{twice}`");
        foreach (var spec in specs)
        {
            if (spec.Fallbacks.FirstOrDefault(f => !names.Contains(f.Model.Value)) is { } lost)
                throw new ArgumentException($"`{spec.Name}` falls back to `{lost.Model}`, which is no route");
            if (spec.Replicas.GroupBy(r => r.Id).FirstOrDefault(same => same.Count() > 1) is { } doubled)
                throw new ArgumentException($"`{spec.Name}` has two replicas `{doubled.Key}`");
            if (spec.Replicas.FirstOrDefault(r => !(r.Weight > 0 && double.IsFinite(r.Weight))) is { } weightless)
                throw new ArgumentException($"`{weightless.Id}` has the weight {weightless.Weight}, which is not above 0");
            if (spec.Replicas.FirstOrDefault(r => r.CanaryShare is < 0 or > 1) is { } canary)
                throw new ArgumentException($"`{canary.Id}` has the share {canary.CanaryShare}, which is not from 0 to 1");
            if (spec.Replicas.Sum(r => r.CanaryShare ?? 0) > 1 + 1e-9) throw new ArgumentException($"the canaries of `{spec.Name}` have more than all requests");
        }
    }

    private static IEnumerable<string> Names(RouteSpec spec) => spec.Aliases.Prepend(spec.Name).Select(name => name.Value);
}
