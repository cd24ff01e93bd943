using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams.Events;
using Stoker.Streams.Extraction.Embedding;
using Stoker.Streams.Extraction.Images;
using Stoker.Streams.Json;
using Stoker.Streams.Sending;

namespace Stoker.Streams.Extraction;

/// <summary>From files to metadata documents.</summary>
/// <param name="embedder">Null: no vectors.</param>
/// <param name="host">Whose files they are.</param>
/// <param name="say">Told what could not be read as it should be.</param>
internal sealed class Extractor(HardwareFacts hardware, IEmbedder? embedder, string host, TimeProvider clock, Action<string> say)
{
    /// <summary>Embedded together.</summary>
    private const int LinesAtOnce = 64;

    private const string StandardInput = "/dev/stdin";

    private readonly FactWriter _writer = new(hardware, embedder?.Name);

    public static bool IsImage(string path) => ImageReader.Endings.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>The document of an image. Its id is made of its bytes.</summary>
    /// <param name="path">Absolute.</param>
    /// <exception cref="EmbeddingFailedException"/>
    public SendItem Image(string path, CancellationToken cancel)
    {
        var bytes = Files.ReadAllBytes(path);
        var name = Path.GetFileName(path);
        var image = ImageReader.Read(bytes) ?? new ImageContent(Path.GetExtension(path).TrimStart('.').ToLowerInvariant(), null, null, null, "it is no image that its first bytes would tell");
        var embedded = embedder?.Embed([new EmbeddingInput(null, image, bytes)], cancel)[0];
        if (embedded?.Problem is { } problem) say($"{name}: no vector: {problem}");
        var id = Id(bytes);
        return new SendItem(name, SendForm.Line, _writer.Write(id, SourceOf(path), Files.ModifiedAt(path), embedded, json =>
        {
            json.WriteString("kind", "image");
            json.WriteString("file", name);
            json.WriteString("format", image.Format);
            json.WriteNumber("bytes", bytes.Length);
            json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(bytes)));
            json.WriteString("modified", Files.ModifiedAt(path).UtcDateTime);
            if (image is { Width: { } width, Height: { } height })
            {
                json.WriteNumber("width", width);
                json.WriteNumber("height", height);
            }

            if (image.Why is { } why) json.WriteString("not_decoded", why);
        }));
    }

    /// <summary>A document for each line that is not empty. Its id is made of its file, its number and its text, so that a file that has grown makes new documents of what is new only.</summary>
    /// <param name="path">Absolute, or standard input, whose lines are others every time.</param>
    /// <exception cref="EmbeddingFailedException"/>
    public IEnumerable<SendItem> Lines(string path, CancellationToken cancel)
    {
        var began = clock.GetUtcNow();
        var run = path == StandardInput ? began.ToString("O", CultureInfo.InvariantCulture) : "";
        using var reader = new StreamReader(Files.OpenRead(path), new UTF8Encoding(false), detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16);
        var several = new List<(int Number, string Text)>();
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.AsSpan().Trim().IsEmpty) continue;
            several.Add((number, line));
            // A pipe is not waited for; of a file many are embedded at once.
            if (several.Count < (path == StandardInput ? 1 : LinesAtOnce)) continue;
            foreach (var item in Embedded(path, run, several, cancel)) yield return item;
            several.Clear();
        }

        foreach (var item in Embedded(path, run, several, cancel)) yield return item;
    }

    private IEnumerable<SendItem> Embedded(string path, string run, List<(int Number, string Text)> lines, CancellationToken cancel)
    {
        if (lines.Count == 0) yield break;
        var vectors = embedder?.Embed([.. lines.Select(line => new EmbeddingInput(line.Text))], cancel);
        var (name, source, now) = (path == StandardInput ? "stdin" : Path.GetFileName(path), SourceOf(path), clock.GetUtcNow());
        for (var i = 0; i < lines.Count; i++)
        {
            var (number, text) = lines[i];
            var id = Id(Encoding.UTF8.GetBytes($"{path}\n{run}\n{number}\n{text}"));
            yield return new SendItem($"{name}:{number}", SendForm.Line, _writer.Write(id, source, TimeOf(text) ?? now, vectors?[i], json =>
            {
                json.WriteString("kind", "line");
                json.WriteString("file", name);
                json.WriteNumber("number", number);
                json.WriteString("line", text);
            }));
        }
    }

    /// <summary>Of a line that begins with one, as RFC 3339 writes it.</summary>
    private static DateTimeOffset? TimeOf(string line)
    {
        var word = line.AsSpan().TrimStart();
        var end = word.IndexOfAny(' ', '\t');
        word = (end < 0 ? word : word[..end]).Trim("[]");
        Span<byte> ascii = stackalloc byte[40];
        return word.Length is >= 20 and <= 40 && Encoding.UTF8.TryGetBytes(word, ascii, out var length) && Timestamps.TryRead(ascii[..length], out var utc) ? new DateTimeOffset(utc) : null;
    }

    private string SourceOf(string path) => new UriBuilder("file", host) { Path = path }.Uri.AbsoluteUri;

    private static string Id(ReadOnlySpan<byte> content)
    {
        Span<byte> id = stackalloc byte[EventIdentity.Length];
        EventIdentity.OfContent(content, id);
        return Encoding.ASCII.GetString(id);
    }
}
