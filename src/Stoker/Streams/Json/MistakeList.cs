namespace Stoker.Streams.Json;

/// <summary>The mistakes of one event; the first <see cref="Most"/> of them, and how many more there are.</summary>
internal sealed class MistakeList
{
    public const int Most = 64;

    private readonly List<Mistake> _mistakes = [];

    public IReadOnlyList<Mistake> Kept => _mistakes;

    /// <summary>All of them, kept or not.</summary>
    public int Count { get; private set; }

    public void Clear()
    {
        _mistakes.Clear();
        Count = 0;
    }

    public void Add(Mistake mistake)
    {
        if (++Count <= Most) _mistakes.Add(mistake);
    }

    public void Add(string path, string code, string message, string? expected = null, string? got = null)
    {
        if (++Count <= Most) _mistakes.Add(new Mistake(path, code, message, expected, got));
    }

    /// <summary>A mistake at a token of the event that begins at <paramref name="root"/>; <paramref name="under"/> is a key that is not there.</summary>
    public void Add(JsonTape tape, int root, int token, string code, string message, string? expected = null, string? got = null, string? under = null)
    {
        if (++Count > Most) return;
        var path = JsonPath.Of(tape, root, token);
        _mistakes.Add(new Mistake(under is null ? path : JsonPath.Join(path, under), code, message, expected, got));
    }
}
