using System.Buffers.Binary;
using System.Text;

namespace Stoker.Streams.Sending;

/// <summary>A document as the spool keeps it: version, form, length of its place (2 bytes, little-endian), place, document.</summary>
internal static class SpoolFrame
{
    private const byte Version = 1;
    private const int HeadSize = 4, LongestPlace = 512;

    public static byte[] Write(SendItem item)
    {
        var place = Encoding.UTF8.GetBytes(item.Place);
        if (place.Length > LongestPlace) place = place[^LongestPlace..];
        var frame = new byte[HeadSize + place.Length + item.Bytes.Length];
        (frame[0], frame[1]) = (Version, (byte)item.Form);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(2), (ushort)place.Length);
        place.CopyTo(frame, HeadSize);
        item.Bytes.Span.CopyTo(frame.AsSpan(HeadSize + place.Length));
        return frame;
    }

    /// <summary>Null: a later version wrote it.</summary>
    public static SendItem? Read(ReadOnlyMemory<byte> frame)
    {
        var bytes = frame.Span;
        if (bytes.Length < HeadSize || bytes[0] != Version || bytes[1] > (byte)SendForm.CloudEvent) return null;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        if (bytes.Length < HeadSize + length) return null;
        return new SendItem(Encoding.UTF8.GetString(bytes.Slice(HeadSize, length)), (SendForm)bytes[1], frame[(HeadSize + length)..].ToArray());
    }
}
