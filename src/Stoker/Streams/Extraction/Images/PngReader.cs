using System.Buffers.Binary;
using System.IO.Compression;

namespace Stoker.Streams.Extraction.Images;

/// <summary>PNG (ISO/IEC 15948): every colour type and depth, interlaced or not. Transparency is left out, gamma not applied, checksums of chunks not looked at.</summary>
internal static class PngReader
{
    // Of the passes of an interlaced image: where each begins and how far apart its pixels are.
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    /// <exception cref="BrokenImageException"/>
    public static ImageContent Read(ReadOnlyMemory<byte> file)
    {
        Header? header = null;
        byte[] palette = [];
        using var compressed = new MemoryStream();
        for (var at = Signature.Length; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.Span[at..]);
            if (length < 0 || length > file.Length - at - 12) throw new BrokenImageException($"the chunk at byte {at} is longer than the file");
            var name = file.Span.Slice(at + 4, 4);
            var data = file.Span.Slice(at + 8, length);
            if (name.SequenceEqual("IHDR"u8)) header = Header.Read(data);
            else if (name.SequenceEqual("PLTE"u8)) palette = data.ToArray();
            else if (name.SequenceEqual("IDAT"u8)) compressed.Write(data);
            else if (name.SequenceEqual("IEND"u8)) break;
            at += length + 12;
        }

        if (header is not { } known) throw new BrokenImageException("the image has no header");
        if ((long)known.Width * known.Height > ImageReader.MostPixels)
        {
            return new ImageContent("png", known.Width, known.Height, null, $"an image of more than {ImageReader.MostPixels:N0} pixels is not decoded");
        }

        compressed.Position = 0;
        return new ImageContent("png", known.Width, known.Height, new Raster(known.Width, known.Height, Decode(known, palette, compressed)), null);
    }

    private static byte[] Decode(Header header, byte[] palette, Stream compressed)
    {
        var pixels = new byte[header.Width * header.Height * 3];
        try
        {
            using var data = new ZLibStream(compressed, CompressionMode.Decompress);
            foreach (var (x, y, stepX, stepY) in header.IsInterlaced ? Adam7 : [(0, 0, 1, 1)])
            {
                var (columns, rows) = ((header.Width - x + stepX - 1) / stepX, (header.Height - y + stepY - 1) / stepY);
                if (columns <= 0 || rows <= 0) continue;
                var lines = new Scanlines(header, columns, data);
                for (var row = 0; row < rows; row++)
                {
                    var line = lines.Next();
                    for (var column = 0; column < columns; column++)
                        header.Pixel(line, column, palette, pixels.AsSpan((((y + (row * stepY)) * header.Width) + x + (column * stepX)) * 3, 3));
                }
            }
        }
        catch (Exception broken) when (broken is InvalidDataException or EndOfStreamException)
        {
            throw new BrokenImageException("the pixels are not whole");
        }

        return pixels;
    }

    /// <summary>Undoes the filters, line by line.</summary>
    private sealed class Scanlines(Header header, int columns, Stream data)
    {
        private readonly int _back = Math.Max(1, header.Channels * header.Depth / 8);
        private byte[] _line = new byte[((columns * header.Channels * header.Depth) + 7) / 8];
        private byte[] _above = new byte[((columns * header.Channels * header.Depth) + 7) / 8];

        public ReadOnlySpan<byte> Next()
        {
            (_line, _above) = (_above, _line);
            var filter = data.ReadByte();
            data.ReadExactly(_line);
            if (filter is < 0 or > 4) throw new BrokenImageException("a line has a filter that does not exist");
            for (var i = 0; i < _line.Length && filter > 0; i++)
            {
                int left = i < _back ? 0 : _line[i - _back], above = _above[i], corner = i < _back ? 0 : _above[i - _back];
                _line[i] += (byte)(filter switch { 1 => left, 2 => above, 3 => (left + above) / 2, _ => Paeth(left, above, corner) });
            }

            return _line;
        }

        private static int Paeth(int left, int above, int corner)
        {
            var (byLeft, byAbove, byCorner) = (Math.Abs(above - corner), Math.Abs(left - corner), Math.Abs(left + above - (2 * corner)));
            return byLeft <= byAbove && byLeft <= byCorner ? left : byAbove <= byCorner ? above : corner;
        }
    }

    private readonly record struct Header(int Width, int Height, int Depth, int Colour, bool IsInterlaced)
    {
        public int Channels => Colour switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

        public static Header Read(ReadOnlySpan<byte> data)
        {
            if (data.Length < 13) throw new BrokenImageException("the header is not whole");
            var header = new Header(BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]), data[8], data[9], data[12] == 1);
            var isKnown = (header.Colour, header.Depth) is (0, 1 or 2 or 4 or 8 or 16) or (3, 1 or 2 or 4 or 8) or (2 or 4 or 6, 8 or 16);
            if (header.Width <= 0 || header.Height <= 0 || !isKnown || data[10] != 0 || data[11] != 0 || data[12] > 1) throw new BrokenImageException("the header is of no PNG that exists");
            return header;
        }

        public void Pixel(ReadOnlySpan<byte> line, int column, byte[] palette, Span<byte> pixel)
        {
            if (Colour == 3)
            {
                var index = Bits(line, column) * 3;
                if (index + 3 > palette.Length) throw new BrokenImageException("a pixel has a colour that the palette does not have");
                palette.AsSpan(index, 3).CopyTo(pixel);
                return;
            }

            if (Channels <= 2) pixel.Fill((byte)Sample(line, column * Channels));
            else for (var i = 0; i < 3; i++) pixel[i] = (byte)Sample(line, (column * Channels) + i);
        }

        /// <summary>From 0 to 255.</summary>
        private int Sample(ReadOnlySpan<byte> line, int index) => Depth switch
        {
            8 => line[index],
            16 => line[index * 2],
            _ => Bits(line, index) * 255 / ((1 << Depth) - 1),
        };

        private int Bits(ReadOnlySpan<byte> line, int index) => Depth == 8 ? line[index] : (line[index * Depth / 8] >> (8 - Depth - (index * Depth % 8))) & ((1 << Depth) - 1);
    }
}
