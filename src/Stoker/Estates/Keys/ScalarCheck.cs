using Stoker.Diagnostics;
using Stoker.Estates.Reading;

namespace Stoker.Estates.Keys;

/// <summary>Whether a scalar can be read as its shape says, and what to say when it cannot.</summary>
internal static class ScalarCheck
{
    private const int Shown = 40;

    public static void Check(ScalarNode scalar, Shape shape, KeyPath path, DiagnosticBag bag)
    {
        if (scalar.Value is not { } text)
        {
            if (shape is not Shape.Nothing)
                bag.Add(EstateDiagnostics.NoValue, scalar.Where, $"`{path}` has no value: expected {shape.Expectation}", "give it a value, or remove the key");
            return;
        }

        if (shape is Shape.Text { MayBeEmpty: false } && text.Length == 0)
        {
            bag.Add(EstateDiagnostics.NoValue, scalar.Where, $"`{path}` is empty", "if the value is a variable, check that it is set");
            return;
        }

        if (shape is Shape.Word word && !word.Words.Contains(text))
        {
            bag.Add(EstateDiagnostics.UnknownWord, scalar.Where, $"`{path}` must be {shape.Expectation}, found {Describe(scalar)}",
                Suggestion.For(text, word.Words));
            return;
        }

        if (!IsReadable(scalar, shape))
        {
            if (RangeOf(text, shape) is { } range)
                bag.Add(EstateDiagnostics.OutOfRange, scalar.Where, $"`{path}` must be {range}, found `{text}`");
            else
                bag.Add(EstateDiagnostics.WrongValue, scalar.Where, $"`{path}` must be {shape.Expectation}, found {Describe(scalar)}", HintFor(text, shape));
        }
    }

    /// <summary>None of several scalar shapes could read it.</summary>
    public static void ReportNone(ScalarNode scalar, Shape.OneOf choices, IReadOnlyList<Shape> fitting, KeyPath path, DiagnosticBag bag)
    {
        var words = fitting.OfType<Shape.Word>().SelectMany(w => w.Words);
        bag.Add(EstateDiagnostics.WrongValue, scalar.Where, $"`{path}` must be {choices.Expectation}, found {Describe(scalar)}",
            scalar.Value is { } text ? Suggestion.For(text, words) : null);
    }

    public static bool IsReadable(ScalarNode scalar, Shape shape)
    {
        if (scalar.Value is not { } text) return shape is Shape.Nothing;
        return shape switch
        {
            Shape.Text text1 => text1.MayBeEmpty || text.Length > 0,
            Shape.Flag => Scalars.Flag(text) is not null,
            Shape.Whole whole => Scalars.Whole(text) is { } value && value >= whole.Least && value <= whole.Most,
            Shape.Number number => Scalars.Number(text) is { } value && value >= number.Least && value <= number.Most,
            Shape.Duration duration => Scalars.Duration(text) is { } value && (duration.MayBeZero || value > TimeSpan.Zero),
            Shape.Size size => (size.MayBeUnlimited && text == "-1") || Scalars.Size(text) is not null,
            Shape.Octal => Scalars.Octal(text) is not null,
            Shape.Word word => word.Words.Contains(text),
            _ => false,
        };
    }

    public static string Describe(Node node) => node switch
    {
        MappingNode => "a mapping",
        SequenceNode => "a list",
        ScalarNode { Value: null } => "nothing",
        ScalarNode { Value: "" } => "an empty string",
        ScalarNode { Value: { } text } when text.Contains('\n') => "text of several lines",
        ScalarNode { Value: { } text } => text.Length > Shown ? $"`{text[..Shown]}…`" : $"`{text}`",
        _ => "something else",
    };

    /// <summary>The allowed range in words, when the text is of the right kind and only too small or too large.</summary>
    private static string? RangeOf(string text, Shape shape) => shape switch
    {
        Shape.Whole whole when Scalars.Whole(text) is not null => Between($"{whole.Least}", whole.Most == long.MaxValue ? null : $"{whole.Most}"),
        Shape.Number number when Scalars.Number(text) is not null => Between($"{number.Least}", double.IsPositiveInfinity(number.Most) ? null : $"{number.Most}"),
        Shape.Duration when Scalars.Duration(text) is not null => "longer than 0s",
        Shape.Duration when text.StartsWith('-') && Scalars.Duration(text[1..]) is not null => "0s or longer",
        _ => null,
    };

    private static string Between(string least, string? most) => most is null ? $"{least} or more" : $"from {least} to {most}";

    private static string? HintFor(string text, Shape shape) => shape switch
    {
        Shape.Duration when Scalars.Number(text) is not null => $"say the unit: `{text}s`, `{text}ms`",
        Shape.Whole when Scalars.Number(text) is not null => "it has to be a whole number",
        _ => null,
    };
}
