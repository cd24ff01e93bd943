using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Streams.Stores.Mongo;

internal static class BsonType
{
    public const byte Double = 1, String = 2, Document = 3, Array = 4, Binary = 5, ObjectId = 7, Boolean = 8, DateTime = 9, Null = 10, Int32 = 16, Timestamp = 17, Int64 = 18, Decimal = 19;
}

/// <summary>
/// BSON (https://bsonspec.org/spec.html), a field after the other: type, name, NUL, value; a document is its length, its fields and a NUL. Used again and again.
/// </summary>
internal sealed class BsonWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(64 * 1024);

    public int Length => _bytes.WrittenCount;

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.WrittenMemory;

    public void Clear() => _bytes.ResetWrittenCount();

    public void Raw(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.GetSpan(sizeof(int)), value);
        _bytes.Advance(sizeof(int));
    }

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.GetSpan(sizeof(long)), value);
        _bytes.Advance(sizeof(long));
    }

    public void Byte(byte value) => _bytes.Write([value]);

    /// <param name="name">Without NUL.</param>
    public void Name(byte type, ReadOnlySpan<byte> name)
    {
        Byte(type);
        Raw(name);
        Byte(0);
    }

    /// <summary>Begins a document or an array whose name, if any, has been written.</summary>
    /// <returns>Where it began, for <see cref="End"/>.</returns>
    public int Begin()
    {
        var start = Length;
        Int32(0);
        return start;
    }

    public void End(int start)
    {
        Byte(0);
        Patch(start, Length - start);
    }

    public void Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> utf8)
    {
        Name(BsonType.String, name);
        Int32(utf8.Length + 1);
        Raw(utf8);
        Byte(0);
    }

    public void Field(ReadOnlySpan<byte> name, int value)
    {
        Name(BsonType.Int32, name);
        Int32(value);
    }

    public void Field(ReadOnlySpan<byte> name, long value)
    {
        Name(BsonType.Int64, name);
        Int64(value);
    }

    public void Field(ReadOnlySpan<byte> name, double value)
    {
        Name(BsonType.Double, name);
        Int64(BitConverter.DoubleToInt64Bits(value));
    }

    public void Field(ReadOnlySpan<byte> name, bool value)
    {
        Name(BsonType.Boolean, name);
        Byte(value ? (byte)1 : (byte)0);
    }

    public void Binary(ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes)
    {
        Name(BsonType.Binary, name);
        Int32(bytes.Length);
        Byte(0);
        Raw(bytes);
    }

    public void Map(BsonMap map)
    {
        var start = Begin();
        foreach (var (name, value) in map) Value(Encoding.UTF8.GetBytes(name), value);
        End(start);
    }

    private void Value(ReadOnlySpan<byte> name, object? value)
    {
        switch (value)
        {
            case null:
                Name(BsonType.Null, name);
                break;
            case string text:
                Field(name, Encoding.UTF8.GetBytes(text));
                break;
            case int number:
                Field(name, number);
                break;
            case long number:
                Field(name, number);
                break;
            case double number:
                Field(name, number);
                break;
            case bool truth:
                Field(name, truth);
                break;
            case byte[] bytes:
                Binary(name, bytes);
                break;
            case DateTime time:
                Name(BsonType.DateTime, name);
                Int64((time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMillisecond);
                break;
            case BsonMap map:
                Name(BsonType.Document, name);
                Map(map);
                break;
            case List<object?> list:
                Name(BsonType.Array, name);
                var start = Begin();
                for (var i = 0; i < list.Count; i++) Value(Encoding.ASCII.GetBytes(i.ToString(CultureInfo.InvariantCulture)), list[i]);
                End(start);
                break;
            case BsonOther other:
                Name(other.Type, name);
                Raw(other.Bytes.Span);
                break;
            default:
                throw new ArgumentException($"{value.GetType()} is nothing that BSON has", nameof(value));
        }
    }

    /// <summary>A length that is known only at the end.</summary>
    public void Patch(int at, int value)
    {
        _ = MemoryMarshal.TryGetArray(_bytes.WrittenMemory, out var segment);
        BinaryPrimitives.WriteInt32LittleEndian(segment.AsSpan(at), value);
    }
}
