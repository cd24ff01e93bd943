namespace Stoker.Diagnostics;

/// <summary>Finds the known word nearest to a mistyped one, for <c>did you mean `redis`?</c> hints.</summary>
internal static class Suggestion
{
    /// <summary>The hint text, or null when no known word is near enough to be worth proposing.</summary>
    public static string? For(string word, IEnumerable<string> known) =>
        Nearest(word, known) is { } near ? $"did you mean `{near}`?" : null;

    public static string? Nearest(string word, IEnumerable<string> known)
    {
        var limit = Math.Max(1, word.Length / 3);
        string? best = null;
        var bestDistance = limit + 1;
        foreach (var candidate in known)
        {
            if (Math.Abs(candidate.Length - word.Length) > limit) continue;
            var distance = Distance(word, candidate, limit);
            if (distance < bestDistance)
            {
                best = candidate;
                bestDistance = distance;
            }
        }

        return best;
    }

    /// <summary>Optimal string alignment distance (a swap of neighbours counts one), case ignored, cut off above <paramref name="limit"/>.</summary>
    private static int Distance(string a, string b, int limit)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var least = int.MaxValue;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                var value = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    value = Math.Min(value, rows[i - 2, j - 2] + 1);
                rows[i, j] = value;
                least = Math.Min(least, value);
            }

            if (least > limit) return limit + 1;
        }

        return rows[a.Length, b.Length];
    }

    private static bool Same(char x, char y) => char.ToLowerInvariant(x) == char.ToLowerInvariant(y);
}
