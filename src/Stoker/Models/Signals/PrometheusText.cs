using System.Buffers.Text;

namespace Stoker.Models.Signals;

/// <summary>
/// Reads samples off a page in Prometheus' text format, one a line, without allocating:
/// <code>
///   # TYPE vllm:num_requests_running gauge
///   vllm:num_requests_running{engine="0",model_name="phi-3-mini"} 3.0
///   name [{label="value",…}] number [timestamp]
/// </code>
/// Lines that are no samples are passed over: a broken page gives what can be read of it, and never an error.
/// </summary>
internal ref struct PrometheusText(ReadOnlySpan<byte> page)
{
    private ReadOnlySpan<byte> _rest = page;

    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Always a finite number.</summary>
    public double Value { get; private set; }

    /// <returns>False at the end of the page.</returns>
    public bool Next()
    {
        while (!_rest.IsEmpty)
        {
            var end = _rest.IndexOf((byte)'\n');
            var line = (end < 0 ? _rest : _rest[..end]).Trim(" \t\r"u8);
            _rest = end < 0 ? default : _rest[(end + 1)..];
            if (line.IsEmpty || line[0] == '#') continue;
            if (Read(line)) return true;
        }

        return false;
    }

    private bool Read(ReadOnlySpan<byte> line)
    {
        var nameEnd = line.IndexOfAny("{ \t"u8);
        if (nameEnd <= 0) return false;
        Name = line[..nameEnd];
        var rest = line[nameEnd..];
        if (rest[0] == '{')
        {
            var close = EndOfLabels(rest);
            if (close < 0) return false;
            rest = rest[(close + 1)..];
        }

        rest = rest.TrimStart(" \t"u8);
        var numberEnd = rest.IndexOfAny(" \t"u8);
        var number = numberEnd < 0 ? rest : rest[..numberEnd];
        if (number.Length > 0 && number[0] == '+') number = number[1..];
        if (!Utf8Parser.TryParse(number, out double value, out var used) || used != number.Length || !double.IsFinite(value)) return false;
        Value = value;
        return true;
    }

    /// <summary>Values are quoted and may hold braces; in them a backslash takes the next character as it is.</summary>
    private static int EndOfLabels(ReadOnlySpan<byte> text)
    {
        var quoted = false;
        for (var i = 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'\\' when quoted:
                    i++;
                    break;
                case (byte)'"':
                    quoted = !quoted;
                    break;
                case (byte)'}' when !quoted:
                    return i;
            }
        }

        return -1;
    }
}
