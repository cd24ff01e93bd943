namespace Stoker.Gpus.Simulation;

/// <summary>What the kernels of arithmetic compute, on the processor and in their own order: operation by operation, not by a formula for the result.</summary>
internal static class SimulatedArithmetic
{
    private const int Pairs = 8, Rows = 16, Columns = 8, Depth = 16;

    /// <summary>As the kernel <c>fma32</c>: of each thread, x and y of eight points.</summary>
    public static uint[] Turn(int threads, int rounds)
    {
        var bits = new uint[threads * Pairs * 2];
        for (var lane = 0; lane < threads; lane++)
        {
            var (x, y) = (new float[Pairs], new float[Pairs]);
            for (var i = 0; i < Pairs; i++) (x[i], y[i]) = (1f + (((lane * Pairs) + i) * 0.001953125f), 0.5f);
            for (var round = 0; round < rounds; round++)
            {
                for (var i = 0; i < Pairs; i++)
                {
                    x[i] = MathF.FusedMultiplyAdd(0.7071f, y[i], x[i]);
                    y[i] = MathF.FusedMultiplyAdd(-0.7071f, x[i], y[i]);
                }
            }

            for (var i = 0; i < Pairs; i++) (bits[((lane * Pairs) + i) * 2], bits[(((lane * Pairs) + i) * 2) + 1]) = (BitConverter.SingleToUInt32Bits(x[i]), BitConverter.SingleToUInt32Bits(y[i]));
        }

        return bits;
    }

    /// <summary>As the kernels <c>tensor_…</c>: the product is added and taken away so many times and then added once more; by lane, in the order of the PTX manual's fragments.</summary>
    public static uint[] Multiply(int rounds)
    {
        var sums = new float[Rows * Columns];
        for (var round = 0; round < rounds; round++)
        {
            Add(sums, 1);
            Add(sums, -1);
        }

        Add(sums, 1);
        var bits = new uint[sums.Length];
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column < Columns; column++)
            {
                var lane = (row % 8 * 4) + (column / 2);
                bits[(lane * 4) + (row / 8 * 2) + (column % 2)] = BitConverter.SingleToUInt32Bits(sums[(row * Columns) + column]);
            }
        }

        return bits;
    }

    private static void Add(float[] sums, int sign)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            for (var k = 0; k < Depth; k++) sums[i] += sign * Number((i / Columns * Depth) + k) * (float)Number(1000 + (k * Columns) + (i % Columns));
        }
    }

    private static int Number(int index)
    {
        var number = (int)(unchecked((uint)index * 2_654_435_761) >> 24) - 128;
        return number == -128 ? 0 : number;
    }
}
