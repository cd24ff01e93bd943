using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Runtime.InteropServices;
using Stoker.Streams.Json;

namespace Stoker.Streams.Events;

/// <summary>
/// A vector in one of its three forms: an array of numbers; a base64 text of float32, little-endian, as the embedding servers answer; or
/// <c>{"dtype": "float32" | "float16", "data": "…base64…", "dim": 768}</c>. What stores get is float32, little-endian. A number of an array
/// is read as a double and rounded to float32, as NumPy does it.
/// </summary>
internal static class VectorReader
{
    /// <summary>Its dimension; 0 where something is wrong with it, which was added to the mistakes.</summary>
    public static int Check(JsonTape tape, int root, int token, VectorSpec spec, MistakeList mistakes)
    {
        var before = mistakes.Count;
        var dimension = tape.Kind(token) switch
        {
            JsonKind.Array => CheckArray(tape, root, token, mistakes),
            JsonKind.String => CheckBase64(tape, root, token, isHalf: false, mistakes),
            JsonKind.Object => CheckObject(tape, root, token, mistakes),
            _ => Refuse(tape, root, token, mistakes),
        };
        if (mistakes.Count > before) return 0;
        if (dimension == 0)
            mistakes.Add(tape, root, token, MistakeCodes.Dimension, "the vector has no numbers", spec.Dimension?.ToString(), "0");
        else if (spec.Dimension is { } declared && dimension != declared)
            mistakes.Add(tape, root, token, MistakeCodes.Dimension, "the vector has another dimension than this stream's", declared.ToString(), dimension.ToString());
        else if (dimension > spec.MaxDimension)
            mistakes.Add(tape, root, token, MistakeCodes.Dimension, "the vector has too many numbers", $"at most {spec.MaxDimension}", dimension.ToString());
        return mistakes.Count > before ? 0 : dimension;
    }

    /// <summary>Writes a vector that was checked, four bytes a number; the bytes written, or -1 where it is none after all.</summary>
    public static int Write(JsonTape tape, int token, IBufferWriter<byte> output)
    {
        switch (tape.Kind(token))
        {
            case JsonKind.Array:
                return WriteArray(tape, token, output);
            case JsonKind.String:
                return WriteBase64(tape, token, isHalf: false, output);
            case JsonKind.Object when tape.Find(token, "data"u8) is var data and > 0 && tape.Kind(data) == JsonKind.String:
                return WriteBase64(tape, data, IsHalf(tape, tape.Find(token, "dtype"u8)), output);
            default:
                return -1;
        }
    }

    private static int CheckArray(JsonTape tape, int root, int token, MistakeList mistakes)
    {
        for (var item = token + 1; item < tape.Next(token); item = tape.Next(item))
        {
            if (tape.Kind(item) != JsonKind.Number)
            {
                var hint = tape.Kind(item) == JsonKind.Null ? "null is not a number; it is what NaN becomes in some programs" : "only numbers can stand in a vector";
                mistakes.Add(tape, root, item, MistakeCodes.NotANumber, hint, "a number", JsonPath.Show(tape, item));
            }
            else if (!IsFinite(tape.Content(item)))
            {
                mistakes.Add(tape, root, item, MistakeCodes.NotFinite, "the number is too big for float32", "±3.4e38", JsonPath.Show(tape, item));
            }
        }

        return tape.Count(token);
    }

    // Without an exponent, 38 digits are less than float32's greatest.
    private static bool IsFinite(ReadOnlySpan<byte> number) =>
        (number.Length <= 38 && !number.ContainsAny((byte)'e', (byte)'E')) || float.IsFinite((float)ToDouble(number));

    private static int CheckObject(JsonTape tape, int root, int token, MistakeList mistakes)
    {
        var dtype = tape.Find(token, "dtype"u8);
        var data = tape.Find(token, "data"u8);
        var dim = tape.Find(token, "dim"u8);
        if (dtype >= 0 && !IsHalf(tape, dtype) && !(tape.Kind(dtype) == JsonKind.String && tape.Is(dtype, "float32"u8)))
            mistakes.Add(tape, root, dtype, MistakeCodes.Dtype, "vectors are float32 or float16", "\"float32\" or \"float16\"", JsonPath.Show(tape, dtype));
        if (data < 0)
        {
            mistakes.Add(tape, root, token, MistakeCodes.Missing, "the numbers in base64 are missing", under: "data");
            return 0;
        }

        if (tape.Kind(data) != JsonKind.String) return Refuse(tape, root, data, mistakes);
        var before = mistakes.Count;
        var dimension = CheckBase64(tape, root, data, IsHalf(tape, dtype), mistakes);
        if (dim >= 0 && mistakes.Count == before && !(Utf8Parser.TryParse(tape.Content(dim), out int said, out var used) && used == tape.Content(dim).Length && said == dimension))
            mistakes.Add(tape, root, dim, MistakeCodes.Dimension, "the data have another dimension than is said here", dimension.ToString(), JsonPath.Show(tape, dim));
        return dimension;
    }

    private static bool IsHalf(JsonTape tape, int dtype) => dtype >= 0 && tape.Kind(dtype) == JsonKind.String && tape.Is(dtype, "float16"u8);

    private static int Refuse(JsonTape tape, int root, int token, MistakeList mistakes)
    {
        mistakes.Add(tape, root, token, MistakeCodes.WrongType, "a vector is an array of numbers, a base64 text of float32, or an object with `dtype` and `data`",
            "array, text or object", JsonPath.Show(tape, token));
        return 0;
    }

