using FsCheck;
using FsCheck.Fluent;
using Stoker.Estates.Reading;
using Xunit;

namespace Stoker.Tests.Estates;

public sealed class ScalarTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("30s", 30)]
    [InlineData("1h5m30s20ms", 3930.02)]
    [InlineData("1.5s", 1.5)]
    [InlineData("250us", 0.00025)]
    [InlineData("250µs", 0.00025)]
    [InlineData("2d", 172800)]
    [InlineData("1w", 604800)]
    public void A_duration_is_numbers_with_units(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), Scalars.Duration(text));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("5s5")]
    [InlineData("1.2.3s")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("99999999999999999999h")]
    public void What_is_no_duration_is_not_read_as_one(string text) => Assert.Null(Scalars.Duration(text));

    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("0", 0)]
    [InlineData("512b", 512)]
    [InlineData("1k", 1024)]
    [InlineData("512m", 512L << 20)]
    [InlineData("2G", 2L << 30)]
    [InlineData("1.5g", 3L << 29)]
    [InlineData("24GiB", 24L << 30)]
    [InlineData("64 MB", 64L << 20)]
    [InlineData("1TB", 1L << 40)]
    [InlineData("1p", 1L << 50)]
    public void A_size_is_a_number_with_a_unit_of_1024s(string text, long bytes) => Assert.Equal(bytes, Scalars.Size(text)?.Bytes);

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-1")]
    [InlineData("1x")]
    [InlineData("1.2.3g")]
    [InlineData("99999999999p")]
    public void What_is_no_size_is_not_read_as_one(string text) => Assert.Null(Scalars.Size(text));

    [Theory]
    [InlineData("0440", 0x120)]
    [InlineData("440", 0x120)]
    [InlineData("0o440", 0x120)]
    [InlineData("01777", 0x3FF)]
    [InlineData("8", null)]
    [InlineData("", null)]
    [InlineData("17777", null)]
    public void A_mode_is_octal_however_it_is_written(string text, int? mode) => Assert.Equal(mode, Scalars.Octal(text));

    [Theory]
    [InlineData("a 'b", "the single quote at character 3 is never closed")]
    [InlineData("a \"b\\\"", "the double quote at character 3 is never closed")]
    [InlineData("a b\\", "it ends in a backslash that escapes nothing")]
    public void Quotes_must_match(string text, string problem) =>
        Assert.Equal(new ShellWords.Outcome.Unbalanced(problem), ShellWords.Split(text));

    [Theory]
    [InlineData("", "")]
    [InlineData("  a\tb \n c ", "a|b|c")]
    [InlineData("'' \"\"", "|")]
    [InlineData("a'b c'\"d e\"f", "ab cd ef")]
    [InlineData("'a\\b' \"a\\b\" a\\b", "a\\b|a\\b|ab")]
    [InlineData("\"\\\"\\\\\\$\\`\"", "\"\\$`")]
    [InlineData("one \\\n two", "one|two")]
    [InlineData("$HOME *.txt ; # a", "$HOME|*.txt|;|#|a")]
    public void Words_split_as_in_a_shell_with_nothing_expanded(string text, string words) =>
        Assert.Equal(words.Length == 0 && text.Length == 0 ? [] : words.Split('|'), Words(text));

    [Fact]
    public void Any_words_quoted_for_a_shell_split_into_themselves() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(500),
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>[]>(), words =>
            Words(string.Join(' ', words.Select(w => $"'{w.Get.Replace("'", "'\\''", StringComparison.Ordinal)}'"))).SequenceEqual(words.Select(w => w.Get))));

    [Fact]
    public void Any_text_splits_or_says_why_not() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll(Gen.Elements("a b'\"\\$\n".ToCharArray()).ListOf().Select(l => new string([.. l])).ToArbitrary(),
            text => ShellWords.Split(text) is ShellWords.Outcome.Words or ShellWords.Outcome.Unbalanced));

    private static IReadOnlyList<string> Words(string text) => Assert.IsType<ShellWords.Outcome.Words>(ShellWords.Split(text)).List;
}
