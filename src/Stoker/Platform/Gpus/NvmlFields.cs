namespace Stoker.Platform.Gpus;

/// <summary>Asks one device field by field, and keeps apart what it does not support, what failed, and what cannot be true.</summary>
internal sealed unsafe class NvmlFields(NvmlLibrary library, nint device)
{
    private const int TextSize = 96;

    private readonly List<string> _notSupported = [];
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> NotSupported => _notSupported;

    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The device itself is gone or needs a reset, in words.</summary>
    public string? Lost { get; private set; }

    public string? Text(string field, string function)
    {
        var text = stackalloc byte[TextSize];
        var call = library.Find(function);
        return Told(field, call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, byte*, uint, int>)call)(device, text, TextSize)) ? NvmlLibrary.TextOf(text, TextSize) : null;
    }

    /// <param name="most">More than this cannot be true.</param>
    public int? Number(string field, string function, uint most = int.MaxValue)
    {
        uint value = 0;
        var call = library.Find(function);
        return Told(field, call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, uint*, int>)call)(device, &value)) ? Within(field, value, most) : null;
    }

    /// <param name="which">What of several the function is asked for.</param>
    public int? NumberOf(string field, string function, int which, uint most = int.MaxValue)
    {
        uint value = 0;
        var call = library.Find(function);
        return Told(field, call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, int, uint*, int>)call)(device, which, &value)) ? Within(field, value, most) : null;
    }

    public (int First, int Second)? Pair(string field, string function, uint most = int.MaxValue)
    {
        uint first = 0, second = 0;
        var call = library.Find(function);
        if (!Told(field, call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, uint*, uint*, int>)call)(device, &first, &second))) return null;
        return Within(field, first, most) is { } a && Within(field, second, most) is { } b ? (a, b) : null;
    }

    public long? Long(string field, string function, string? older = null)
    {
        ulong value = 0;
        var call = older is null ? library.Find(function) : library.Find(function, older);
        return Told(field, call == 0 ? NvmlLibrary.NoFunction : ((delegate* unmanaged<nint, ulong*, int>)call)(device, &value)) ? (long)Math.Min(value, long.MaxValue) : null;
    }

    /// <summary>Milliwatts as watts.</summary>
    public double? Watts(string field, string function) => Number(field, function, 5_000_000) is { } milliwatts ? milliwatts / 1000.0 : null;

    /// <summary>The answer counts.</summary>
    public bool Told(string field, int code)
    {
        switch (code)
        {
            case NvmlLibrary.Success:
                return true;
            case NvmlLibrary.NotSupported or NvmlLibrary.NoFunction:
                // Each partition of a card is asked for it.
                if (!_notSupported.Contains(field)) _notSupported.Add(field);
                return false;
            case NvmlLibrary.Lost or NvmlLibrary.ResetRequired:
                Lost ??= library.Words(code);
                return false;
            default:
                _problems.Add($"{field}: {library.Words(code)}");
                return false;
        }
    }

    /// <summary>What a part of the device did not tell.</summary>
    /// <param name="part">In words, to stand before it.</param>
    public void Add(string part, NvmlFields of)
    {
        foreach (var problem in of.Problems) _problems.Add($"{part}: {problem}");
        Lost ??= of.Lost;
    }

    public void Doubt(string field, string said) => _problems.Add($"{field}: the driver says {said}, which cannot be");

    private int? Within(string field, uint value, uint most)
    {
        if (value <= most) return (int)value;
        Doubt(field, $"{value}");
        return null;
    }
}
