namespace Stoker.Estates;

/// <summary>The key of a service in <c>services:</c>: letters, digits, <c>. _ -</c>, as Compose allows.</summary>
internal sealed record ServiceName(string Value) : IComparable<ServiceName>
{
    public int CompareTo(ServiceName? other) => string.CompareOrdinal(Value, other?.Value);

    public override string ToString() => Value;
}

/// <summary>The key of a machine in <c>hosts:</c>.</summary>
internal sealed record HostName(string Value)
{
    public override string ToString() => Value;
}

/// <summary>The key of a named set in <c>groups:</c>.</summary>
internal sealed record GroupName(string Value)
{
    public override string ToString() => Value;
}

/// <summary>A number of bytes, read from <c>512m</c>, <c>2G</c>, <c>24GiB</c> (Compose: all units are powers of 1024).</summary>
internal readonly record struct ByteSize(long Bytes) : IComparable<ByteSize>
{
    public static ByteSize FromMebibytes(long mebibytes) => new(mebibytes << 20);

    public int CompareTo(ByteSize other) => Bytes.CompareTo(other.Bytes);

    /// <summary>The largest unit that divides without loss of more than a tenth: <c>2 GiB</c>, <c>512 MiB</c>, <c>1.5 GiB</c>.</summary>
    public override string ToString()
    {
        ReadOnlySpan<string> units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = Bytes;
        var unit = 0;
        while (Math.Abs(value) >= 1024 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return $"{value:0.#} {units[unit]}";
    }
}
