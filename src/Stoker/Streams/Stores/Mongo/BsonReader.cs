using System.Buffers.Binary;
using System.Text;

namespace Stoker.Streams.Stores.Mongo;

/// <summary>BSON as it comes from a server, into <see cref="BsonMap"/>s. What is not BSON throws <see cref="InvalidDataException"/>.</summary>
internal ref struct BsonReader(ReadOnlySpan<byte> bytes)
{
    private const int ObjectIdLength = 12, DecimalLength = 16;

    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public BsonMap Map()
    {
        var map = new BsonMap();
        for (var fields = Begin(); fields.Next(out var type, out var name);) map.Add(name, fields.Value(type));
        return map;
    }

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public byte Byte() => Take(1)[0];

    public string CString()
    {
        var end = _rest.IndexOf((byte)0);
        if (end < 0) throw Broken();
        var text = Encoding.UTF8.GetString(_rest[..end]);
        _rest = _rest[(end + 1)..];
        return text;
    }

    private BsonReader Begin()
    {
        var length = Int32();
        if (length < sizeof(int) + 1) throw Broken();
        return new BsonReader(Take(length - sizeof(int)));
    }

    private bool Next(out byte type, out string name)
    {
        name = "";
        type = Byte();
        if (type != 0)
        {
            name = CString();
            return true;
        }

        return _rest.IsEmpty ? false : throw Broken();
    }

    private object? Value(byte type) => type switch
    {
        BsonType.Double => BitConverter.Int64BitsToDouble(Int64()),
        BsonType.String => String(),
        BsonType.Document => Map(),
        BsonType.Array => Map().Select(field => field.Value).ToList(),
        BsonType.Binary => Binary(),
        BsonType.Boolean => Byte() != 0,
        BsonType.DateTime => Time(Int64()),
        BsonType.Null => null,
        BsonType.Int32 => Int32(),
        BsonType.Int64 => Int64(),
        BsonType.ObjectId => new BsonOther(type, Take(ObjectIdLength).ToArray()),
        BsonType.Timestamp => new BsonOther(type, Take(sizeof(long)).ToArray()),
        BsonType.Decimal => new BsonOther(type, Take(DecimalLength).ToArray()),
        _ => throw new InvalidDataException($"a value of BSON type {type} was not expected"),
    };

    /// <summary>Milliseconds since 1970; BSON has times that .NET has not.</summary>
    private static DateTime Time(long milliseconds) => milliseconds is >= -62_135_596_800_000 and <= 253_402_300_799_999
        ? DateTime.UnixEpoch.AddTicks(milliseconds * TimeSpan.TicksPerMillisecond)
        : throw new InvalidDataException($"a time {milliseconds} ms from 1970 is none that is known here");

    private string String()
    {
        var length = Int32();
        if (length < 1) throw Broken();
        return Encoding.UTF8.GetString(Take(length)[..^1]);
    }

    private byte[] Binary()
    {
        var length = Int32();
        _ = Byte();
        return Take(length).ToArray();
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length) throw Broken();
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static InvalidDataException Broken() => new("what came is not BSON");
}
