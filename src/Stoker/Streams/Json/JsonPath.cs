using System.Text;

namespace Stoker.Streams.Json;

/// <summary>Places in a text as people write them: <c>$.gpu_hardware['total memory'][3]</c>.</summary>
internal static class JsonPath
{
    private const int LongestName = 80, LongestValue = 80;

    /// <summary>The path of a token from a root that is above it; of what is very deep, the beginning.</summary>
    public static string Of(JsonTape tape, int root, int token)
    {
        var path = new StringBuilder("$");
        var depth = 0;
        for (var at = root; at != token;)
        {
            if (depth++ == JsonModule.MaxDepth) return path.Append('…').ToString();
            var isObject = tape.Kind(at) == JsonKind.Object;
            var child = at + 1;
            for (var index = 0; ; index++, child = tape.Next(child))
            {
                if (isObject && (token == child || token < tape.Next(child + 1))) break;
                if (!isObject && token < tape.Next(child))
                {
                    path.Append('[').Append(index).Append(']');
                    break;
                }

                if (isObject) child++;
            }

            at = child;
            if (!isObject) continue;
            Append(path, tape.TextOf(child));
            if (token == child) break;
            at = child + 1;
        }

        return path.ToString();
    }

    public static string Join(string path, string name)
    {
        var joined = new StringBuilder(path);
        Append(joined, name);
        return joined.ToString();
    }

    /// <summary>A value as a message shows it.</summary>
    public static string Show(JsonTape tape, int token) => tape.Kind(token) switch
    {
        JsonKind.Object => tape.Count(token) == 0 ? "an empty object" : "an object",
        JsonKind.Array => tape.Count(token) == 0 ? "an empty array" : $"an array of {tape.Count(token)}",
        JsonKind.String or JsonKind.Name => $"\"{Short(tape.TextOf(token), LongestValue)}\"",
        _ => Short(Encoding.UTF8.GetString(tape.Content(token)), LongestValue),
    };

    public static string Short(string text, int most = LongestValue)
    {
        if (text.Length <= most) return text;
        var cut = char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
        return text[..cut] + "…";
    }

    private static void Append(StringBuilder path, string name)
    {
        if (name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            path.Append('.').Append(Short(name, LongestName));
        else
            path.Append("['").Append(Short(name, LongestName).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)).Append("']");
    }
}
