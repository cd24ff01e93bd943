namespace Stoker.Streams.Extraction.Images;

/// <summary>The codes of a scan, bit by bit. Behind its end there are zeros, so that what was cut off is grey and no failure of its own.</summary>
internal sealed class JpegBits(ReadOnlyMemory<byte> data)
{
    private const int Coefficients = 64, LongRun = 0xf0;

    private int _at;
    private int _bits;
    private int _left;
    private int _past;

    /// <summary>How much a block's mean differs from the one before.</summary>
    public int Difference(HuffmanTable table)
    {
        var size = table.Read(this);
        if (size > 15) throw new BrokenImageException("a code has a size that does not exist");
        return Signed(size);
    }

    /// <summary>Passes over what is not the mean.</summary>
    public void SkipRest(HuffmanTable table)
    {
        for (var i = 1; i < Coefficients; i++)
        {
            var code = table.Read(this);
            var size = code & 15;
            if (size == 0 && code != LongRun) return;
            i += code >> 4;
            for (var bit = 0; bit < size; bit++) _ = Bit();
        }
    }

    /// <summary>Goes on behind the next restart marker.</summary>
    public void Restart()
    {
        _left = 0;
        var bytes = data.Span;
        while (_at + 1 < bytes.Length && !(bytes[_at] == 0xff && bytes[_at + 1] is >= 0xd0 and <= 0xd7)) _at++;
        _at += 2;
    }

    public int Bit()
    {
        if (_left == 0) Fill();
        _left--;
        return (_bits >> _left) & 1;
    }

    private int Signed(int size)
    {
        var value = 0;
        for (var i = 0; i < size; i++) value = (value << 1) | Bit();
        return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    }

    private void Fill()
    {
        var bytes = data.Span;
        if (_at >= bytes.Length || (bytes[_at] == 0xff && _at + 1 < bytes.Length && bytes[_at + 1] != 0))
        {
            // A few zeros end a scan in order; many are a file that was cut off.
            if (++_past > 64) throw new BrokenImageException("the pixels are not whole");
            (_bits, _left) = (0, 8);
            return;
        }

        _bits = bytes[_at];
        _at += _bits == 0xff ? 2 : 1;
        _left = 8;
    }
}

/// <summary>Huffman codes as JPEG gives them: how many of each length, and what they mean, in order.</summary>
internal sealed class HuffmanTable
{
    private readonly byte[] _values;
    private readonly int[] _first = new int[17], _from = new int[17], _count = new int[17];

    public HuffmanTable(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values)
    {
        _values = values.ToArray();
        var (code, index) = (0, 0);
        for (var length = 1; length <= 16; length++)
        {
            (_first[length], _from[length], _count[length]) = (code, index, counts[length - 1]);
            index += counts[length - 1];
            code = (code + counts[length - 1]) << 1;
        }
    }

    public int Read(JpegBits bits)
    {
        var code = 0;
        for (var length = 1; length <= 16; length++)
        {
            code = (code << 1) | bits.Bit();
            if (code - _first[length] < _count[length]) return _values[_from[length] + code - _first[length]];
        }

        throw new BrokenImageException("there is a code that does not exist");
    }
}
