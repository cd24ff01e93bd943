using Stoker.Streams.Json;

namespace Stoker.Streams.Schemas;

/// <summary>A schema that was read. Immutable; used by any number of threads at once.</summary>
/// <param name="Tape">Of the schema itself: values of <c>enum</c> and <c>const</c> are tokens of it.</param>
internal sealed record JsonSchema(SchemaNode Root, JsonTape Tape)
{
    /// <summary>Reads a schema; problems are of whoever wrote it.</summary>
    public static (JsonSchema? Schema, IReadOnlyList<Mistake> Problems) Read(ReadOnlyMemory<byte> text, SchemaOptions? options = null)
    {
        var reader = new SchemaReader(options ?? new SchemaOptions());
        return (reader.Read(text), reader.Problems);
    }

    /// <summary>What is wrong with a schema, each with its place in the text, in bytes from the beginning.</summary>
    public static IReadOnlyList<(Mistake Problem, int Offset)> ProblemsOf(ReadOnlyMemory<byte> text)
    {
        var reader = new SchemaReader(new SchemaOptions());
        reader.Read(text);
        return [.. reader.Problems.Zip(reader.Offsets)];
    }
}

/// <param name="AssertsFormats"><c>format</c> is checked, and an unknown one refused; else it is a remark for readers.</param>
internal sealed record SchemaOptions(bool AssertsFormats = true);
