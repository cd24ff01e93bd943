using System.Text;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Estates.Reading;
using Stoker.Platform;
using Stoker.Streams.Events;
using Stoker.Streams.Schemas;

namespace Stoker.Streams;

/// <summary>Reads <c>types:</c> of a stream, with the schemas that it names, whose text goes into the stream's plan.</summary>
internal sealed class StreamTypeReader(SectionSource source)
{
    private const int MostProblems = 20;

    /// <summary>Bytes of a schema.</summary>
    private const int LargestSchema = 1 << 20;

    private readonly DiagnosticBag _bag = source.Bag;

    public IReadOnlyList<StreamTypePlan> Read(MappingNode? types)
    {
        var found = new List<StreamTypePlan>();
        foreach (var (name, key, value) in types.Named())
        {
            var map = value as MappingNode;
            if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > EventsModule.MaxAttribute || name.Any(char.IsControl))
                _bag.Add(StreamDiagnostics.InvalidType, key.Where, "no event can be of this type: it is empty, longer than 4096 bytes, or has control characters", "as in `com.example.log.line`");
            var dimension = map.Text("embedding_dim");
            found.Add(new StreamTypePlan(name)
            {
                Schema = map.PositionedText("schema") is { Value.Length: > 0 } file ? ReadSchema(name, file) : null,
                HasVector = dimension is not null,
                Dimension = dimension == "any" ? null : map.Int("embedding_dim"),
            });
        }

        return found;
    }

    private string? ReadSchema(string type, Positioned<string> file)
    {
        var (bytes, why) = ReadFile(source.Context.PathAt(file.Value, file.Where));
        if (bytes is null)
        {
            _bag.Add(StreamDiagnostics.SchemaUnreadable, file.Where, $"the schema of type `{type}` cannot be read: `{file.Value}` {why}", "a file with a JSON Schema, relative to the estate file");
            return null;
        }

        var problems = JsonSchema.ProblemsOf(bytes);
        foreach (var (problem, offset) in problems.Take(MostProblems))
        {
            var hint = (problem.Expected, problem.Got) switch
            {
                ({ } expected, { } got) => $"{expected}, not {got}",
                ({ } expected, null) => expected,
                (null, { } got) => $"found {got}",
                _ => null,
            };
            _bag.Add(StreamDiagnostics.InvalidSchema, PlaceOf(file.Value, bytes, offset), $"the schema of type `{type}` is wrong at {problem.Path}: {problem.Message}", hint);
        }

        return problems.Count == 0 ? Encoding.UTF8.GetString(bytes) : null;
    }

    private static (byte[]? Bytes, string Why) ReadFile(string path)
    {
        try
        {
            if (!Files.Exists(path)) return (null, "does not exist");
            var bytes = Files.ReadAllBytes(path);
            return bytes.Length <= LargestSchema ? (bytes, "") : (null, $"is {bytes.Length} bytes long, and at most {LargestSchema} are taken");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return (null, $"does not let itself be read: {unreadable.Message}");
        }
    }

    private static SourcePosition PlaceOf(string file, ReadOnlySpan<byte> text, int offset)
    {
        var before = text[..Math.Min(offset, text.Length)];
        var line = before[(before.LastIndexOf((byte)'\n') + 1)..];
        return new SourcePosition(file, before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(line) + 1);
    }
}
