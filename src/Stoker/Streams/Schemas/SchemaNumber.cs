namespace Stoker.Streams.Schemas;

/// <summary>A number of a schema, kept as its text.</summary>
internal sealed class SchemaNumber(byte[] text)
{
    public ReadOnlySpan<byte> Text => text;

    /// <summary>Its value, where it is a whole number that is not long.</summary>
    public long? Whole { get; } = NumberChecks.TryWhole(text, out var whole) ? whole : null;

    public override string ToString() => System.Text.Encoding.ASCII.GetString(text);
}
