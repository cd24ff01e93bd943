using System.Buffers.Binary;

namespace Stoker.Streams.Extraction.Images;

/// <summary>What a JPEG says of its size and components.</summary>
internal sealed class JpegFrame
{
    private int _mostAcross = 1, _mostDown = 1;

    private JpegFrame(int width, int height, bool isProgressive) => (Width, Height, IsProgressive) = (width, height, isProgressive);

    public int Width { get; }

    public int Height { get; }

    public bool IsProgressive { get; }

    public List<JpegComponent> Components { get; } = [];

    /// <summary>Units in a row, and rows of them.</summary>
    public int Columns { get; private set; }

    public int Rows { get; private set; }

    /// <summary>Why it is not decoded; null: it is.</summary>
    public string? NotDecoded { get; private init; }

    /// <exception cref="BrokenImageException"/>
    public static JpegFrame Read(byte marker, ReadOnlySpan<byte> segment)
    {
        if (segment.Length < 6) throw new BrokenImageException("the size is not whole");
        var (bits, height, width, count) = (segment[0], BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), BinaryPrimitives.ReadUInt16BigEndian(segment[3..]), segment[5]);
        if (segment.Length < 6 + (count * 3) || width == 0 || count == 0) throw new BrokenImageException("the size is not whole");
        var why = marker is not (0xc0 or 0xc1 or 0xc2) ? "a JPEG that is lossless, hierarchical or has arithmetic codes is not decoded"
            : bits != 8 ? $"a JPEG of {bits} bits is not decoded"
            : height == 0 ? "a JPEG that tells its height at the end is not decoded"
            : count is not (1 or 3) ? $"a JPEG of {count} components (CMYK) is not decoded"
            : (long)width * height > ImageReader.MostPixels ? $"an image of more than {ImageReader.MostPixels:N0} pixels is not decoded" : null;
        var frame = new JpegFrame(width, height, marker == 0xc2) { NotDecoded = why };
        if (why is null) frame.Measure(segment[6..(6 + (count * 3))]);
        return frame;
    }

    /// <summary>Of the block that covers a pixel of the small image.</summary>
    public byte Mean(int index, int x, int y)
    {
        var component = Components[index];
        return component.Means[(y * component.Down / _mostDown * component.Stride) + (x * component.Across / _mostAcross)];
    }

    private void Measure(ReadOnlySpan<byte> told)
    {
        for (var i = 0; i < told.Length; i += 3)
        {
            var (across, down) = (told[i + 1] >> 4, told[i + 1] & 15);
            if (across is < 1 or > 4 || down is < 1 or > 4) throw new BrokenImageException("a component has a size that does not exist");
            Components.Add(new JpegComponent(told[i], across, down, told[i + 2] & 3));
            (_mostAcross, _mostDown) = (Math.Max(_mostAcross, across), Math.Max(_mostDown, down));
        }

        // The one component of a grey image stands for itself, whatever it says.
        if (Components.Count == 1) (_mostAcross, _mostDown) = (Components[0].Across, Components[0].Down);
        var isGrey = Components.Count == 1;
        Columns = Units(Width, isGrey ? 8 : 8 * _mostAcross);
        Rows = Units(Height, isGrey ? 8 : 8 * _mostDown);
        foreach (var component in Components) component.Allocate(Columns * (isGrey ? 1 : component.Across), Rows * (isGrey ? 1 : component.Down));
    }

    private static int Units(int pixels, int size) => (pixels + size - 1) / size;
}

/// <param name="Across">Its blocks in a unit: beside each other.</param>
/// <param name="Down">Below each other.</param>
/// <param name="Scale">Which table of scales.</param>
internal sealed record JpegComponent(byte Id, int Across, int Down, int Scale)
{
    /// <summary>Means of its blocks, from 0 to 255.</summary>
    public byte[] Means { get; private set; } = [];

    public int Stride { get; private set; }

    public void Allocate(int columns, int rows) => (Means, Stride) = (new byte[columns * rows], columns);
}
