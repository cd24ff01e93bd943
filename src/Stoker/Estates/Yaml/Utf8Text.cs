using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>Bytes to text, refusing what YAML cannot hold: too much, not UTF-8, control characters.</summary>
internal static class Utf8Text
{
    /// <summary>The text without a byte order mark, or null when a diagnostic says why not.</summary>
    public static string? Decode(byte[] bytes, string file, DiagnosticBag bag)
    {
        if (bytes.Length > IEstateFiles.LargestFile)
        {
            bag.Add(YamlDiagnostics.TooLarge, SourcePosition.Whole(file), "the file is larger than 16 MiB", "split it and `include` the parts");
            return null;
        }

        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            bag.Add(YamlDiagnostics.NotUtf8, new SourcePosition(file, 1, 1), "the file is UTF-16", "save it as UTF-8");
            return null;
        }

        ReadOnlySpan<byte> content = bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes.AsSpan(3) : bytes;
        if (!Utf8.IsValid(content))
        {
            ReportInvalid(bytes, file, bag);
            return null;
        }

        var text = Encoding.UTF8.GetString(content);
        var control = FindControl(text);
        if (control < 0) return text;
        bag.Add(YamlDiagnostics.ControlCharacter, PlaceOf(text, control, file),
            $"the control character U+{(int)text[control]:X4} stands here", "remove it, or write it as an escape in double quotes");
        return null;
    }

    // What YAML's c-printable leaves out. A plain loop, because the vectorised search is compiled anew in every process that uses it once.
    private static int FindControl(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is < ' ' and not ('\t' or '\n' or '\r') or '\u007f') return i;
        }

        return -1;
    }

    /// <summary>Line and column of a character of <paramref name="text"/>.</summary>
    public static SourcePosition PlaceOf(ReadOnlySpan<char> text, int offset, string file)
    {
        var before = text[..offset];
        var line = before.Count('\n') + 1;
        return new SourcePosition(file, line, offset - (before.LastIndexOf('\n') + 1) + 1);
    }

    private static void ReportInvalid(byte[] bytes, string file, DiagnosticBag bag)
    {
        var offset = 0;
        while (Rune.DecodeFromUtf8(bytes.AsSpan(offset), out _, out var consumed) == OperationStatus.Done) offset += consumed;
        var line = bytes.AsSpan(0, offset).Count((byte)'\n') + 1;
        var lineStart = bytes.AsSpan(0, offset).LastIndexOf((byte)'\n') + 1;
        var column = Encoding.UTF8.GetCharCount(bytes, lineStart, offset - lineStart) + 1;
        bag.Add(YamlDiagnostics.NotUtf8, new SourcePosition(file, line, column),
            $"byte {offset} (0x{bytes[offset]:X2}) is not UTF-8", "save the file as UTF-8");
    }
}
