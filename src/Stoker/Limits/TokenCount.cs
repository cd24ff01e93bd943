using System.Globalization;

namespace Stoker.Limits;

/// <summary>Counts as people write them: <c>500</c>, <c>20k</c>, <c>1.5M</c>, <c>2G</c>; thousands, not 1024, and case does not matter.</summary>
internal static class TokenCount
{
    public const string Grammar = "a whole number from 1 on, as in `500`, `20k` or `5M`";

    /// <summary>Null when it is no such count, is not whole, or is above a million billions.</summary>
    public static long? Parse(string text)
    {
        if (text.Length == 0) return null;
        var factor = char.ToLowerInvariant(text[^1]) switch
        {
            'k' => 1_000m,
            'm' => 1_000_000m,
            'g' or 'b' => 1_000_000_000m,
            _ => 1m,
        };
        var digits = factor == 1m ? text.AsSpan() : text.AsSpan(0, text.Length - 1);
        if (digits.Length > 16 || !decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return null;
        var count = number * factor;
        return count >= 1 && count <= 1_000_000_000_000_000m && decimal.Truncate(count) == count ? (long)count : null;
    }

    /// <summary>In few characters: <c>999</c>, <c>20k</c>, <c>1.5M</c>; what is not a round number keeps all its digits.</summary>
    public static string Text(long count)
    {
        ReadOnlySpan<(long Factor, string Unit)> units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
        foreach (var (factor, unit) in units)
        {
            if (count >= factor && count % (factor / 10) == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{count / (decimal)factor:0.#}{unit}");
        }

        return count.ToString(CultureInfo.InvariantCulture);
    }
}
