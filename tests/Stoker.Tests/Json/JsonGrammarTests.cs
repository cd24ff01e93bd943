using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Json;
using Xunit;

namespace Stoker.Tests.Json;

public sealed class JsonGrammarTests
{
    private static readonly (int, Gen<string>)[] Parts =
    [
        (30, Gen.Elements("a", "some words ", "\\n", "\\\"", "\\\\", "\\t\\r\\/\\b\\f", "\\u00e9", "\\u4f60\\u597D", "é")),
        (1, Gen.Elements("\"", "\u0001", "\\", "\\x", "\\u12g4", "\n", "\\u1")),
    ];

    /// <summary>What is looked at 64 bytes at a time, and what byte after byte, is one and the same, from every place of a text.</summary>
    [Fact]
    public void A_string_ends_or_goes_wrong_where_it_does_byte_after_byte() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1_000),
        Prop.ForAll((from count in Gen.Choose(1, 80) from parts in Gen.Frequency(Parts).ArrayOf(count) select string.Concat(parts)).ToArbitrary(), text =>
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var at = 0; at <= bytes.Length; at++)
            {
                var end = JsonGrammar.EndOfString(bytes, at, out var traits);
                var (expected, isEscaped) = ByteAfterByte(bytes, at);
                Assert.Equal(expected, end);
                // Of what is no string nothing is told.
                if (end == bytes.Length || bytes[end] != '"') continue;
                Assert.Equal(isEscaped, (traits & StringTraits.Escaped) != 0);
                Assert.True((traits & StringTraits.BeyondAscii) != 0 || Ascii.IsValid(bytes.AsSpan(at..end)));
            }
        }));

    [Theory]
    [InlineData("00e9", 0xe9)]
    [InlineData("FFff", 0xffff)]
    [InlineData("00g0", -1)]
    [InlineData("123", -1)]
    [InlineData("-123", -1)]
    public void Four_digits_have_a_value_or_are_none(string digits, int value) => Assert.Equal(value, JsonGrammar.Hex4(Encoding.ASCII.GetBytes(digits)));

    private static (int End, bool IsEscaped) ByteAfterByte(ReadOnlySpan<byte> text, int at)
    {
        for (var isEscaped = false; ; isEscaped = true)
        {
            while (at < text.Length && text[at] is not ((byte)'"' or (byte)'\\' or < 0x20)) at++;
            if (at == text.Length || text[at] != '\\') return (at, isEscaped);
            var length = JsonGrammar.LengthOfEscape(text, at);
            if (length <= 0) return (at, isEscaped);
            at += length;
        }
    }
}
