using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Json;
using Xunit;

namespace Stoker.Tests.Json;

/// <summary>The cursor takes what the platform's reader takes, and nothing else.</summary>
public sealed class JsonCursorTests
{
    private const int Depth = 64;

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ",", ":", "\"a\":", "\"\"", "\"text of some length, past one look\"", "\"\\n\"", "\"\\\\\\\"\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"é漢😀\"", "\"", "\\", "\\u12", "\\x",
        "0", "-0", "01", "-", "1.5", "1.", "1e3", "1E+", "-2.5e-7", "true", "false", "null", "nul", "truex", " ", "\n", "\t", "\u0001", "\"\u0001\"", "/", "'",
    ];

    private static readonly (int, Gen<string>)[] Parts =
    [
        (400, Gen.Elements("a", "some words ", "é", "漢", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00")), (1, Gen.Elements("\"", "\u0001", "\\", "\\x", "\\u12g4", "\n")),
    ];

    [Fact]
    public void Whatever_is_put_together_is_json_or_not_as_the_platform_says() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(20_000),
        Prop.ForAll((from count in Gen.Choose(1, 12) from pieces in Gen.Elements(Pieces).ArrayOf(count) select string.Concat(pieces)).ToArbitrary(), Agrees));

    /// <summary>Escapes lie across every border of what is looked at together.</summary>
    [Fact]
    public void A_long_string_is_whole_or_not_as_the_platform_says() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5_000),
        Prop.ForAll((from count in Gen.Choose(1, 150) from parts in Gen.Frequency(Parts).ArrayOf(count) select $"\"{string.Concat(parts)}\"").ToArbitrary(), Agrees));

    [Fact]
    public void A_document_with_one_byte_changed_or_cut_off_is_json_or_not_as_the_platform_says()
    {
        var document = Encoding.UTF8.GetBytes("""{"model":"phi","messages":[{"role":"user","content":"a line that is longer than sixteen bytes\nand another \"one\" \u00e9é"},{"n":[-1.5e+3,0,[],{}]}],"stream":true,"x":null}""");
        for (var at = 0; at < document.Length; at++)
        {
            Agrees(document[..at]);
            foreach (var other in "\"\\{}[],:0-.eE t\n\u0001"u8)
            {
                var changed = document.ToArray();
                changed[at] = other;
                Agrees(changed);
            }
        }
    }

    [Theory]
    [InlineData("{\"a\":1,}", 7)]
    [InlineData("[1 2]", 3)]
    [InlineData("\"abc", 4)]
    [InlineData("\"a\\qc\"", 2)]
    [InlineData("trux", 3)]
    [InlineData("{\"a\" 1}", 5)]
    [InlineData("[1.x]", 3)]
    public void Where_it_goes_wrong_is_told(string text, int at)
    {
        var cursor = new JsonCursor(Encoding.UTF8.GetBytes(text), Depth);
        Assert.False(cursor.SkipValue());
        Assert.Equal(at, cursor.At);
    }

    [Fact]
    public void Members_and_elements_come_one_after_the_other()
    {
        var cursor = new JsonCursor("{ \"a\" : [ 1 , \"x\" ] , \"b\":{} } "u8, Depth);
        var (members, elements) = (0, 0);
        Assert.True(cursor.Take((byte)'{') && cursor.NextMember(ref members, out var name) && name.SequenceEqual("a"u8));
        Assert.True(cursor.Take((byte)'[') && cursor.NextElement(ref elements) && cursor.TakeValue().SequenceEqual("1"u8));
        Assert.True(cursor.NextElement(ref elements) && cursor.TakeValue().SequenceEqual("\"x\""u8));
        Assert.False(cursor.NextElement(ref elements));
        Assert.True(cursor.NextMember(ref members, out name) && name.SequenceEqual("b"u8) && cursor.TakeValue().SequenceEqual("{}"u8));
        Assert.False(cursor.NextMember(ref members, out _));
        Assert.Equal((2, 2, true, false), (members, elements, cursor.IsAtEnd, cursor.IsBroken));
    }

    [Fact]
    public void Deeper_than_is_allowed_is_its_own_fault()
    {
        var allowed = new JsonCursor(Nested(Depth), Depth);
        var tooDeep = new JsonCursor(Nested(Depth + 1), Depth);
        Assert.True(allowed.SkipValue());
        Assert.False(tooDeep.SkipValue());
        Assert.True(tooDeep.IsTooDeep);
        Assert.Equal(Depth, tooDeep.At);
    }

    private static byte[] Nested(int depth) => Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth));

    private static void Agrees(string text) => Agrees(Encoding.UTF8.GetBytes(text));

    private static void Agrees(byte[] text)
    {
        var cursor = new JsonCursor(text, Depth);
        var isWhole = cursor.SkipValue();
        cursor.SkipSpace();
        Assert.True((isWhole && cursor.IsAtEnd) == PlatformTakes(text), Encoding.UTF8.GetString(text));
        Assert.Equal(isWhole && cursor.IsAtEnd, Walks(text));
    }

    /// <summary>The same, member by member and element by element where there are such.</summary>
    private static bool Walks(byte[] text)
    {
        var cursor = new JsonCursor(text, Depth);
        var count = 0;
        if (cursor.Take((byte)'{'))
        {
            while (cursor.NextMember(ref count, out _)) cursor.TakeValue();
        }
        else if (cursor.Take((byte)'['))
        {
            while (cursor.NextElement(ref count)) cursor.TakeValue();
        }
        else
        {
            cursor.TakeValue();
            cursor.SkipSpace();
        }

        return !cursor.IsBroken && cursor.IsAtEnd;
    }

    private static bool PlatformTakes(byte[] text)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = Depth });
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
