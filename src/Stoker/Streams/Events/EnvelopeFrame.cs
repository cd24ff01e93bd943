using System.Buffers;
using System.Buffers.Binary;

namespace Stoker.Streams.Events;

internal enum FrameFault
{
    None,

    /// <summary>It does not add up: lengths beyond the end, or no source, id or type.</summary>
    Damaged,

    /// <summary>Its first byte is of another version of the program.</summary>
    OtherVersion,
}

/// <summary>
/// An envelope as bytes: <c>0x01</c>, then fields, each a tag, a length (both of seven bits a byte, lowest first) and as many bytes. Empty fields
/// are left out, unknown tags skipped, of a field that stands twice the last counts; extensions stand once each. The data come last.
/// </summary>
internal static class EnvelopeFrame
{
    private const byte Version = 1;

    private enum Tag
    {
        Form = 1,
        Source = 2,
        Id = 3,
        Type = 4,
        Subject = 5,
        Time = 6,
        DataSchema = 7,
        ContentType = 8,
        Schema = 9,
        Producer = 10,
        TraceParent = 11,
        Extension = 12,
        Received = 13,
        Dimension = 14,
        Data = 15,
    }

    /// <summary>The bytes that <see cref="Write"/> will write.</summary>
    public static int Measure(EventEnvelope envelope)
    {
        var size = 1 + 3 + Size(envelope.Source) + Size(envelope.Id) + Size(envelope.Type) + Size(envelope.Subject) + Size(envelope.Time) + Size(envelope.DataSchema)
            + Size(envelope.ContentType) + Size(envelope.Schema) + Size(envelope.Producer) + Size(envelope.TraceParent) + 10;
        for (var i = 0; i < envelope.Extensions.Count; i++)
        {
            var length = ExtensionLength(envelope.Extensions[i]);
            size += 1 + VarintSize(length) + length;
        }

        if (envelope.Dimension > 0) size += 2 + VarintSize(envelope.Dimension);
        return envelope.HasData ? size + 1 + VarintSize(envelope.Data.Length) + envelope.Data.Length : size;
    }

    public static void Write(EventEnvelope envelope, IBufferWriter<byte> output)
    {
        var size = Measure(envelope);
        Write(envelope, output.GetSpan(size)[..size]);
        output.Advance(size);
    }

    /// <summary>Writes into exactly as many bytes as were measured.</summary>
    public static void Write(EventEnvelope envelope, Span<byte> room)
    {
        room[0] = Version;
        var at = 1;
        Put(room, ref at, Tag.Form, [(byte)envelope.Form]);
        PutText(room, ref at, Tag.Source, envelope.Source);
        PutText(room, ref at, Tag.Id, envelope.Id);
        PutText(room, ref at, Tag.Type, envelope.Type);
        PutText(room, ref at, Tag.Subject, envelope.Subject);
        PutText(room, ref at, Tag.Time, envelope.Time);
        PutText(room, ref at, Tag.DataSchema, envelope.DataSchema);
        PutText(room, ref at, Tag.ContentType, envelope.ContentType);
        PutText(room, ref at, Tag.Schema, envelope.Schema);
        PutText(room, ref at, Tag.Producer, envelope.Producer);
        PutText(room, ref at, Tag.TraceParent, envelope.TraceParent);
        for (var i = 0; i < envelope.Extensions.Count; i++) PutExtension(room, ref at, envelope.Extensions[i]);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(number, envelope.Received.Ticks);
        Put(room, ref at, Tag.Received, number);
        if (envelope.Dimension > 0)
        {
            var length = 0;
            PutVarint(number, ref length, envelope.Dimension);
            Put(room, ref at, Tag.Dimension, number[..length]);
        }

        if (envelope.HasData) Put(room, ref at, Tag.Data, envelope.Data.Span);
    }

    /// <summary>Fills the envelope with places in the frame.</summary>
    public static FrameFault TryRead(ReadOnlyMemory<byte> frame, EventEnvelope into)
    {
        into.Clear();
        var span = frame.Span;
        if (span.IsEmpty) return FrameFault.Damaged;
        if (span[0] != Version) return FrameFault.OtherVersion;
        for (var at = 1; at < span.Length;)
        {
            if (!TryVarint(span, ref at, out var tag) || !TryVarint(span, ref at, out var length) || length > span.Length - at) return FrameFault.Damaged;
            if (!Take(into, (Tag)tag, frame.Slice(at, length))) return FrameFault.Damaged;
            at += length;
        }

        return into.Source.IsEmpty || into.Id.IsEmpty || into.Type.IsEmpty || !Enum.IsDefined(into.Form) ? FrameFault.Damaged : FrameFault.None;
    }

