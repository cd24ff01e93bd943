using System.Net;
using System.Text.RegularExpressions;

namespace Stoker.Hosts.Layers.Shipped;

/// <summary>What a parameter can be. Values get into configurations of other programs, so that what they may be made of is narrow.</summary>
/// <param name="Words">For a hint.</param>
internal sealed partial record ParameterKind(string Words, bool IsList, Func<string, bool> IsValid)
{
    public static ParameterKind Accounts { get; } = new("names of users or groups, as in `ada`", true, v => Account().IsMatch(v));

    public static ParameterKind Account1 { get; } = new("a name, as in `models`", false, v => Account().IsMatch(v));

    public static ParameterKind Packages { get; } = new("names of packages, as in `curl`", true, v => Package().IsMatch(v));

    public static ParameterKind Ports { get; } = new("ports or ranges, as in `8000` or `9000-9010/udp`", true, v => PortRange.Parse(v) is not null);

    public static ParameterKind Addresses { get; } = new("addresses or networks, as in `192.168.1.0/24`", true, v => IPAddress.TryParse(v, out _) || IPNetwork.TryParse(v, out _));

    public static ParameterKind Settings { get; } = new("kernel parameters, as in `vm.swappiness=10`", true, v => Setting().IsMatch(v));

    public static ParameterKind Directories { get; } = new(
        "a path, and its owner, group and mode where they are not `root:root 0755`: `/srv/models root:models 2775`", true, v => DirectoryLine().IsMatch(v));

    public static ParameterKind Place { get; } = new("a path that begins at the root", false, v => PathOnly().IsMatch(v));

    public static ParameterKind Pins { get; } = new("Python packages with their exact versions, as in `torch==2.7.1`", true, v => Pin().IsMatch(v));

    public static ParameterKind Number { get; } = new("a whole number", false, v => v.Length is > 0 and < 8 && v.All(char.IsAsciiDigit));

    public static ParameterKind Interval { get; } = new("a time, as in `10m`", false, v => Time().IsMatch(v));

    public static ParameterKind Driver { get; } = new("`auto` or a branch, as in `580`", false, v => v == "auto" || (v.Length == 3 && v.All(char.IsAsciiDigit)));

    public static ParameterKind OneOf(params string[] words) => new($"one of {string.Join(", ", words)}", false, words.Contains);

    [GeneratedRegex("^[a-z_][a-z0-9_-]{0,31}$")]
    private static partial Regex Account();

    [GeneratedRegex("^[a-z0-9][a-z0-9.+-]+$")]
    private static partial Regex Package();

    [GeneratedRegex(@"^[a-z0-9_.]+(?:/[a-z0-9_.]+)*=[A-Za-z0-9_. -]+$")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^/[\w./-]+(?: [a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*)?(?: [0-7]{3,4})?$")]
    private static partial Regex DirectoryLine();

    [GeneratedRegex(@"^/[\w./-]+$")]
    private static partial Regex PathOnly();

    [GeneratedRegex(@"^[A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?==[\w.+!]+$")]
    private static partial Regex Pin();

    [GeneratedRegex("^[1-9][0-9]{0,5}[smhd]?$")]
    private static partial Regex Time();
}

/// <summary>Ports that are open: <c>8000</c>, <c>9000-9010</c>, <c>53/udp</c>.</summary>
internal sealed record PortRange(int First, int Last, string Protocol)
{
    public static PortRange? Parse(string text)
    {
        var (ports, protocol) = text.Split('/') is [var left, var right] ? (left, right) : (text, "tcp");
        if (protocol is not ("tcp" or "udp") || ports.Split('-') is not { Length: 1 or 2 } ends) return null;
        if (!int.TryParse(ends[0], out var first) || !int.TryParse(ends[^1], out var last)) return null;
        return first is >= 1 and <= 65535 && last >= first && last <= 65535 ? new PortRange(first, last, protocol) : null;
    }

    /// <summary>As nftables writes it.</summary>
    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}
