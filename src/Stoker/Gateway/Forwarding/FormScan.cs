using System.Text;

namespace Stoker.Gateway.Forwarding;

/// <summary>Finds the part <c>model</c> of a <c>multipart/form-data</c> body; the files beside it pass as they are.</summary>
internal static class FormScan
{
    /// <returns>The range of the name in the body; not there when there is no such part, or two.</returns>
    public static BodyRange FindModel(ReadOnlySpan<byte> body, ReadOnlySpan<byte> contentType)
    {
        var boundary = BoundaryOf(contentType);
        if (boundary.IsEmpty) return default;
        Span<byte> delimiter = stackalloc byte[boundary.Length + 2];
        "--"u8.CopyTo(delimiter);
        boundary.CopyTo(delimiter[2..]);
        BodyRange found = default;
        for (var at = body.IndexOf(delimiter); at >= 0;)
        {
            at += delimiter.Length;
            var head = body[at..].IndexOf("\r\n\r\n"u8);
            if (head < 0) break;
            var next = body[at..].IndexOf(delimiter);
            if (next < head + 4) break;
            if (IsModel(body.Slice(at, head)))
            {
                if (found.IsThere) return default;
                var value = body.Slice(at + head + 4, next - head - 4);
                if (value.EndsWith("\r\n"u8)) value = value[..^2];
                found = new BodyRange(at + head + 4, value.Length);
            }

            at += next;
        }

        return found;
    }

    private static bool IsModel(ReadOnlySpan<byte> head)
    {
        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            if (line.Length <= 20 || !Ascii.EqualsIgnoreCase(line[..20], "content-disposition:"u8)) continue;
            if (Parameter(line, "name"u8).SequenceEqual("model"u8) && Parameter(line, "filename"u8).IsEmpty) return true;
        }

        return false;
    }

    /// <summary>The value of a parameter whose name is written in any case, with or without quotation marks; one that only ends like it is another.</summary>
    private static ReadOnlySpan<byte> Parameter(ReadOnlySpan<byte> line, ReadOnlySpan<byte> lowerName)
    {
        for (var at = line.IndexOf((byte)';'); at >= 0 && at < line.Length;)
        {
            var rest = line[(at + 1)..];
            var equals = rest.IndexOf((byte)'=');
            if (equals < 0) return default;
            var name = rest[..equals].Trim(" \t"u8);
            var value = rest[(equals + 1)..].TrimStart(" \t"u8);
            var quoted = value.StartsWith("\""u8);
            if (quoted) value = value[1..];
            var end = quoted ? value.IndexOf((byte)'"') : value.IndexOf((byte)';');
            var text = end < 0 ? value : value[..end];
            if (Ascii.EqualsIgnoreCase(name, lowerName)) return quoted ? text : text.TrimEnd(" \t"u8);
            var next = end < 0 ? -1 : value[end..].IndexOf((byte)';');
            if (next < 0) return default;
            at = line.Length - value.Length + end + next;
        }

        return default;
    }

    private static ReadOnlySpan<byte> BoundaryOf(ReadOnlySpan<byte> contentType)
    {
        if (contentType.Length < 20 || !Ascii.EqualsIgnoreCase(contentType[..20], "multipart/form-data;"u8)) return default;
        var at = contentType.IndexOf("boundary="u8);
        if (at < 0) return default;
        var value = contentType[(at + 9)..];
        if (value.StartsWith("\""u8)) return value[1..].IndexOf((byte)'"') is var end and > 0 ? value.Slice(1, end) : default;
        var stop = value.IndexOfAny((byte)';', (byte)' ');
        value = stop < 0 ? value : value[..stop];

        // RFC 2046: at most 70 characters.
        return value.Length is > 0 and <= 70 ? value : default;
    }
}
