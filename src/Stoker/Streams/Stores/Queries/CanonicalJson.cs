using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Stoker.Streams.Stores.Queries;

/// <summary>JSON in one form for one meaning: properties sorted, no white space, numbers as digits and an exponent. For comparing, not for showing.</summary>
internal static class CanonicalJson
{
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1000 };

    public static byte[] Of(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Deep.MaxDepth });
        using var document = JsonDocument.ParseValue(ref reader);
        var output = new ArrayBufferWriter<byte>(json.Length);
        Write(document.RootElement, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary><c>1.50e3</c> and <c>1500</c> are both <c>15e2</c>.</summary>
    internal static string Number(string text)
    {
        var mark = text.IndexOfAny(['e', 'E']);
        var exponent = mark < 0 ? BigInteger.Zero : BigInteger.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var digits = mark < 0 ? text : text[..mark];
        var isNegative = digits.StartsWith('-');
        digits = digits.TrimStart('-');
        if (digits.IndexOf('.', StringComparison.Ordinal) is > 0 and var point)
        {
            exponent -= digits.Length - point - 1;
            digits = digits.Remove(point, 1);
        }

        var significant = digits.TrimStart('0').TrimEnd('0');
        if (significant.Length == 0) return "0";
        exponent += digits.Length - digits.TrimEnd('0').Length;
        return $"{(isNegative ? "-" : "")}{significant}e{exponent.ToString(CultureInfo.InvariantCulture)}";
    }

    private static void Write(JsonElement element, ArrayBufferWriter<byte> output)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                output.Write("{"u8);
                foreach (var (name, value) in element.EnumerateObject().Select(property => (Name: Text(JsonMarshal.GetRawUtf8PropertyName(property)), property.Value))
                    .OrderBy(property => property.Name, StringComparer.Ordinal))
                {
                    output.Write(Encoding.UTF8.GetBytes(name));
                    output.Write(":"u8);
                    Write(value, output);
                    output.Write(","u8);
                }

                output.Write("}"u8);
                break;
            case JsonValueKind.Array:
                output.Write("["u8);
                foreach (var item in element.EnumerateArray())
                {
                    Write(item, output);
                    output.Write(","u8);
                }

                output.Write("]"u8);
                break;
            case JsonValueKind.Number:
                output.Write(Encoding.ASCII.GetBytes(Number(element.GetRawText())));
                break;
            case JsonValueKind.String:
                output.Write(Encoding.UTF8.GetBytes(Text(JsonMarshal.GetRawUtf8Value(element)[1..^1])));
                break;
            default:
                output.Write(JsonMarshal.GetRawUtf8Value(element));
                break;
        }
    }

    /// <summary>Escapes undone but for halves of surrogates, which no text can have; quoted by its length.</summary>
    private static string Text(ReadOnlySpan<byte> escaped)
    {
        var text = JsonEscapes.Undo(escaped);
        return $"{text.Length}\"{text}";
    }
}
