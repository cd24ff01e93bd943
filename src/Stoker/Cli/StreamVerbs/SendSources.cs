using System.Text;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams.Extraction;
using Stoker.Streams.Sending;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Files and standard input, read into documents. What is no JSON is sent as it is: the stream tells what is wrong with it.</summary>
internal static class SendSources
{
    public const string StandardInput = "-";

    public static readonly string[] Types = ["json", "ndjson", "cloudevents"];

    private static readonly string[] Endings = [".json", ".ndjson", ".jsonl", ".cloudevents"];

    /// <summary>The files meant by a word: itself, or those of a directory whose ending says what they are, by name.</summary>
    /// <param name="lines">Every file that is no image is one of lines.</param>
    public static IReadOnlyList<string> Files(string path, bool lines) => path != StandardInput && Platform.Files.DirectoryExists(path)
        ? [.. Platform.Files.List(path).Where(file => lines || Endings.Contains(Path.GetExtension(file)) || Extractor.IsImage(file)).Order(StringComparer.Ordinal)]
        : [path];

    /// <summary>The documents of a file: made of it where it is an image, or is taken as lines; else those that stand in it.</summary>
    public static IEnumerable<SendItem> Read(string path, string? type, bool lines, Lazy<Extractor> extractor, CancellationToken cancel) =>
        type is null && path != StandardInput && Extractor.IsImage(path) ? [extractor.Value.Image(path, cancel)]
        : lines ? extractor.Value.Lines(path == StandardInput ? "/dev/stdin" : path, cancel)
        : Read(path, type);

    /// <param name="type">One of <see cref="Types"/>; null: by the file's ending, and lines where it says nothing.</param>
    private static IEnumerable<SendItem> Read(string path, string? type)
    {
        var name = path == StandardInput ? "stdin" : Path.GetFileName(path);
        var ending = Path.GetExtension(path);
        var isEvents = type == "cloudevents" || (type is null && ending == ".cloudevents");
        return type == "json" || (type is null && ending == ".json") ? ReadWhole(path, name) : ReadLines(path, name, isEvents);
    }

    private static FileStream Open(string path) => Platform.Files.OpenRead(path == StandardInput ? "/dev/stdin" : path);

    private static IEnumerable<SendItem> ReadLines(string path, string name, bool isEvents)
    {
        using var reader = new StreamReader(Open(path), new UTF8Encoding(false), detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16);
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.AsSpan().Trim().IsEmpty) continue;
            var bytes = Encoding.UTF8.GetBytes(line);
            yield return new SendItem($"{name}:{number}", isEvents || (line.Contains("\"specversion\"", StringComparison.Ordinal) && IsEvent(bytes)) ? SendForm.CloudEvent : SendForm.Line, bytes);
        }
    }

    private static IEnumerable<SendItem> ReadWhole(string path, string name)
    {
        using var memory = new MemoryStream();
        using (var file = Open(path)) file.CopyTo(memory);
        ReadOnlyMemory<byte> bytes = memory.ToArray();
        if (bytes.Span.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        return Items(bytes) is not { } items ? [new SendItem(name, SendForm.Json, bytes)]
            : items.Select((item, index) => new SendItem(items.IsArray ? $"{name}[{index}]" : name, IsEvent(item) ? SendForm.CloudEvent : SendForm.Json, item));
    }

    /// <summary>The items of an array, or the one document, each byte for byte; null: it is no JSON.</summary>
    private static JsonItems? Items(ReadOnlyMemory<byte> bytes)
    {
        var items = new JsonItems();
        try
        {
            var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = 1000 });
            reader.Read();
            items.IsArray = reader.TokenType == JsonTokenType.StartArray;
            if (items.IsArray) reader.Read();
            for (var has = true; has && reader.TokenType != JsonTokenType.EndArray; has = items.IsArray && reader.Read())
            {
                var from = (int)reader.TokenStartIndex;
                reader.Skip();
                items.Add(bytes[from..(int)reader.BytesConsumed]);
            }

            while (reader.Read())
            {
                // To the end: what stands behind is no part of a document.
            }

            return items;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsEvent(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 1000 });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("specversion", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private sealed class JsonItems : List<ReadOnlyMemory<byte>>
    {
        public bool IsArray { get; set; }
    }
}