    private static int CheckBase64(JsonTape tape, int root, int token, bool isHalf, MistakeList mistakes)
    {
        var rented = ArrayPool<byte>.Shared.Rent(tape.Content(token).Length + 4);
        var length = Decode(tape, token, rented);
        var size = isHalf ? 2 : 4;
        if (length < 0)
            mistakes.Add(tape, root, token, MistakeCodes.BadBase64, "this is not base64 (RFC 4648, section 4: `+` and `/`, padded with `=`, no white space)", got: JsonPath.Show(tape, token));
        else if (length % size != 0)
            mistakes.Add(tape, root, token, MistakeCodes.Dimension, $"the bytes are not a whole number of {(isHalf ? "float16" : "float32")}", $"a multiple of {size} bytes", $"{length} bytes");
        else if (FirstNotFinite(rented.AsSpan(0, length), isHalf) is var bad and >= 0)
            mistakes.Add($"{JsonPath.Of(tape, root, token)}[{bad}]", MistakeCodes.NotFinite, "the number is NaN or infinite", "a finite number", ShowNumber(rented, bad, isHalf));
        ArrayPool<byte>.Shared.Return(rented);
        return Math.Max(0, length) / size;
    }

    /// <summary>Bytes decoded, or -1. The room is a little more than the text.</summary>
    private static int Decode(JsonTape tape, int token, Span<byte> room)
    {
        var text = tape.Content(token);
        if (tape.IsEscaped(token))
        {
            // Slashes may be escaped. The decoded bytes are fewer than those that they come from.
            var length = JsonText.Unescape(text, room);
            if (length % 4 != 0 || room[..length].ContainsAny(" \t\r\n"u8)) return -1;
            return Base64.DecodeFromUtf8InPlace(room[..length], out var inPlace) == OperationStatus.Done ? inPlace : -1;
        }

        if (text.Length % 4 != 0 || text.Contains((byte)' ')) return -1;
        return Base64.DecodeFromUtf8(text, room, out _, out var written) == OperationStatus.Done ? written : -1;
    }

    private static string ShowNumber(byte[] bytes, int index, bool isHalf) => isHalf
        ? BinaryPrimitives.ReadHalfLittleEndian(bytes.AsSpan(index * 2)).ToString()
        : BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(index * 4)).ToString();

    /// <summary>The index of the first number whose exponent is all ones, or -1.</summary>
    private static int FirstNotFinite(ReadOnlySpan<byte> bytes, bool isHalf) => isHalf
        ? FirstWith(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)0x7c00)
        : FirstWith(MemoryMarshal.Cast<byte, uint>(bytes), 0x7f800000u);

    private static int FirstWith<T>(ReadOnlySpan<T> numbers, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        var at = 0;
        for (; at + Vector<T>.Count <= numbers.Length; at += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(numbers[at..]) & mask, mask)) break;
        }

        for (; at < numbers.Length; at++)
        {
            if ((numbers[at] & exponent) == exponent) return at;
        }

        return -1;
    }

    private static int WriteArray(JsonTape tape, int token, IBufferWriter<byte> output)
    {
        var size = tape.Count(token) * 4;
        var room = output.GetSpan(size)[..size];
        var at = 0;
        for (var item = token + 1; item < tape.Next(token); item = tape.Next(item), at += 4)
        {
            if (tape.Kind(item) != JsonKind.Number) return -1;
            BinaryPrimitives.WriteSingleLittleEndian(room[at..], (float)ToDouble(tape.Content(item)));
        }

        output.Advance(size);
        return size;
    }

    private static int WriteBase64(JsonTape tape, int token, bool isHalf, IBufferWriter<byte> output)
    {
        var rented = ArrayPool<byte>.Shared.Rent(tape.Content(token).Length + 4);
        var length = Decode(tape, token, rented);
        if (length < 0 || length % (isHalf ? 2 : 4) != 0)
        {
            ArrayPool<byte>.Shared.Return(rented);
            return -1;
        }

        var size = isHalf ? length * 2 : length;
        var room = output.GetSpan(size)[..size];
        if (isHalf)
        {
            for (var i = 0; i < length; i += 2)
                BinaryPrimitives.WriteSingleLittleEndian(room[(i * 2)..], (float)BinaryPrimitives.ReadHalfLittleEndian(rented.AsSpan(i)));
        }
        else
        {
            rented.AsSpan(0, length).CopyTo(room);
        }

        output.Advance(size);
        ArrayPool<byte>.Shared.Return(rented);
        return size;
    }

    private static ReadOnlySpan<double> Powers => [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    /// <summary>Digits below 2^53 divided by a power of ten up to 10^22 are rounded once, so exactly; everything else takes the long way.</summary>
    internal static double ToDouble(ReadOnlySpan<byte> number)
    {
        ulong digits = 0;
        var (at, fraction, count) = (number[0] == '-' ? 1 : 0, -1, 0);
        for (; at < number.Length; at++)
        {
            var digit = (uint)(number[at] - '0');
            if (digit <= 9)
            {
                digits = digits * 10 + digit;
                count++;
            }
            else if (number[at] == '.')
            {
                fraction = count;
            }
            else
            {
                break;
            }
        }

        var power = fraction < 0 ? 0 : count - fraction;
        if (at < number.Length || count > 19 || digits > 1UL << 53 || power > 22) return Utf8Parser.TryParse(number, out double parsed, out _) ? parsed : double.NaN;
        var value = digits / Powers[power];
        return number[0] == '-' ? -value : value;
    }
}
