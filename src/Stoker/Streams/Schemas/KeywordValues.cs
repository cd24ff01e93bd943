using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>The shapes that keywords' values have, each read with its mistakes.</summary>
internal static class KeywordValues
{
    /// <summary>A count; 2.0 is one too.</summary>
    public static int Count(this SchemaReader reader, int token, int otherwise)
    {
        if (reader.Tape.Kind(token) == JsonKind.Number && double.TryParse(reader.Tape.Content(token), out var value) && value >= 0 && double.IsInteger(value))
            return (int)Math.Min(value, int.MaxValue);
        reader.Problem(token, SchemaReader.BadKeyword, "a whole number, 0 or more, is needed", got: JsonPath.Show(reader.Tape, token));
        return otherwise;
    }

    public static SchemaNumber? Number(this SchemaReader reader, int token)
    {
        if (reader.Tape.Kind(token) == JsonKind.Number) return new SchemaNumber(reader.Tape.Content(token).ToArray());
        reader.Problem(token, SchemaReader.BadKeyword, "a number is needed", got: JsonPath.Show(reader.Tape, token));
        return null;
    }

    public static string? Text(this SchemaReader reader, int token)
    {
        if (reader.Tape.Kind(token) == JsonKind.String) return reader.Tape.TextOf(token);
        reader.Problem(token, SchemaReader.BadKeyword, "a text is needed", got: JsonPath.Show(reader.Tape, token));
        return null;
    }

    public static bool Flag(this SchemaReader reader, int token)
    {
        if (reader.Tape.Kind(token) is not (JsonKind.True or JsonKind.False))
            reader.Problem(token, SchemaReader.BadKeyword, "`true` or `false` is needed", got: JsonPath.Show(reader.Tape, token));
        return reader.Tape.Kind(token) == JsonKind.True;
    }

    public static IReadOnlyList<string> Texts(this SchemaReader reader, int token)
    {
        if (!reader.IsA(token, JsonKind.Array)) return [];
        var texts = new List<string>();
        foreach (var item in reader.Items(token))
        {
            if (reader.Text(item) is { } text) texts.Add(text);
        }

        if (texts.Distinct().Count() != texts.Count) reader.Problem(token, SchemaReader.BadKeyword, "a name stands twice");
        return texts;
    }

    public static SchemaNode[] Schemas(this SchemaReader reader, int token)
    {
        if (!reader.IsA(token, JsonKind.Array)) return [];
        if (reader.Tape.Count(token) == 0) reader.Problem(token, SchemaReader.BadKeyword, "at least one schema is needed");
        return [.. reader.Items(token).Select(reader.Compile)];
    }

    public static IReadOnlyList<(string Name, int Token)> Members(this SchemaReader reader, int token)
    {
        if (!reader.IsA(token, JsonKind.Object)) return [];
        var members = new List<(string, int)>();
        for (var name = token + 1; name < reader.Tape.Next(token); name = reader.Tape.Next(name + 1)) members.Add((reader.Tape.TextOf(name), name + 1));
        return members;
    }

    public static IEnumerable<int> Items(this SchemaReader reader, int token)
    {
        for (var item = token + 1; item < reader.Tape.Next(token); item = reader.Tape.Next(item)) yield return item;
    }

    private static bool IsA(this SchemaReader reader, int token, JsonKind kind)
    {
        if (reader.Tape.Kind(token) == kind) return true;
        reader.Problem(token, SchemaReader.BadKeyword, kind == JsonKind.Array ? "an array is needed" : "an object is needed", got: JsonPath.Show(reader.Tape, token));
        return false;
    }
}
