namespace Stoker.Streams.Schemas;

/// <summary>A number of a schema, kept as its text.</summary>
internal sealed class SchemaNumber(byte[] text)
{
    public ReadOnlySpan<byte> Text => text;

    public override string ToString() => System.Text.Encoding.ASCII.GetString(text);
}
