namespace Stoker.Hosts.Checks;

/// <summary>
/// The order of versions as Debian's packages have it (deb-version(7)): an epoch before a colon, then runs of digits by their number and runs of other
/// characters by letter, <c>~</c> before everything, also before the end. Right for <c>550.54.14</c>, <c>2.4.0+cu121</c> and kernels as well.
/// </summary>
internal static class VersionOrder
{
    public static int Compare(string a, string b)
    {
        var (epochA, restA) = Split(a);
        var (epochB, restB) = Split(b);
        return epochA != epochB ? epochA.CompareTo(epochB) : CompareParts(restA, restB);
    }

    private static (long Epoch, string Version) Split(string version)
    {
        var colon = version.IndexOf(':');
        return colon > 0 && long.TryParse(version.AsSpan(0, colon), out var epoch) ? (epoch, version[(colon + 1)..]) : (0, version);
    }

    private static int CompareParts(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        while (!a.IsEmpty || !b.IsEmpty)
        {
            while ((!a.IsEmpty && !char.IsAsciiDigit(a[0])) || (!b.IsEmpty && !char.IsAsciiDigit(b[0])))
            {
                var order = Order(a) - Order(b);
                if (order != 0) return order;
                a = a[1..];
                b = b[1..];
            }

            a = a.TrimStart('0');
            b = b.TrimStart('0');
            var (digitsA, digitsB) = (Digits(a), Digits(b));
            // The longer number is the greater.
            if (digitsA != digitsB) return digitsA - digitsB;
            var same = a[..digitsA].CompareTo(b[..digitsB], StringComparison.Ordinal);
            if (same != 0) return same;
            a = a[digitsA..];
            b = b[digitsB..];
        }

        return 0;
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var count = 0;
        while (count < text.Length && char.IsAsciiDigit(text[count])) count++;
        return count;
    }

    /// <summary>Tilde, the end or a number, letters, the rest.</summary>
    private static int Order(ReadOnlySpan<char> text) => text switch
    {
        [] => 0,
        ['~', ..] => -1,
        [var c, ..] when char.IsAsciiDigit(c) => 0,
        [var c, ..] when char.IsAsciiLetter(c) => c,
        [var c, ..] => c + 256,
    };
}
