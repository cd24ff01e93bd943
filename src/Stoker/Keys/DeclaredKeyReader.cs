using System.Globalization;
using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Limits;
using Stoker.Platform;

namespace Stoker.Keys;

/// <summary>
/// Reads the keys that an estate file declares. The shapes have been checked against <see cref="DeclaredKeyTables.Shape"/> before; here is what
/// shapes cannot say. Reading looks at no secret, so that <c>stoker check</c> works anywhere; <see cref="Resolve"/> does, where the gateway runs.
/// </summary>
internal static class DeclaredKeyReader
{
    /// <summary>SHA-256 without salt is enough only where nobody can try all secrets: 24 characters of base 62 have 142 bits.</summary>
    private const int LeastLength = 24;

    /// <param name="keys">The value of <c>gateway.keys</c>; null: none declared.</param>
    /// <param name="directory">Absolute; relative paths start there.</param>
    public static IReadOnlyList<DeclaredKeySpec> Read(Node? keys, string directory, DiagnosticBag bag) =>
        ReadAll(keys, KeyPath.Root.Key("gateway").Key("keys"), null, directory, bag);

    /// <summary>Keys for one stream alone.</summary>
    /// <param name="keys">The value of <c>streams.NAME.keys</c>; null: none declared.</param>
    public static IReadOnlyList<DeclaredKeySpec> ReadOfStream(Node? keys, string stream, string directory, DiagnosticBag bag) =>
        ReadAll(keys, KeyPath.Root.Key("streams").Key(stream).Key("keys"), stream, directory, bag);

    /// <summary>One mapping of limits, as models have them too.</summary>
    /// <param name="path">For messages: <c>gateway.keys.ci.limits</c>.</param>
    public static LimitSpec ReadLimit(MappingNode? map, string path, DiagnosticBag bag) => new(
        Count(map, "requests_per_minute", path, bag),
        Count(map, "tokens_per_minute", path, bag),
        map.Int("concurrent"));

    /// <summary>Names without <c>*</c> have to be those of models or aliases.</summary>
    public static void CheckModels(MappingNode? keys, IReadOnlyCollection<string> names, DiagnosticBag bag)
    {
        foreach (var (name, _, value) in keys.Named())
        {
            var map = value as MappingNode;
            var limited = map.Map("limits").Named("models").Select(m => new Positioned<string>(m.Name, m.Key.Where));
            foreach (var (model, where) in map.Strings("models").Concat(limited))
            {
                if (NamePattern.HasWildcard(model) || names.Contains(model)) continue;
                bag.Add(KeyDiagnostics.UnknownModel, where, $"key `{name}` names unknown model `{model}`", Suggestion.For(model, names) ?? "declare it in `models`");
            }
        }
    }

    /// <param name="keys">The value of <c>gateway.keys</c>; null: none declared.</param>
    public static void CheckStreams(MappingNode? keys, IReadOnlyCollection<string> streams, DiagnosticBag bag)
    {
        foreach (var (name, _, value) in keys.Named())
        {
            foreach (var (stream, where) in (value as MappingNode).Strings("streams").Where(stream => !streams.Contains(stream.Value)))
                bag.Add(KeyDiagnostics.UnknownStream, where, $"key `{name}` names unknown stream `{stream}`", Suggestion.For(stream, streams) ?? "declare it in `streams`");
        }
    }

    /// <summary>Fetches the secrets and keeps their hashes.</summary>
    /// <param name="variables">The daemon's environment.</param>
    public static IReadOnlyList<DeclaredKey> Resolve(IReadOnlyList<DeclaredKeySpec> keys, IReadOnlyDictionary<string, string> variables, DiagnosticBag bag)
    {
        var found = new List<DeclaredKey>();
        foreach (var key in keys)
        {
            if (Fetch(key, variables, bag) is not { } secret) continue;
            if (secret.Length < LeastLength || !secret.All(c => c is > ' ' and < '\x7F'))
            {
                bag.Add(KeyDiagnostics.Weak, key.Where,
                    $"the secret of key `{key.Name}` is not {LeastLength} or more characters of printable ASCII without blanks",
                    "`openssl rand -hex 32` makes one");
            }
            else if (found.Exists(other => other.Hash.Equals(SecretHash.Of(secret))))
            {
                bag.Add(KeyDiagnostics.Clash, key.Where, $"key `{key.Name}` has the same secret as another key", "give each key a secret of its own");
            }
            else
            {
                found.Add(new DeclaredKey(key.Name, SecretHash.Of(secret), key.Expires, key.Terms));
            }
        }

        return found;
    }

