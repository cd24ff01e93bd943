using System.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Json;
using Stoker.Streams.Schemas;

namespace Stoker.Streams.Ingest;

/// <summary>What is asked of an event's data: that its JSON is sound, that its type's schema allows it, that its vector is one.</summary>
internal sealed class DataChecks(EventTypes types)
{
    private readonly SchemaCheck _schemas = new();

    /// <summary>
    /// Adds what the scanner remarked in the item, whose remarks begin at <paramref name="next"/>. False: it is too deep to be looked at further, because
    /// what looks at it goes as deep as it.
    /// </summary>
    public static bool TellRemarks(IngestItem item, JsonScanner scanner, int root, ref int next)
    {
        var end = scanner.Tape.Next(root);
        var canBeRead = true;
        for (; next < scanner.Remarks.Count && scanner.Remarks[next].Token < end; next++)
        {
            var (code, message) = scanner.Remarks[next].Kind switch
            {
                JsonRemarkKind.DuplicateKey => (MistakeCodes.DuplicateKey, "this key stands twice in the object"),
                JsonRemarkKind.TooDeep => (MistakeCodes.TooDeep, $"this is nested more than {JsonModule.MaxDepth} deep"),
                JsonRemarkKind.TooManyKeys => (MistakeCodes.TooManyKeys, $"this object has more than {JsonModule.MaxKeys} keys"),
                JsonRemarkKind.Surrogate => (MistakeCodes.BadUnicode, "half a surrogate pair is no character"),
                JsonRemarkKind.Nul => (MistakeCodes.BadUnicode, "U+0000 cannot be kept by every store"),
            };
            item.Mistakes.Add(scanner.Tape, root, scanner.Remarks[next].Token, code, message);
            canBeRead &= code != MistakeCodes.TooDeep;
        }

        return canBeRead;
    }

    /// <summary>Data that are JSON. Paths begin at <paramref name="root"/>, the event.</summary>
    public void Check(IngestItem item, EventType? type, JsonTape tape, int root, int data)
    {
        if (type is null) return;
        if (type.Schema is { } schema)
        {
            item.Event.Schema = type.Name;
            _schemas.Check(schema, tape, root, data, item.Mistakes);
        }

        if (type.Embedding is not { } embedding || tape.Find(data, "embedding"u8) is not (>= 0 and var vector) || tape.Kind(vector) == JsonKind.Null) return;
        item.Event.Dimension = VectorReader.Check(tape, root, vector, embedding, item.Mistakes);
    }

    /// <summary>The type of an event, which may have to be a declared one.</summary>
    public EventType? FindType(IngestItem item, bool onlyDeclared, string path)
    {
        if (item.Event.Type.IsEmpty) return null;
        var type = types.Find(item.Event.Type.Span);
        if (type is null && onlyDeclared)
        {
            var got = JsonPath.Short(Encoding.UTF8.GetString(item.Event.Type.Span));
            item.Mistakes.Add(path, MistakeCodes.UnknownType, "this stream does not take events of this type", types.Names, got);
        }

        return type;
    }

}
