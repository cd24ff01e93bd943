using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Stoker.Tests.Streams.Ingest;

/// <summary>
/// Each request in <c>good/</c> and <c>bad/</c> has its exact answer beside it: status, type, body, and below a line what would be logged.
/// <c>ACCEPT_INGEST=1</c> writes them anew.
/// </summary>
public sealed class IngestFileTests
{
    private static readonly string HereFolder = Here();

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Good() => Cases("good");

    public static TheoryData<string> Bad() => Cases("bad");

    [Theory]
    [MemberData(nameof(Good))]
    public void A_good_request_is_taken_whole(string name)
    {
        var answer = new Door().Post(Request("good", name));
        Compare("good", name, answer);
        Assert.Equal(202, answer.Status);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_request_is_told_every_mistake(string name)
    {
        var answer = new Door().Post(Request("bad", name));
        Compare("bad", name, answer);
        Assert.NotEqual(202, answer.Status);
    }

    private static byte[] Request(string folder, string name)
    {
        var text = File.ReadAllText(Path.Combine(HereFolder, folder, name + ".http"));
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        var body = text[(end + 2)..];
        return Encoding.UTF8.GetBytes(text[..end].Replace("\n", "\r\n", StringComparison.Ordinal) + "\r\n\r\n" + (body.EndsWith('\n') ? body[..^1] : body));
    }

    private static void Compare(string folder, string name, DoorAnswer answer)
    {
        var shown = new StringBuilder($"{answer.Status} {answer.ContentType}\n{Pretty(answer.Body)}\n");
        foreach (var logged in answer.Logged) shown.Append("---\n").Append(logged);
        var file = Path.Combine(HereFolder, folder, name + ".answer");
        if (Environment.GetEnvironmentVariable("ACCEPT_INGEST") == "1") File.WriteAllText(file, shown.ToString());
        Assert.Equal(File.ReadAllText(file), shown.ToString());
    }

    private static string Pretty(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement, Indented);

    private static TheoryData<string> Cases(string folder) =>
        [.. Directory.GetFiles(Path.Combine(HereFolder, folder), "*.http").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
