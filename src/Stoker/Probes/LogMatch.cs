using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoker.Probes;

/// <summary>
/// Ready once a line of the output matches. Told lines, not asked; one for each run of a replica. The first match answers,
/// later lines cost nothing.
/// </summary>
/// <remarks>
/// Patterns run on the engine that cannot backtrack where they allow it, so that no line of a service can stall the reader; those
/// with look-around or back-references run with a limit of 100 ms a line, and a line that exceeds it is counted, not matched.
/// </remarks>
internal sealed class LogMatch(Regex pattern)
{
    private const int LongestLine = 64 * 1024;

    private static readonly TimeSpan LongestMatch = TimeSpan.FromMilliseconds(100);

    private volatile string? _matched;

    /// <summary>The line that matched; null so far.</summary>
    public string? Line => _matched;

    public bool HasMatched => _matched is not null;

    /// <summary>Lines that the pattern took too long on.</summary>
    public int GivenUp { get; private set; }

    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Regex? compiled, [NotNullWhen(false)] out string? problem)
    {
        problem = null;
        try
        {
            compiled = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, LongestMatch);
        }
        catch (NotSupportedException)
        {
            compiled = new Regex(pattern, RegexOptions.CultureInvariant, LongestMatch);
        }
        catch (ArgumentException e)
        {
            compiled = null;
            problem = e.Message;
        }

        return compiled is not null;
    }

    /// <summary>One line without its end. True for the one that answers. Called from one thread at a time.</summary>
    public bool Tell(ReadOnlySpan<byte> line)
    {
        if (HasMatched) return false;

        var bytes = line.Length > LongestLine ? line[..LongestLine] : line;
        var chars = ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(bytes.Length));
        try
        {
            var text = chars.AsSpan(0, Encoding.UTF8.GetChars(bytes, chars));
            if (!pattern.IsMatch(text)) return false;
            _matched = text.ToString();
            return true;
        }
        catch (RegexMatchTimeoutException)
        {
            GivenUp++;
            return false;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(chars);
        }
    }
}
