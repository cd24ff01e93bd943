using System.Text;

namespace Stoker.Runtimes;

/// <summary>
/// <c>$(NAME)</c> in commands and values, expanded at the start of each replica from its own environment, as Kubernetes does:
/// an unknown name stays as it is, <c>$$(NAME)</c> is a literal <c>$(NAME)</c>.
/// </summary>
internal static class Expansion
{
    public static string Expand(string text, IReadOnlyDictionary<string, string> environment)
    {
        if (!text.Contains("$(", StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        var position = 0;
        while (position < text.Length)
        {
            var open = text.IndexOf("$(", position, StringComparison.Ordinal);
            if (open < 0) break;
            var close = text.IndexOf(')', open);
            if (close < 0) break;
            var escaped = open > position && text[open - 1] == '$';
            result.Append(text, position, open - position - (escaped ? 1 : 0));
            var name = text[(open + 2)..close];
            result.Append(!escaped && environment.TryGetValue(name, out var value) ? value : text[open..(close + 1)]);
            position = close + 1;
        }

        return result.Append(text, position, text.Length - position).ToString();
    }
}
