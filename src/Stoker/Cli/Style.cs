namespace Stoker.Cli;

/// <summary>A meaning that a terminal may show as a colour. Never the only carrier: the word stands beside it.</summary>
internal enum Tone
{
    Plain,
    Good,
    Busy,
    Bad,
    Dim,
    Strong,
    Name,
}

/// <summary>Paints text by tone, or leaves it alone where colour is not wanted.</summary>
internal sealed class Style(bool colour)
{
    private const string Reset = "\e[0m";

    public static Style None { get; } = new(false);

    public bool Colour => colour;

    /// <summary>
    /// Colour is for terminals, unless <c>--no-color</c>, a non-empty <c>NO_COLOR</c> (https://no-color.org) or <c>TERM=dumb</c> says no.
    /// </summary>
    public static Style For(bool isTerminal, bool noColour, IReadOnlyDictionary<string, string> variables) => new(
        isTerminal
        && !noColour
        && !(variables.TryGetValue("NO_COLOR", out var none) && none.Length > 0)
        && !(variables.TryGetValue("TERM", out var term) && term == "dumb"));

    public string Paint(string text, Tone tone)
    {
        if (!colour || text.Length == 0) return text;
        return Start(tone) is { Length: > 0 } start ? start + text + Reset : text;
    }

    private static string Start(Tone tone) => tone switch
    {
        Tone.Plain => "",
        Tone.Good => "\e[32m",
        Tone.Busy => "\e[33m",
        Tone.Bad => "\e[31m",
        Tone.Dim => "\e[2m",
        Tone.Strong => "\e[1m",
        Tone.Name => "\e[36m",
    };
}
