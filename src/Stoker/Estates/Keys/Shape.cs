namespace Stoker.Estates.Keys;

/// <summary>
/// What a value may look like. The same shapes check the file, read its scalars and make the JSON Schema, so the three
/// cannot disagree.
/// </summary>
internal abstract record Shape
{
    /// <summary>In words, for <c>expected …, found …</c>.</summary>
    public abstract string Expectation { get; }

    /// <summary>Any scalar; numbers and booleans are taken as they are written.</summary>
    internal sealed record Text(bool MayBeEmpty = false) : Shape
    {
        public override string Expectation => "a string";
    }

    /// <summary>YAML's booleans and, as Compose takes them, <c>yes no on off y n t f 1 0</c>, quoted or not.</summary>
    internal sealed record Flag : Shape
    {
        public override string Expectation => "`true` or `false`";
    }

    internal sealed record Whole(long Least = long.MinValue, long Most = long.MaxValue) : Shape
    {
        public override string Expectation => "a whole number";
    }

    internal sealed record Number(double Least = double.NegativeInfinity, double Most = double.PositiveInfinity) : Shape
    {
        public override string Expectation => "a number";
    }

    /// <summary><c>1h5m30s20ms</c>.</summary>
    /// <param name="MayBeZero">False where a time of nothing makes no sense (an interval, a timeout).</param>
    internal sealed record Duration(bool MayBeZero = true) : Shape
    {
        public override string Expectation => "a duration such as `30s` or `1m30s`";
    }

    /// <summary><c>512m</c>, <c>2G</c>, <c>24GiB</c>, or a number of bytes.</summary>
    /// <param name="MayBeUnlimited">-1 stands for no limit.</param>
    internal sealed record Size(bool MayBeUnlimited = false) : Shape
    {
        public override string Expectation => "a size such as `512m` or `24GiB`";
    }

    /// <summary>A file mode, always octal: <c>0440</c>, <c>440</c> and <c>0o440</c> are the same.</summary>
    internal sealed record Octal : Shape
    {
        public override string Expectation => "an octal mode such as `0440`";
    }

    internal sealed record Word(params string[] Words) : Shape
    {
        public override string Expectation => Words.Length == 1
            ? $"`{Words[0]}`"
            : $"{string.Join(", ", Words[..^1].Select(w => $"`{w}`"))} or `{Words[^1]}`";
    }

    /// <summary>An explicit or empty null.</summary>
    internal sealed record Nothing : Shape
    {
        public override string Expectation => "nothing";
    }

    /// <param name="Distinct">The same scalar twice is a mistake.</param>
    internal sealed record ListOf(Shape Item, bool Distinct = false) : Shape
    {
        public override string Expectation => "a list";
    }

    /// <summary>A mapping whose keys the owner chooses.</summary>
    /// <param name="Names">The keys are names that other places refer to: letters, digits, <c>. _ -</c>.</param>
    internal sealed record MapOf(Shape Value, bool Names = false) : Shape
    {
        public override string Expectation => "a mapping";
    }

    /// <summary>A mapping whose keys a table lists.</summary>
    /// <param name="DecidesWorkload">It is a service: whether it has an image decides which keys below it have an effect.</param>
    internal sealed record Keyed(KeyTable Table, bool DecidesWorkload = false) : Shape
    {
        public override string Expectation => "a mapping";
    }

    /// <summary>The first that fits; which are tried is decided by mapping, list or scalar.</summary>
    internal sealed record OneOf(params Shape[] Choices) : Shape
    {
        public override string Expectation => string.Join(" or ", Choices.Where(c => c is not Nothing).Select(c => c.Expectation).Distinct());
    }

    /// <summary>Not looked into: extension fields, and sections that other capabilities read.</summary>
    internal sealed record Anything : Shape
    {
        public override string Expectation => "anything";
    }
}
