using System.Text;
using Stoker.Logs;
using Stoker.Platform;

namespace Stoker.Supervision;

/// <summary>The last line a run wrote, standard error preferred, and what was wrong preferred to a hint below it: what a person wants to see beside its exit status.</summary>
internal static class LastWords
{
    private const int Longest = 300;
    private const int TailBytes = 16 << 10;

    /// <param name="since">When the run began: older lines are another run's words.</param>
    public static async Task<string?> TakeAsync(LogAttachment log, DateTimeOffset since)
    {
        await log.DrainAsync();
        try
        {
            return Of(Files.ReadTail(log.Source.LogPath, TailBytes), since.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff"));
        }
        catch (IOException)
        {
            // The words are a comfort; the exit status is what counts.
            return null;
        }
    }

    /// <summary>Of lines like <c>2026-11-21T06:28:01.123456789Z stderr F bind: address already in use</c>; their times compare as text.</summary>
    internal static string? Of(ReadOnlySpan<byte> tail, string since)
    {
        string? output = null, hint = null;
        while (!tail.IsEmpty)
        {
            tail = tail.TrimEnd((byte)'\n');
            var start = tail.LastIndexOf((byte)'\n') + 1;
            var line = Encoding.UTF8.GetString(tail[start..]);
            tail = tail[..start];
            var fields = line.Split(' ', 4);
            if (fields.Length < 4 || string.CompareOrdinal(fields[0], since) < 0) break;
            if (string.IsNullOrWhiteSpace(fields[3])) continue;
            var words = Cut(fields[3]);
            if (fields[1] != "stderr") output ??= words;
            else if (words.StartsWith("hint:", StringComparison.Ordinal)) hint ??= words;
            else return words;
        }

        return hint ?? output;
    }

    private static string Cut(string text) => text.Length > Longest ? string.Concat(text.AsSpan(0, Longest), "…") : text.Trim();
}
