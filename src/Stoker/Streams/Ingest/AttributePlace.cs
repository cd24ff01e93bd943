using System.Text;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>Where an attribute stands: a header, or a token of an event. Its path is made only where something is wrong.</summary>
internal readonly ref struct AttributePlace
{
    private readonly ReadOnlySpan<byte> _header;
    private readonly JsonTape? _tape;
    private readonly int _root, _token;

    public AttributePlace(ReadOnlySpan<byte> header) => _header = header;

    public AttributePlace(JsonTape tape, int root, int token) => (_tape, _root, _token) = (tape, root, token);

    public string Path => _tape is null ? $"header {Encoding.ASCII.GetString(_header).ToLowerInvariant()}" : JsonPath.Of(_tape, _root, _token);
}