    private static bool Take(EventEnvelope into, Tag tag, ReadOnlyMemory<byte> value)
    {
        switch (tag)
        {
            case Tag.Form:
                into.Form = value.Length == 1 ? (EventForm)value.Span[0] : default;
                break;
            case Tag.Source:
                into.Source = value;
                break;
            case Tag.Id:
                into.Id = value;
                break;
            case Tag.Type:
                into.Type = value;
                break;
            case Tag.Subject:
                into.Subject = value;
                break;
            case Tag.Time:
                into.Time = value;
                break;
            case Tag.DataSchema:
                into.DataSchema = value;
                break;
            case Tag.ContentType:
                into.ContentType = value;
                break;
            case Tag.Schema:
                into.Schema = value;
                break;
            case Tag.Producer:
                into.Producer = value;
                break;
            case Tag.TraceParent:
                into.TraceParent = value;
                break;
            case Tag.Data:
                (into.Data, into.HasData) = (value, true);
                break;
            default:
                return TakeNumber(into, tag, value);
        }

        return true;
    }

    private static bool TakeNumber(EventEnvelope into, Tag tag, ReadOnlyMemory<byte> value)
    {
        var at = 0;
        switch (tag)
        {
            case Tag.Extension:
                return TakeExtension(into, value);
            case Tag.Received:
                if (value.Length != 8 || BinaryPrimitives.ReadInt64LittleEndian(value.Span) is var ticks && (ticks < 0 || ticks > DateTime.MaxValue.Ticks)) return false;
                into.Received = new DateTime(ticks, DateTimeKind.Utc);
                return true;
            case Tag.Dimension:
                if (!TryVarint(value.Span, ref at, out var dimension) || at != value.Length) return false;
                into.Dimension = dimension;
                return true;
            default:
                return true;
        }
    }

    /// <summary>A byte for the kind, a byte for the name's length, name, value.</summary>
    private static bool TakeExtension(EventEnvelope into, ReadOnlyMemory<byte> value)
    {
        var span = value.Span;
        if (span.Length < 2 || !Enum.IsDefined((AttributeKind)span[0]) || span[1] == 0 || span.Length < 2 + span[1] || into.Extensions.Count == EventsModule.MaxExtensions) return false;
        into.Add(new EventAttribute(value.Slice(2, span[1]), value[(2 + span[1])..], (AttributeKind)span[0]));
        return true;
    }

    private static int ExtensionLength(EventAttribute attribute) => 2 + attribute.Name.Length + attribute.Value.Length;

    private static void PutExtension(Span<byte> room, ref int at, EventAttribute attribute)
    {
        PutVarint(room, ref at, (int)Tag.Extension);
        PutVarint(room, ref at, ExtensionLength(attribute));
        room[at++] = (byte)attribute.Kind;
        room[at++] = (byte)attribute.Name.Length;
        attribute.Name.Span.CopyTo(room[at..]);
        at += attribute.Name.Length;
        attribute.Value.Span.CopyTo(room[at..]);
        at += attribute.Value.Length;
    }

    private static void PutText(Span<byte> room, ref int at, Tag tag, ReadOnlyMemory<byte> value)
    {
        if (!value.IsEmpty) Put(room, ref at, tag, value.Span);
    }

    private static void Put(Span<byte> room, ref int at, Tag tag, ReadOnlySpan<byte> value)
    {
        PutVarint(room, ref at, (int)tag);
        PutVarint(room, ref at, value.Length);
        value.CopyTo(room[at..]);
        at += value.Length;
    }

    private static int Size(ReadOnlyMemory<byte> value) => value.IsEmpty ? 0 : 1 + VarintSize(value.Length) + value.Length;

    private static int VarintSize(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;

    private static void PutVarint(Span<byte> room, ref int at, int value)
    {
        var rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7) room[at++] = (byte)(rest | 0x80);
        room[at++] = (byte)rest;
    }

    private static bool TryVarint(ReadOnlySpan<byte> bytes, ref int at, out int value)
    {
        value = 0;
        for (var shift = 0; shift < 35 && at < bytes.Length; shift += 7)
        {
            var next = bytes[at++];
            if (shift == 28 && next > 0x07) return false;
            value |= (next & 0x7f) << shift;
            if (next < 0x80) return true;
        }

        return false;
    }
}
