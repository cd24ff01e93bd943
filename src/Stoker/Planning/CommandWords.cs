using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>The command of a process as it is started: its entry point, then its command.</summary>
internal static class CommandWords
{
    public static IReadOnlyList<string> Of(ServiceSpec spec) => (spec.Entrypoint, spec.Command) switch
    {
        ({ Count: > 0 } entrypoint, { Count: > 0 } command) => [.. entrypoint, .. command],
        ({ Count: > 0 } entrypoint, _) => entrypoint,
        (_, { } command) => command,
        _ => [],
    };

    /// <summary>What <see cref="Observed.Executables"/> must answer for before this estate is planned.</summary>
    public static IReadOnlySet<string> ToLookUp(EstateSpec estate)
    {
        var words = estate.Services.Values.Where(s => !s.IsContainer).Select(Of).Where(words => words.Count > 0).Select(words => words[0]).ToHashSet(StringComparer.Ordinal);
        if (MpsDaemons.AreWanted(estate)) words.Add(MpsDaemons.Program);
        return words;
    }
}
