namespace Stoker.Streams.Json;

/// <summary>Whether two values say the same: numbers by value, strings without their escapes, objects in any order.</summary>
internal static class JsonEquality
{
    private const int MostOnStack = 256;

    public static bool AreEqual(JsonTape left, int a, JsonTape right, int b)
    {
        var kind = left.Kind(a);
        if (kind != right.Kind(b)) return false;
        return kind switch
        {
            JsonKind.Number => AreEqualNumbers(left.Content(a), right.Content(b)),
            JsonKind.String or JsonKind.Name => AreEqualTexts(left, a, right, b),
            JsonKind.Array => AreEqualArrays(left, a, right, b),
            JsonKind.Object => AreEqualObjects(left, a, right, b),
            JsonKind.Null or JsonKind.True or JsonKind.False => true,
        };
    }

    /// <summary>Equal values have equal hashes.</summary>
    public static int Hash(JsonTape tape, int token)
    {
        switch (tape.Kind(token))
        {
            case JsonKind.Number:
                var text = tape.Content(token);
                return JsonNumber.Read(text, text.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[text.Length]).GetHashCode();
            case JsonKind.String or JsonKind.Name:
                return tape.IsEscaped(token) ? HashOf(System.Text.Encoding.UTF8.GetBytes(tape.TextOf(token))) : HashOf(tape.Content(token));
            case JsonKind.Array:
                var items = default(HashCode);
                for (var at = token + 1; at < tape.Next(token); at = tape.Next(at)) items.Add(Hash(tape, at));
                return items.ToHashCode();
            case JsonKind.Object:
                var sum = 7;
                for (var at = token + 1; at < tape.Next(token); at = tape.Next(at + 1)) sum += HashCode.Combine(Hash(tape, at), Hash(tape, at + 1));
                return sum;
            default:
                return (int)tape.Kind(token);
        }
    }

    private static int HashOf(ReadOnlySpan<byte> bytes)
    {
        var hash = default(HashCode);
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    private static bool AreEqualNumbers(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.SequenceEqual(right)) return true;
        var a = JsonNumber.Read(left, left.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[left.Length]);
        var b = JsonNumber.Read(right, right.Length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[right.Length]);
        return a.CompareTo(b) == 0;
    }

    private static bool AreEqualTexts(JsonTape left, int a, JsonTape right, int b) =>
        !left.IsEscaped(a) ? right.Is(b, left.Content(a))
        : !right.IsEscaped(b) ? left.Is(a, right.Content(b))
        : left.TextOf(a) == right.TextOf(b);

    private static bool AreEqualArrays(JsonTape left, int a, JsonTape right, int b)
    {
        if (left.Count(a) != right.Count(b)) return false;
        var other = b + 1;
        for (var at = a + 1; at < left.Next(a); at = left.Next(at), other = right.Next(other))
        {
            if (!AreEqual(left, at, right, other)) return false;
        }

        return true;
    }

    private static bool AreEqualObjects(JsonTape left, int a, JsonTape right, int b)
    {
        if (left.Count(a) != right.Count(b)) return false;
        for (var at = a + 1; at < left.Next(a); at = left.Next(at + 1))
        {
            var other = -1;
            for (var name = b + 1; name < right.Next(b) && other < 0; name = right.Next(name + 1))
            {
                if (AreEqualTexts(left, at, right, name)) other = name + 1;
            }

            if (other < 0 || !AreEqual(left, at + 1, right, other)) return false;
        }

        return true;
    }
}
