using System.Globalization;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>
/// Pieces of JSON straight into the buffer of an event: nothing is allocated for a token, and characters stay what they are. The framework's
/// writer escapes all of four bytes, and then no client would ever meet one.
/// </summary>
internal static class JsonText
{
    public static void AddString(this OutBuffer to, ReadOnlySpan<char> text)
    {
        to.Add("\""u8);
        to.AddEscaped(text);
        to.Add("\""u8);
    }

    public static void AddEscaped(this OutBuffer to, ReadOnlySpan<char> text)
    {
        while (true)
        {
            var at = 0;
            while (at < text.Length && text[at] >= ' ' && text[at] is not ('"' or '\\')) at++;
            to.Add(text[..at]);
            if (at == text.Length) return;
            switch (text[at])
            {
                case '"': to.Add("\\\""u8); break;
                case '\\': to.Add("\\\\"u8); break;
                case '\n': to.Add("\\n"u8); break;
                case '\r': to.Add("\\r"u8); break;
                case '\t': to.Add("\\t"u8); break;
                default: to.Add($"\\u{(int)text[at]:x4}"); break;
            }

            text = text[(at + 1)..];
        }
    }

    public static void AddReal(this OutBuffer to, double number) => to.Add(number.ToString("0.####", CultureInfo.InvariantCulture));

    public static void AddUsage(this OutBuffer to, int prompt, int answer, int cached)
    {
        to.Add("{\"prompt_tokens\":"u8);
        to.Add(prompt);
        to.Add(",\"total_tokens\":"u8);
        to.Add(prompt + answer);
        to.Add(",\"completion_tokens\":"u8);
        to.Add(answer);
        to.Add(",\"prompt_tokens_details\":{\"cached_tokens\":"u8);
        to.Add(cached);
        to.Add("}}"u8);
    }
}
