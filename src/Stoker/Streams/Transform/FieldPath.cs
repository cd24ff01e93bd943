using System.Buffers;
using System.Text;
using Stoker.Streams.Json;

namespace Stoker.Streams.Transform;

/// <summary>A place in a document: <c>$.gpu_hardware.device_name</c>, <c>$.extra['a b'][0]</c>. Of JSONPath the part that names one place.</summary>
internal sealed record FieldPath(string Written, IReadOnlyList<FieldStep> Steps)
{
    private static readonly SearchValues<char> NotInName = SearchValues.Create("]'\"*?@ ");

    /// <summary>Null with the reason. The <c>$.</c> may be left out.</summary>
    public static FieldPath? TryRead(string written, out string reason)
    {
        reason = "";
        var steps = new List<FieldStep>();
        var rest = written.StartsWith('$') ? written.AsSpan(1) : $".{written}";
        while (!rest.IsEmpty)
        {
            var step = rest[0] == '.' ? ReadName(ref rest) : rest[0] == '[' ? ReadBracket(ref rest) : null;
            if (step is null)
            {
                reason = $"it cannot be read from `{rest}` on; a path is as `$.a.b[0]['c d']`";
                return null;
            }

            steps.Add(step);
        }

        if (steps.Count == 0) reason = "it names the whole document";
        return steps.Count == 0 ? null : new FieldPath(written, steps);
    }

    /// <summary>The token there, or -1.</summary>
    public int Find(JsonTape tape, int token)
    {
        foreach (var step in Steps)
        {
            token = step.Name is { } name ? tape.Find(token, name.Span) : FindItem(tape, token, step.Index);
            if (token < 0) return -1;
        }

        return token;
    }

    private static int FindItem(JsonTape tape, int token, int index)
    {
        if (tape.Kind(token) != JsonKind.Array || index >= tape.Count(token)) return -1;
        for (token++; index > 0; index--) token = tape.Next(token);
        return token;
    }

    private static FieldStep? ReadName(ref ReadOnlySpan<char> rest)
    {
        var name = rest[1..];
        var end = name.IndexOfAny('.', '[');
        if (end >= 0) name = name[..end];
        if (name.IsEmpty || name.ContainsAny(NotInName)) return null;
        rest = rest[(1 + name.Length)..];
        return new FieldStep(name.ToString());
    }

    private static FieldStep? ReadBracket(ref ReadOnlySpan<char> rest)
    {
        if (rest.Length > 2 && rest[1] is '\'' or '"')
        {
            var quote = rest[1];
            var name = new StringBuilder();
            for (var i = 2; i < rest.Length; i++)
            {
                if (rest[i] == quote && i + 1 < rest.Length && rest[i + 1] == ']')
                {
                    rest = rest[(i + 2)..];
                    return new FieldStep(name.ToString());
                }

                if (rest[i] == '\\' && i + 1 < rest.Length) i++;
                name.Append(rest[i]);
            }

            return null;
        }

        var end = rest.IndexOf(']');
        if (end < 2 || rest[1..end].ContainsAnyExceptInRange('0', '9') || !int.TryParse(rest[1..end], out var index)) return null;
        rest = rest[(end + 1)..];
        return new FieldStep(index);
    }
}

/// <summary>A field's name, or an item's number.</summary>
internal sealed record FieldStep
{
    public FieldStep(string name) => (Text, Name) = (name, Encoding.UTF8.GetBytes(name));

    public FieldStep(int index) => (Text, Index) = ($"[{index}]", index);

    public string Text { get; }

    public ReadOnlyMemory<byte>? Name { get; }

    public int Index { get; }
}
