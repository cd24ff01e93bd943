using System.Text;

namespace Stoker.Estates.Reading;

/// <summary>
/// Splits a command as a POSIX shell splits words, with nothing else of a shell: no expansion, no globbing, no operators.
/// Single quotes keep everything; double quotes let a backslash escape <c>\ " $ `</c>; outside quotes a backslash escapes
/// any character. <c>sh -c 'echo "a b"' x\ y</c> is four words.
/// </summary>
internal static class ShellWords
{
    internal abstract record Outcome
    {
        internal sealed record Words(IReadOnlyList<string> List) : Outcome;

        /// <param name="Problem">In words, for the end of a sentence.</param>
        internal sealed record Unbalanced(string Problem) : Outcome;
    }

    public static Outcome Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var inWord = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case ' ' or '\t' or '\n' or '\r':
                    if (inWord) words.Add(word.ToString());
                    word.Clear();
                    inWord = false;
                    break;
                case '\'':
                    inWord = true;
                    var close = text.IndexOf('\'', i + 1);
                    if (close < 0) return new Outcome.Unbalanced($"the single quote at character {i + 1} is never closed");
                    word.Append(text, i + 1, close - i - 1);
                    i = close;
                    break;
                case '"':
                    inWord = true;
                    var end = ReadDoubleQuoted(text, i + 1, word);
                    if (end < 0) return new Outcome.Unbalanced($"the double quote at character {i + 1} is never closed");
                    i = end;
                    break;
                case '\\':
                    if (i + 1 == text.Length) return new Outcome.Unbalanced("it ends in a backslash that escapes nothing");
                    i++;
                    if (text[i] == '\n') break; // a continued line
                    inWord = true;
                    word.Append(text[i]);
                    break;
                default:
                    inWord = true;
                    word.Append(text[i]);
                    break;
            }
        }

        if (inWord) words.Add(word.ToString());
        return new Outcome.Words(words);
    }

    /// <summary>Returns where the closing quote stands, or -1.</summary>
    private static int ReadDoubleQuoted(string text, int from, StringBuilder word)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == '"') return i;
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                var next = text[i + 1];
                if (next is '"' or '\\' or '$' or '`') word.Append(next);
                else if (next != '\n') word.Append('\\').Append(next);
                i++;
                continue;
            }

            word.Append(text[i]);
        }

        return -1;
    }
}
