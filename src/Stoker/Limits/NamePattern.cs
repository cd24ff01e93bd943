namespace Stoker.Limits;

/// <summary>Names of models as owners abbreviate them: <c>*</c> is any run of characters, also <c>/</c>; everything else is itself.</summary>
internal static class NamePattern
{
    public static bool HasWildcard(string pattern) => pattern.Contains('*', StringComparison.Ordinal);

    /// <summary>Case counts, as it does in names of models. Allocates nothing.</summary>
    public static bool Fits(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        // Greedy with one place to come back to: the last star may always take one character more.
        int at = 0, here = 0, star = -1, taken = 0;
        while (here < name.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                star = at++;
                taken = here;
            }
            else if (at < pattern.Length && pattern[at] == name[here])
            {
                at++;
                here++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                here = ++taken;
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].IndexOfAnyExcept('*') < 0;
    }
}
