using System.Text;
using System.Text.Json;
using Stoker.Streams.Json;
using Xunit;

namespace Stoker.Tests.Streams.Json;

public sealed class JsonScannerTests
{
    private readonly JsonScanner _scanner = new();

    [Fact]
    public void A_tape_has_the_kinds_places_and_counts()
    {
        Assert.True(Scan("""{"a": [1, "x", null, true, false, {}], "b": -0.5e3}""").IsNone);
        var tape = _scanner.Tape;
        var a = tape.Find(0, "a"u8);
        var b = tape.Find(0, "b"u8);
        Assert.Equal((JsonKind.Object, 2), (tape.Kind(0), tape.Count(0)));
        Assert.Equal((JsonKind.Array, 6), (tape.Kind(a), tape.Count(a)));
        Assert.Equal("""[1, "x", null, true, false, {}]""", Text(tape.Raw(a).Span));
        Assert.Equal("\"x\"", Text(tape.Raw(a + 2).Span));
        Assert.Equal(("x", "-0.5e3"), (Text(tape.Content(a + 2)), Text(tape.Content(b))));
        Assert.Equal(-1, tape.Find(0, "c"u8));
        Assert.Equal(tape.Length, tape.Next(0));
    }

    [Fact]
    public void A_name_is_found_however_it_is_escaped()
    {
        Assert.True(Scan("""{"\u0061\ud83d\ude00\n": 1}""").IsNone);
        Assert.Equal(2, _scanner.Tape.Find(0, "a😀\n"u8));
        Assert.Equal("a😀\n", _scanner.Tape.TextOf(1));
    }

    [Theory]
    [InlineData("", "Empty 0")]
    [InlineData(" \n", "Empty 2")]
    [InlineData("{", "Ended 1")]
    [InlineData("[1,", "Ended 3")]
    [InlineData("[1,]", "Unexpected 3")]
    [InlineData("{\"a\":1,}", "Unexpected 7")]
    [InlineData("{a:1}", "Unexpected 1")]
    [InlineData("[1 2]", "Unexpected 3")]
    [InlineData("[1}", "Unexpected 2")]
    [InlineData("\"a\nb\"", "ControlCharacter 2")]
    [InlineData("\"\\x\"", "Escape 1")]
    [InlineData("\"\\u12g4\"", "Escape 1")]
    [InlineData("\"\\", "Ended 1")]
    [InlineData("\"abc", "Ended 4")]
    [InlineData("01", "Number 0")]
    [InlineData("[1.]", "Number 1")]
    [InlineData("[.5]", "Unexpected 1")]
    [InlineData("[+1]", "Unexpected 1")]
    [InlineData("[1e]", "Number 1")]
    [InlineData("[-]", "Number 1")]
    [InlineData("1.", "Ended 2")]
    [InlineData("NaN", "Unexpected 0")]
    [InlineData("tru", "Ended 3")]
    [InlineData("trux", "Unexpected 3")]
    [InlineData("1 2", "Trailing 2")]
    [InlineData("{}{}", "Trailing 2")]
    [InlineData("// x\n1", "Unexpected 0")]
    [InlineData("\ufeff1", "Unexpected 0")]
    public void What_is_not_JSON_is_named_with_its_place(string text, string expected)
    {
        var fault = Scan(text);
        Assert.Equal(expected, $"{fault.Kind} {fault.Offset}");
        Assert.NotEmpty(fault.Message);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_named_with_their_place()
    {
        var fault = _scanner.Scan(new byte[] { (byte)'"', (byte)'a', 0xc0, 0xa0, (byte)'"' });
        Assert.Equal((JsonFaultKind.NotUtf8, 2), (fault.Kind, fault.Offset));
    }

    [Theory]
    [InlineData("""{"a":1,"b":2,"a":3}""", "DuplicateKey $.a")]
    [InlineData("""{"a":1,"\u0061":3}""", "DuplicateKey $.a")]
    [InlineData("""{"\u0061":1,"\u0061":3}""", "DuplicateKey $.a")]
    [InlineData("""[{"x":{"a":1}},{"y":{"k":1,"k":2}}]""", "DuplicateKey $[1].y.k")]
    [InlineData("""["\ud800"]""", "Surrogate $[0]")]
    [InlineData("""["\udc00\ud800"]""", "Surrogate $[0], Surrogate $[0]")]
    [InlineData("""{"a b":"\u0000"}""", "Nul $['a b']")]
    [InlineData("""{"a":{"b":1},"c":{"b":1},"b":1}""", "")]
    public void What_can_be_read_on_is_remarked(string text, string expected)
    {
        Assert.True(Scan(text).IsNone);
        Assert.Equal(expected, string.Join(", ", _scanner.Remarks.Select(remark => $"{remark.Kind} {JsonPath.Of(_scanner.Tape, 0, remark.Token)}")));
    }

    [Fact]
    public void Depth_is_remarked_once_and_has_an_end()
    {
        Assert.True(Scan(new string('[', 65) + new string(']', 65)).IsNone);
        Assert.Equal(JsonRemarkKind.TooDeep, Assert.Single(_scanner.Remarks).Kind);
        Assert.True(Scan(new string('[', 64) + new string(']', 64)).IsNone);
        Assert.Empty(_scanner.Remarks);
        Assert.Equal(JsonFaultKind.TooDeep, Scan(new string('[', 1_000_000)).Kind);
    }

    [Fact]
    public void Too_many_keys_are_remarked_and_a_thousand_are_told_apart()
    {
        Assert.True(Scan($"{{{string.Join(',', Enumerable.Range(0, JsonModule.MaxKeys).Select(i => $"\"key{i}\":{i}"))}}}").IsNone);
        Assert.Empty(_scanner.Remarks);
        Assert.True(Scan($"{{{string.Join(',', Enumerable.Range(0, JsonModule.MaxKeys + 9).Select(i => $"\"key{i}\":{i}"))}}}").IsNone);
        Assert.Equal(JsonRemarkKind.TooManyKeys, Assert.Single(_scanner.Remarks).Kind);
    }

    [Fact]
    public void Whether_it_is_JSON_is_what_the_framework_says()
    {
        var random = new Random(7);
        var (valid, invalid) = (0, 0);
        for (var round = 0; round < 20_000; round++)
        {
            var text = Mutate(random, RandomJson.Text(random, depth: 4));
            var expected = IsJson(text);
            Assert.True(expected == _scanner.Scan(text).IsNone, Text(text));
            _ = expected ? valid++ : invalid++;
        }

        Assert.True(valid > 2000 && invalid > 2000, $"{valid} {invalid}");
    }

    [Fact]
    public void Random_bytes_are_answered()
    {
        var random = new Random(8);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(40)];
            for (var i = 0; i < bytes.Length; i++) bytes[i] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)"{}[]\",:\\u01eE+-.tfn "[random.Next(20)];
            _scanner.Scan(bytes);
        }
    }

    private static byte[] Mutate(Random random, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        if (random.Next(2) == 0) return bytes;
        var at = random.Next(bytes.Length);
        return random.Next(3) switch
        {
            0 => bytes[..at],
            1 => [.. bytes[..at], .. bytes[(at + 1)..]],
            _ => [.. bytes[..at], (byte)"{}[]\",:\\u01eE+-. \0"[random.Next(18)], .. bytes[at..]],
        };
    }

    private static bool IsJson(byte[] text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 });
            return System.Text.Unicode.Utf8.IsValid(text);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private JsonFault Scan(string text) => _scanner.Scan(Encoding.UTF8.GetBytes(text));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