    /// <summary>What the database refused, in words.</summary>
    public static void Report(IReadOnlyList<DeclaredKeyRefusal> refusals, IReadOnlyList<DeclaredKeySpec> keys, DiagnosticBag bag)
    {
        foreach (var refusal in refusals)
        {
            var where = keys.First(key => key.Name == refusal.Name).Where;
            if (refusal.Because == DeclaredKeyRefusal.Cause.NameTaken)
                bag.Add(KeyDiagnostics.Clash, where, $"key `{refusal.Name}` was made by `stoker key create` already", $"`stoker key revoke {refusal.Name}` first, or declare it by another name");
            else
                bag.Add(KeyDiagnostics.Clash, where, $"key `{refusal.Name}` has a secret that another key has or had", "give each key a secret of its own");
        }
    }

    /// <param name="stream">The only one that they are for; null: they are the gateway's.</param>
    private static IReadOnlyList<DeclaredKeySpec> ReadAll(Node? keys, KeyPath path, string? stream, string directory, DiagnosticBag bag) =>
        [.. (keys as MappingNode).Named().Select(entry => Read(entry.Name, entry.Key, entry.Value as MappingNode, path.Key(entry.Name).ToString(), stream, directory, bag))];

    private static DeclaredKeySpec Read(string name, ScalarNode key, MappingNode? map, string path, string? stream, string directory, DiagnosticBag bag)
    {
        var (file, variable) = (map.Text("file"), map.Text("environment"));
        if (map is not null && (file is null) == (variable is null) && (file is not null || (map.Find("file") ?? map.Find("environment")) is null))
        {
            bag.Add(KeyDiagnostics.Source, key.Where, file is null ? $"`{path}` does not say where its secret is" : $"`{path}` names both a `file` and an `environment`",
                "one of `file: PATH` and `environment: VARIABLE`; `stoker key create` makes keys that need neither");
        }

        return new DeclaredKeySpec(name, file is null ? null : Path.GetFullPath(file, directory), variable, Expires(map, path, bag), ReadTerms(map, path, stream, bag), key.Where);
    }

    private static KeyTerms ReadTerms(MappingNode? map, string path, string? stream, DiagnosticBag bag)
    {
        var limits = map.Map("limits");
        var budget = map.Map("budget");
        var models = limits.Named("models")
            .Select(m => new ModelLimit(m.Name, ReadLimit(m.Value as MappingNode, $"{path}.limits.models.{m.Name}", bag)));
        var scopes = map.Strings("scopes").Aggregate(KeyScopes.None, (sum, word) => sum | (KeyWords.Scope(word.Value) ?? KeyScopes.None));
        return new KeyTerms
        {
            Scopes = map?.Find("scopes") is not null ? scopes : stream is null ? KeyScopes.Inference : KeyScopes.Ingest,
            Models = [.. map.Strings("models").Select(m => m.Value)],
            Streams = stream is not null ? [stream] : [.. map.Strings("streams").Select(s => s.Value)],
            Limits = new KeyLimits(
                ReadLimit(limits, $"{path}.limits", bag) with { EventsPerMinute = Count(limits, "events_per_minute", $"{path}.limits", bag) },
                [.. models],
                Count(budget, "tokens", $"{path}.budget", bag) is { } tokens ? new BudgetSpec(tokens, KeyWords.Period(budget.Text("period") ?? "month") ?? BudgetPeriod.Month) : null),
            Priority = KeyWords.Priority(map.Text("priority") ?? "") ?? KeyPriority.Normal,
            Weight = map.Int("weight") ?? 1,
        };
    }

    private static long? Count(MappingNode? map, string key, string path, DiagnosticBag bag)
    {
        if (map.PositionedText(key) is not { Value.Length: > 0 } text) return null;
        if (TokenCount.Parse(text.Value) is { } count) return count;
        bag.Add(KeyDiagnostics.Count, text.Where, $"`{path}.{key}` must be {TokenCount.Grammar}, found `{text.Value}`");
        return null;
    }

    private static DateTimeOffset? Expires(MappingNode? map, string path, DiagnosticBag bag)
    {
        if (map.PositionedText("expires") is not { Value.Length: > 0 } text) return null;
        if (DateTimeOffset.TryParse(text.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)) return at;
        bag.Add(KeyDiagnostics.Moment, text.Where, $"`{path}.expires` must be a date or a time, found `{text.Value}`", "`2027-01-31`, or `2027-01-31T18:00:00Z`");
        return null;
    }

    private static string? Fetch(DeclaredKeySpec key, IReadOnlyDictionary<string, string> variables, DiagnosticBag bag)
    {
        if (key.Variable is { } variable)
        {
            if (variables.TryGetValue(variable, out var value) && value.Length > 0) return value;
            bag.Add(KeyDiagnostics.Unreadable, key.Where, $"the secret of key `{key.Name}` is in `{variable}`, which is not set", "set it in the environment that `stoker up` is started with");
            return null;
        }

        if (key.File is null) return null;
        try
        {
            return Encoding.UTF8.GetString(Files.ReadAllBytes(key.File)).TrimEnd('\n', '\r');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            bag.Add(KeyDiagnostics.Unreadable, key.Where, $"the secret of key `{key.Name}` cannot be read: {e.Message}");
            return null;
        }
    }
}
