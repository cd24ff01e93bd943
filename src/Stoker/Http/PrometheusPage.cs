using System.Buffers;
using System.Globalization;
using System.Text;

namespace Stoker.Http;

/// <summary>
/// A page of metrics in Prometheus' text format. Its memory is lent until it is disposed: a page is made at each scrape, and nothing is to be collected after it. Labels are as in
/// <c>gpu="0",service="vision"</c>, their values <see cref="Escaped"/>; empty: none.
/// </summary>
internal sealed class PrometheusPage : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>The longest that a number is written as.</summary>
    private const int Number = 32;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(32 << 10);
    private int _length;

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, _length);

    /// <summary>As the value of a label.</summary>
    public static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>Announces the lines that follow.</summary>
    /// <param name="kind"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
    public void Family(string name, string kind, string help)
    {
        Write("# HELP ");
        Write(name);
        Write(" ");
        Write(help);
        Write("\n# TYPE ");
        Write(name);
        Write(" ");
        Write(kind);
        Write("\n");
    }

    /// <param name="value">A number: whole ones are written exactly, where a floating one would not be.</param>
    public void Line<T>(string name, string labels, T value)
        where T : IUtf8SpanFormattable
    {
        Series(name, labels);
        value.TryFormat(Room(Number), out var written, default, CultureInfo.InvariantCulture);
        _length += written;
        Write("\n");
    }

    /// <summary>A family of one line without labels.</summary>
    public void Single(string name, string kind, string help, long value)
    {
        Family(name, kind, help);
        Line(name, "", value);
    }

    public override string ToString() => Encoding.UTF8.GetString(_bytes.AsSpan(0, _length));

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _length) = ([], 0);
    }

    private void Series(string name, string labels)
    {
        Write(name);
        if (labels.Length > 0)
        {
            Write("{");
            Write(labels);
            Write("}");
        }

        Write(" ");
    }

    private void Write(string text) => _length += Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetMaxByteCount(text.Length)));

    private Span<byte> Room(int count)
    {
        if (_bytes.Length - _length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + count));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(_length);
    }
}
