using System.Buffers.Text;
using System.Text;

namespace Stoker.Models.Simulator.Wire;

/// <summary>The head of a request: <c>POST /v1/models?x=1 HTTP/1.1</c> and its header lines, as they came.</summary>
internal sealed class RequestHead
{
    private readonly byte[] _bytes;
    private readonly Range _method, _path, _query;

    private RequestHead(byte[] bytes, Range method, Range path, Range query)
    {
        _bytes = bytes;
        _method = method;
        _path = path;
        _query = query;
    }

    public ReadOnlySpan<byte> Method => _bytes.AsSpan(_method);

    public ReadOnlySpan<byte> Path => _bytes.AsSpan(_path);

    public ReadOnlySpan<byte> Query => _bytes.AsSpan(_query);

    /// <summary>HTTP/1.1; false: 1.0.</summary>
    public bool IsCurrent { get; private init; }

    /// <summary>-1: none given.</summary>
    public long ContentLength { get; private set; } = -1;

    public bool IsChunked { get; private set; }

    public bool KeepsAlive { get; private set; }

    public bool ExpectsContinue { get; private set; }

    /// <summary>Whether the header of faults is there, so that it is looked for only then.</summary>
    public bool AsksForFaults { get; private set; }

    /// <param name="head">All up to and with the empty line.</param>
    /// <returns>Null when it is no HTTP/1 head.</returns>
    public static RequestHead? Parse(ReadOnlySpan<byte> head)
    {
        var line = head[..head.IndexOf("\r\n"u8)];
        var first = line.IndexOf((byte)' ');
        var last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first + 1 || !line[(last + 1)..].StartsWith("HTTP/1."u8)) return null;
        var target = line[(first + 1)..last];
        // A proxy may send the whole address.
        var from = target.StartsWith("http://"u8) ? 7 + Math.Max(0, target[7..].IndexOf((byte)'/')) : 0;
        var mark = target[from..].IndexOf((byte)'?');
        var end = mark < 0 ? last : first + 1 + from + mark;
        var parsed = new RequestHead(head.ToArray(), ..first, (first + 1 + from)..end, (mark < 0 ? last : end + 1)..last)
        {
            IsCurrent = line[^1] != '0',
        };
        parsed.KeepsAlive = parsed.IsCurrent;
        return parsed.ReadFraming() ? parsed : null;
    }

    /// <summary>The value of a header, null when it is not there. Names are in lower case.</summary>
    public string? Header(string name)
    {
        foreach (var (line, colon) in new HeaderLines(_bytes))
        {
            if (Ascii.EqualsIgnoreCase(_bytes.AsSpan(line)[..colon], name)) return Encoding.UTF8.GetString(Value(line, colon));
        }

        return null;
    }

    /// <summary>All headers in order, names in lower case.</summary>
    public IEnumerable<(string Name, string Value)> Headers()
    {
        var found = new List<(string, string)>();
        foreach (var (line, colon) in new HeaderLines(_bytes))
            found.Add((Encoding.UTF8.GetString(_bytes.AsSpan(line)[..colon]).ToLowerInvariant(), Encoding.UTF8.GetString(Value(line, colon))));
        return found;
    }

    private ReadOnlySpan<byte> Value(Range line, int colon) => _bytes.AsSpan(line)[(colon + 1)..].Trim(" \t"u8);

    private bool ReadFraming()
    {
        foreach (var (line, colon) in new HeaderLines(_bytes))
        {
            var name = _bytes.AsSpan(line)[..colon];
            var value = Value(line, colon);
            if (Ascii.EqualsIgnoreCase(name, "content-length"u8))
            {
                if (!Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length || length < 0) return false;
                ContentLength = length;
            }
            else if (Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8))
            {
                IsChunked = Ascii.EqualsIgnoreCase(value, "chunked"u8);
            }
            else if (Ascii.EqualsIgnoreCase(name, "connection"u8))
            {
                KeepsAlive = IsCurrent ? !Ascii.EqualsIgnoreCase(value, "close"u8) : Ascii.EqualsIgnoreCase(value, "keep-alive"u8);
            }
            else if (Ascii.EqualsIgnoreCase(name, "expect"u8))
            {
                ExpectsContinue = Ascii.EqualsIgnoreCase(value, "100-continue"u8);
            }
            else if (Ascii.EqualsIgnoreCase(name, SimulatorModule.FaultHeader))
            {
                AsksForFaults = true;
            }
        }

        return true;
    }

    /// <summary>Header lines without an allocation; a line without a colon is left out.</summary>
    private ref struct HeaderLines(byte[] bytes)
    {
        private int _at = bytes.AsSpan().IndexOf("\r\n"u8) + 2;

        public (Range Line, int Colon) Current { get; private set; }

        public readonly HeaderLines GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_at < bytes.Length)
            {
                var length = bytes.AsSpan(_at).IndexOf("\r\n"u8);
                if (length <= 0) return false;
                var colon = bytes.AsSpan(_at, length).IndexOf((byte)':');
                Current = (_at..(_at + length), colon);
                _at += length + 2;
                if (colon > 0) return true;
            }

            return false;
        }
    }
}
