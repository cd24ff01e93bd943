namespace Stoker.Streams.Sending;

/// <summary>One document to send, as it stands in its file.</summary>
/// <param name="Place">For people: file and line, or file and place in its array.</param>
internal sealed record SendItem(string Place, SendForm Form, ReadOnlyMemory<byte> Bytes);

internal enum SendForm : byte
{
    /// <summary>A document on a line of its own.</summary>
    Line,

    /// <summary>A document on several lines, perhaps.</summary>
    Json,
    CloudEvent,
}
