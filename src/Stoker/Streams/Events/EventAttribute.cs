namespace Stoker.Streams.Events;

/// <summary>What an extension attribute was in JSON. The numbers are written into logs.</summary>
internal enum AttributeKind
{
    Text = 0,
    Integer = 1,
    Boolean = 2,
}

/// <summary>An extension attribute of CloudEvents: its name, and its value in the canonical form of a text.</summary>
internal readonly record struct EventAttribute(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value, AttributeKind Kind);
