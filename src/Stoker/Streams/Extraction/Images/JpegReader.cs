using System.Buffers.Binary;

namespace Stoker.Streams.Extraction.Images;

/// <summary>
/// JPEG (ITU-T T.81) at an eighth of its size: each block of 8 by 8 pixels becomes one, its mean, which is all that a descriptor needs. Baseline, extended and progressive with Huffman codes, 8 bits,
/// one or three components. CMYK, 12 bits, lossless and arithmetic codes are told and not decoded.
/// </summary>
internal sealed class JpegReader(ReadOnlyMemory<byte> file)
{
    private readonly int[] _scale = new int[4];
    private readonly HuffmanTable?[] _dc = new HuffmanTable?[4], _ac = new HuffmanTable?[4];
    private JpegFrame? _frame;
    private int _restart;
    private bool _isRgb;

    /// <exception cref="BrokenImageException"/>
    public ImageContent Read()
    {
        for (var at = 2; ;)
        {
            var bytes = file.Span;
            while (at < bytes.Length && bytes[at] == 0xff && at + 1 < bytes.Length && bytes[at + 1] == 0xff) at++;
            if (at + 4 > bytes.Length || bytes[at] != 0xff) throw new BrokenImageException($"byte {at} is no marker, and there are no pixels before it");
            var (marker, length) = (bytes[at + 1], BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]));
            if (length < 2 || at + 2 + length > bytes.Length) throw new BrokenImageException($"the segment at byte {at} is longer than the file");
            var segment = file.Slice(at + 4, length - 2);
            at += length + 2;
            if (marker == 0xda) return ReadScan(segment.Span, file[at..]);
            if (Frame(marker, segment.Span) is { } known) return known;
        }
    }

    /// <returns>What it is, where it is not decoded.</returns>
    private ImageContent? Frame(byte marker, ReadOnlySpan<byte> segment)
    {
        switch (marker)
        {
            case 0xdb:
                ReadScales(segment);
                break;
            case 0xc4:
                ReadTables(segment);
                break;
            case 0xdd when segment.Length >= 2:
                _restart = BinaryPrimitives.ReadUInt16BigEndian(segment);
                break;
            case 0xee when segment.Length >= 12 && segment.StartsWith("Adobe"u8):
                _isRgb = segment[11] == 0;
                break;
            case >= 0xc0 and <= 0xcf and not (0xc8 or 0xcc):
                _frame = JpegFrame.Read(marker, segment);
                if (_frame.NotDecoded is { } why) return new ImageContent("jpeg", _frame.Width, _frame.Height, null, why);
                break;
        }

        return null;
    }

    private ImageContent ReadScan(ReadOnlySpan<byte> head, ReadOnlyMemory<byte> data)
    {
        if (_frame is not { } frame) throw new BrokenImageException("there are pixels before their size");
        var count = head.Length > 0 ? head[0] : 0;
        if (head.Length < 4 + (count * 2) || count != frame.Components.Count)
        {
            return new ImageContent("jpeg", frame.Width, frame.Height, null, "a JPEG whose components are not together is not decoded");
        }

        var shift = frame.IsProgressive ? head[3 + (count * 2)] & 15 : 0;
        var reader = new JpegBits(data);
        var tables = new (HuffmanTable Dc, HuffmanTable? Ac)[count];
        for (var i = 0; i < count; i++)
        {
            if (head[1 + (i * 2)] != frame.Components[i].Id || _dc[(head[2 + (i * 2)] >> 4) & 3] is not { } dc) throw new BrokenImageException("the scan has components or codes that were not told");
            tables[i] = (dc, frame.IsProgressive ? null : _ac[head[2 + (i * 2)] & 3] ?? throw new BrokenImageException("the scan has codes that were not told"));
        }

        Decode(frame, reader, tables, shift);
        return new ImageContent("jpeg", frame.Width, frame.Height, ToRaster(frame), null);
    }

    private void Decode(JpegFrame frame, JpegBits reader, (HuffmanTable Dc, HuffmanTable? Ac)[] tables, int shift)
    {
        var last = new int[frame.Components.Count];
        for (var unit = 0; unit < frame.Columns * frame.Rows; unit++)
        {
            if (_restart > 0 && unit > 0 && unit % _restart == 0)
            {
                reader.Restart();
                Array.Clear(last);
            }

            for (var i = 0; i < frame.Components.Count; i++)
            {
                var component = frame.Components[i];
                // Of an image with one component, units are blocks.
                var (across, down) = frame.Components.Count == 1 ? (1, 1) : (component.Across, component.Down);
                for (var block = 0; block < across * down; block++)
                {
                    last[i] += reader.Difference(tables[i].Dc);
                    if (tables[i].Ac is { } ac) reader.SkipRest(ac);
                    var (x, y) = ((unit % frame.Columns * across) + (block % across), (unit / frame.Columns * down) + (block / across));
                    component.Means[(y * component.Stride) + x] = (byte)Math.Clamp((((last[i] << shift) * _scale[component.Scale]) / 8) + 128, 0, 255);
                }
            }
        }
    }

    private Raster ToRaster(JpegFrame frame)
    {
        var (width, height) = ((frame.Width + 7) / 8, (frame.Height + 7) / 8);
        var pixels = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var pixel = pixels.AsSpan(((y * width) + x) * 3, 3);
                var first = frame.Mean(0, x, y);
                if (frame.Components.Count == 1) pixel.Fill(first);
                else if (_isRgb) (pixel[0], pixel[1], pixel[2]) = (first, frame.Mean(1, x, y), frame.Mean(2, x, y));
                else ToRgb(first, frame.Mean(1, x, y) - 128, frame.Mean(2, x, y) - 128, pixel);
            }
        }

        return new Raster(width, height, pixels);
    }

    /// <summary>As JFIF says.</summary>
    private static void ToRgb(int y, int blue, int red, Span<byte> pixel)
    {
        pixel[0] = (byte)Math.Clamp(y + (1.402 * red), 0, 255);
        pixel[1] = (byte)Math.Clamp(y - (0.344136 * blue) - (0.714136 * red), 0, 255);
        pixel[2] = (byte)Math.Clamp(y + (1.772 * blue), 0, 255);
    }

    /// <summary>Of each table the first: what a mean is multiplied by.</summary>
    private void ReadScales(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            var size = 1 + (segment[0] >> 4 == 0 ? 64 : 128);
            if (segment.Length < size) throw new BrokenImageException("a table of scales is not whole");
            _scale[segment[0] & 3] = size == 65 ? segment[1] : BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
            segment = segment[size..];
        }
    }

    private void ReadTables(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 0)
        {
            if (segment.Length < 17) throw new BrokenImageException("a table of codes is not whole");
            var count = 0;
            foreach (var each in segment[1..17]) count += each;
            if (segment.Length < 17 + count) throw new BrokenImageException("a table of codes is not whole");
            (segment[0] >> 4 == 0 ? _dc : _ac)[segment[0] & 3] = new HuffmanTable(segment[1..17], segment.Slice(17, count));
            segment = segment[(17 + count)..];
        }
    }
}
