using Stoker.Estates;

namespace Stoker.Planning;

/// <summary>How plans put lists and amounts into words.</summary>
internal static class Words
{
    /// <summary><c>`a`, `b` and `c`</c>; past <paramref name="most"/>: <c>`a`, `b` and 7 more</c>.</summary>
    public static string List(IEnumerable<string> names, int most = 8) => Plain(names.Select(n => $"`{n}`"), most);

    public static string List(IEnumerable<ServiceName> names, int most = 4) => List(names.Select(n => n.Value), most);

    public static string Plain(IEnumerable<string> items, int most = 8)
    {
        var all = items.ToList();
        if (all.Count == 1) return all[0];
        return all.Count <= most
            ? $"{string.Join(", ", all[..^1])} and {all[^1]}"
            : $"{string.Join(", ", all[..(most - 1)])} and {all.Count - most + 1} more";
    }

    public static string Count(int count, string thing) => count == 1 ? $"1 {thing}" : $"{count} {thing}s";

    public static string Count(double count, string thing) => count == 1 ? $"1 {thing}" : $"{count:0.##} {thing}s";
}
