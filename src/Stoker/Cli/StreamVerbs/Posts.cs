using System.Text.Json;

namespace Stoker.Cli.StreamVerbs;

/// <summary>Reads what a stream answers to posts.</summary>
internal static class Posts
{
    /// <summary>What is no such document tells nothing.</summary>
    public static PostAnswerDocument Read(StreamAnswer answer)
    {
        try
        {
            return JsonSerializer.Deserialize(answer.Body, StreamDocumentJson.Readable.PostAnswerDocument) ?? new PostAnswerDocument();
        }
        catch (JsonException)
        {
            return new PostAnswerDocument { Title = $"an answer that cannot be read, with status {answer.Status}" };
        }
    }
}
