using System.Globalization;

namespace Stoker.Hosts.Facts;

/// <summary>Reads the two forms that most files of /proc and /etc have: lines with a colon, and lines with an equals sign.</summary>
internal static class TextFields
{
    /// <summary><c>MemTotal:       24682416 kB</c>, <c>model name\t: AMD EPYC</c>: the first of each name.</summary>
    public static Dictionary<string, string> Colons(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var colon = line.IndexOf(':');
            if (colon > 0) fields.TryAdd(line[..colon].Trim(), line[(colon + 1)..].Trim());
        }

        return fields;
    }

    /// <summary><c>PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"</c>, quoted or not.</summary>
    public static Dictionary<string, string> Assignments(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var equals = line.IndexOf('=');
            if (equals > 0 && line[0] != '#') fields.TryAdd(line[..equals].Trim(), line[(equals + 1)..].Trim().Trim('"', '\''));
        }

        return fields;
    }

    /// <summary><c>24682416 kB</c> in bytes.</summary>
    public static long? Kibibytes(string? text) =>
        text is not null && long.TryParse(text.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes) ? kibibytes * 1024 : null;

    /// <summary>The number at the beginning: <c>3200 MT/s</c>, <c>16.0 GT/s PCIe</c>.</summary>
    public static double? Leading(string? text) =>
        text is not null && double.TryParse(text.Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Of <c>cpu0</c> with the stem <c>cpu</c> the 0; null for other names.</summary>
    public static int? Index(string name, string stem) =>
        name.StartsWith(stem, StringComparison.Ordinal) && int.TryParse(name.AsSpan(stem.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    /// <summary>How many are in a list such as <c>0-15,32-47</c>.</summary>
    public static int Count(string list)
    {
        var count = 0;
        foreach (var range in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = range.Split('-');
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)) continue;
            count += ends.Length > 1 && int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last - first + 1 : 1;
        }

        return count;
    }
}
