namespace Stoker.Streams.Archive;

/// <summary>Where an archive is: a directory's path, or <c>s3://bucket/prefix</c>.</summary>
/// <param name="Bucket">Null: it is a directory.</param>
/// <param name="Path">The directory, or the prefix of all names, without slashes around; may be empty.</param>
internal sealed record ArchiveAddress(string? Bucket, string Path)
{
    private const string Scheme = "s3://";

    /// <summary>As it may be shown.</summary>
    public override string ToString() => Bucket is null ? Path : Path.Length == 0 ? $"{Scheme}{Bucket}" : $"{Scheme}{Bucket}/{Path}";

    /// <returns>What is wrong with it; null: nothing.</returns>
    public static string? Parse(string text, out ArchiveAddress? address)
    {
        address = null;
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            if (text.Contains("://", StringComparison.Ordinal)) return "expected a directory or `s3://BUCKET/PREFIX`";
            if (text.Length == 0) return "a directory or `s3://BUCKET/PREFIX` has to be named";
            address = new ArchiveAddress(null, text);
            return null;
        }

        var rest = text[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (bucket, prefix) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..].TrimEnd('/'));
        if (bucket.Contains('@', StringComparison.Ordinal)) return "keys do not belong in an address; name their variables";
        if (bucket.Length is < 3 or > 63 || !bucket.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '.'))
            return $"`{bucket}` is no bucket's name: 3 to 63 lower-case letters, digits, hyphens and dots";
        if (!prefix.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '=' or '/')) return "a prefix has letters, digits and `-_.=/` only";
        if (prefix.Length > 0 && prefix.Split('/').Any(part => part is "" or "." or "..")) return "no part of a prefix is empty, `.` or `..`";
        address = new ArchiveAddress(bucket, prefix);
        return null;
    }
}
