namespace Stoker.Streams.Extraction.Images;

/// <summary>Pixels of an image, perhaps of a smaller copy of it: red, green and blue, a byte each, row by row.</summary>
internal sealed record Raster(int Width, int Height, byte[] Pixels)
{
    /// <summary>Means over a grid of cells, as red, green and blue from 0 to 1. Where cells are smaller than pixels, the nearest pixel.</summary>
    public float[] Grid(int columns, int rows)
    {
        var cells = new float[columns * rows * 3];
        for (var row = 0; row < rows; row++)
        {
            var (top, bottom) = Range(row, rows, Height);
            for (var column = 0; column < columns; column++)
            {
                var (left, right) = Range(column, columns, Width);
                Mean(left, top, right, bottom, cells.AsSpan(((row * columns) + column) * 3, 3));
            }
        }

        return cells;
    }

    private static (int From, int To) Range(int index, int count, int length)
    {
        var from = (int)((long)index * length / count);
        return (from, Math.Max(from + 1, (int)((long)(index + 1) * length / count)));
    }

    private void Mean(int left, int top, int right, int bottom, Span<float> mean)
    {
        Span<long> sums = stackalloc long[3];
        for (var y = top; y < bottom; y++)
        {
            for (var x = left; x < right; x++)
            {
                var at = ((y * Width) + x) * 3;
                for (var i = 0; i < 3; i++) sums[i] += Pixels[at + i];
            }
        }

        for (var i = 0; i < 3; i++) mean[i] = sums[i] / (255f * (right - left) * (bottom - top));
    }
}

/// <summary>What an image file is.</summary>
/// <param name="Format"><c>png</c>, <c>jpeg</c>, <c>gif</c>, <c>webp</c>, <c>bmp</c> or <c>tiff</c>.</param>
/// <param name="Width">Null: its format is told and no more.</param>
/// <param name="Pixels">Null: it is not decoded; <paramref name="Why"/> tells why.</param>
internal sealed record ImageContent(string Format, int? Width, int? Height, Raster? Pixels, string? Why);

/// <summary>The file is not what its beginning says; the message tells where it is wrong.</summary>
internal sealed class BrokenImageException(string message) : Exception(message);
