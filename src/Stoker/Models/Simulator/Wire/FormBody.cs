using System.Text;

namespace Stoker.Models.Simulator.Wire;

/// <summary>A body of <c>multipart/form-data</c>.</summary>
internal static class FormBody
{
    /// <summary>Its fields by name. Throws <see cref="FormatException"/>.</summary>
    public static Dictionary<string, ReadOnlyMemory<byte>> Read(ReadOnlyMemory<byte> body, string contentType)
    {
        const string mark = "boundary=";
        var at = contentType.IndexOf(mark, StringComparison.OrdinalIgnoreCase);
        if (!contentType.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) || at < 0) throw new FormatException("the body should be multipart/form-data");
        var boundary = Encoding.UTF8.GetBytes("\r\n--" + contentType[(at + mark.Length)..].Split(';')[0].Trim().Trim('"'));
        var fields = new Dictionary<string, ReadOnlyMemory<byte>>();
        // The first boundary may stand at the very beginning.
        var from = body.Span.StartsWith(boundary.AsSpan(2)) ? boundary.Length - 2 : Next(body.Span, 0, boundary);
        while (!body.Span[from..].StartsWith("--"u8))
        {
            from += 2;
            var head = body.Span[Math.Min(from, body.Length)..].IndexOf("\r\n\r\n"u8);
            if (head < 0) throw new FormatException("a part of the form has no end of its head");
            var start = from + head + 4;
            var end = Next(body.Span, start, boundary) - boundary.Length;
            if (Name(Encoding.UTF8.GetString(body.Span.Slice(from, head))) is { } name) fields[name] = body[start..end];
            from = end + boundary.Length;
        }

        return fields;
    }

    private static int Next(ReadOnlySpan<byte> body, int from, byte[] boundary)
    {
        var found = body[from..].IndexOf(boundary);
        return found < 0 ? throw new FormatException("the form has no end") : from + found + boundary.Length;
    }

    /// <summary>From <c>form-data; name="file"; filename="a.wav"</c>, with quotes or without.</summary>
    private static string? Name(string head)
    {
        const string mark = "name=";
        foreach (var word in head.Split([';', '\r', '\n'], StringSplitOptions.TrimEntries))
        {
            if (word.StartsWith(mark, StringComparison.OrdinalIgnoreCase)) return word[mark.Length..].Trim('"');
        }

        return null;
    }
}
