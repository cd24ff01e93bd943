using Stoker.Streams.Extraction.Images;

namespace Stoker.Streams.Extraction.Embedding;

/// <summary>Colours of a grid of 8 by 8 cells, and how strong edges are in each of 8 directions in 4 by 4 regions: 320 numbers, hashed to places.</summary>
internal static class ImageFeatures
{
    private const int Cells = 8, Fine = 32, Regions = 4, Directions = 8;

    public static void Add(Raster raster, HashedVector vector)
    {
        var colours = raster.Grid(Cells, Cells);
        // Around grey, so that dark is not the same as nothing.
        for (var i = 0; i < colours.Length; i++) vector.Add($"c{i}", colours[i] - 0.5);
        var edges = Edges(raster.Grid(Fine, Fine));
        for (var i = 0; i < edges.Length; i++) vector.Add($"e{i}", edges[i]);
    }

    private static double[] Edges(float[] fine)
    {
        var edges = new double[Regions * Regions * Directions];
        for (var y = 1; y < Fine - 1; y++)
        {
            for (var x = 1; x < Fine - 1; x++)
            {
                var (across, down) = (Light(fine, x + 1, y) - Light(fine, x - 1, y), Light(fine, x, y + 1) - Light(fine, x, y - 1));
                var strength = Math.Sqrt((across * across) + (down * down));
                if (strength == 0) continue;
                var direction = (int)((Math.Atan2(down, across) + Math.PI) / (2 * Math.PI) * Directions) % Directions;
                edges[(((y * Regions / Fine * Regions) + (x * Regions / Fine)) * Directions) + direction] += strength / Fine;
            }
        }

        return edges;
    }

    private static double Light(float[] fine, int x, int y)
    {
        var at = ((y * Fine) + x) * 3;
        return (0.299 * fine[at]) + (0.587 * fine[at + 1]) + (0.114 * fine[at + 2]);
    }
}
