namespace Stoker.Estates.Keys;

/// <summary>The shapes that the key tables are written with.</summary>
internal static class Shapes
{
    public static readonly Shape Text = new Shape.Text();
    public static readonly Shape TextOrEmpty = new Shape.Text(MayBeEmpty: true);
    public static readonly Shape Flag = new Shape.Flag();
    public static readonly Shape Duration = new Shape.Duration();
    public static readonly Shape Interval = new Shape.Duration(MayBeZero: false);
    public static readonly Shape Size = new Shape.Size();
    public static readonly Shape SizeOrUnlimited = new Shape.Size(MayBeUnlimited: true);
    public static readonly Shape Octal = new Shape.Octal();
    public static readonly Shape Nothing = new Shape.Nothing();
    public static readonly Shape Anything = new Shape.Anything();

    public static readonly Shape Whole = new Shape.Whole();
    public static readonly Shape Natural = new Shape.Whole(0);
    public static readonly Shape Positive = new Shape.Whole(1);
    public static readonly Shape NaturalOrUnlimited = new Shape.Whole(-1);
    public static readonly Shape Port = new Shape.Whole(1, 65535);
    public static readonly Shape Amount = new Shape.Number(0);

    public static readonly Shape Texts = new Shape.ListOf(TextOrEmpty);
    public static readonly Shape DistinctTexts = new Shape.ListOf(Text, Distinct: true);
    public static readonly Shape TextOrTexts = OneOf(Text, Texts);
    public static readonly Shape TextMap = new Shape.MapOf(TextOrEmpty);

    /// <summary>Compose's list of <c>KEY=VALUE</c> or mapping; a key without a value is allowed in both.</summary>
    public static readonly Shape Pairs = OneOf(new Shape.MapOf(OneOf(TextOrEmpty, Nothing)), new Shape.ListOf(Text));

    /// <summary>A string that is split into words, or the words.</summary>
    public static readonly Shape Command = OneOf(TextOrEmpty, Texts, Nothing);

    public static Shape Range(long least, long most) => new Shape.Whole(least, most);

    public static Shape Word(params string[] words) => new Shape.Word(words);

    public static Shape List(Shape item, bool distinct = false) => new Shape.ListOf(item, distinct);

    public static Shape Map(Shape value) => new Shape.MapOf(value);

    /// <summary>A mapping from names that other places refer to.</summary>
    public static Shape Named(Shape value) => new Shape.MapOf(value, Names: true);

    public static Shape Keyed(KeyTable table) => new Shape.Keyed(table);

    /// <summary>Choices of choices are made one list, because the kind of a node decides among them at once.</summary>
    public static Shape OneOf(params Shape[] choices) =>
        new Shape.OneOf([.. choices.SelectMany(c => c is Shape.OneOf inner ? inner.Choices : [c])]);

    public static Shape OrNothing(Shape shape) => OneOf(shape, Nothing);
}
