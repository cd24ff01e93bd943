using System.Buffers.Text;
using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

internal static class NumberChecks
{
    private const int MostOnStack = 128;

    public static bool Fits(SchemaCheck check, SchemaNumberRules rules, int token)
    {
        var text = check.Tape.Content(token);
        if (rules.MultipleOf is null && TryWhole(text, out var whole) && FitsWhole(rules, whole)) return true;
        var number = JsonNumber.Read(text, text.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[text.Length]);
        var fits = true;
        if (rules.Minimum is { } least && Compare(number, least) < 0) fits = check.Fail(token, MistakeCodes.TooSmall, "the number is too small", least);
        if (rules.ExclusiveMinimum is { } below && Compare(number, below) <= 0) fits = check.Fail(token, MistakeCodes.TooSmall, "the number must be greater", below);
        if (rules.Maximum is { } most && Compare(number, most) > 0) fits = check.Fail(token, MistakeCodes.TooBig, "the number is too big", most);
        if (rules.ExclusiveMaximum is { } above && Compare(number, above) >= 0) fits = check.Fail(token, MistakeCodes.TooBig, "the number must be less", above);
        if (rules.MultipleOf is { } unit && !IsMultiple(number, unit)) fits = check.Fail(token, MistakeCodes.NotAMultiple, "the number is not a multiple", unit);
        return fits;
    }

    /// <summary>A number written as at most 18 digits.</summary>
    public static bool TryWhole(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && text.Length <= 18;

    /// <summary>The usual case, where both are short whole numbers; false says nothing.</summary>
    private static bool FitsWhole(SchemaNumberRules rules, long value) =>
        (rules.Minimum is null || value >= rules.Minimum.Whole) && (rules.ExclusiveMinimum is null || value > rules.ExclusiveMinimum.Whole)
        && (rules.Maximum is null || value <= rules.Maximum.Whole) && (rules.ExclusiveMaximum is null || value < rules.ExclusiveMaximum.Whole);

    public static bool IsWhole(ReadOnlySpan<byte> text) =>
        !text.ContainsAny((byte)'.', (byte)'e', (byte)'E') || JsonNumber.Read(text, text.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[text.Length]).IsWhole;

    private static int Compare(JsonNumber number, SchemaNumber bound) =>
        number.CompareTo(JsonNumber.Read(bound.Text, bound.Text.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[bound.Text.Length]));

    private static bool IsMultiple(JsonNumber number, SchemaNumber unit) =>
        number.IsMultipleOf(JsonNumber.Read(unit.Text, unit.Text.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[unit.Text.Length]));
}
