using System.Text.Json;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>Answers of servers, and requests to them, as bytes on the wire.</summary>
internal static class Sse
{
    public const string Path = "/v1/chat/completions", Done = "data: [DONE]\n\n";

    public const string Head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

    public const string LastChunk = "0\r\n\r\n";

    public static string Role { get; } = Event("{\"role\":\"assistant\",\"content\":\"\"}");

    public static string Stop { get; } = Event("{}", "\"stop\"");

    public static string Text(string text) => Event($"{{\"content\":{JsonSerializer.Serialize(text)}}}");

    public static string Event(string delta, string finish = "null") =>
        $"data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n";

    public static string Chunk(string text) => $"{System.Text.Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n";

    public static string Json(string body, int status = 200, string more = "") =>
        $"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {System.Text.Encoding.UTF8.GetByteCount(body)}\r\n{more}\r\n{body}";

    public static string Answer(string text, int prompt = 3, int completion = 2) =>
        $"{{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":{JsonSerializer.Serialize(text)}}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{completion},\"total_tokens\":{prompt + completion}}}}}";

    /// <summary>A chat of one message with the model <c>m</c>.</summary>
    public static string Chat(string text, string more = "", string model = "m") =>
        $"{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":{JsonSerializer.Serialize(text)}}}]{(more.Length > 0 ? "," + more : "")}}}";

    public static string Stream(string text, string more = "", string model = "m") => Chat(text, "\"stream\":true" + (more.Length > 0 ? "," + more : ""), model);

    /// <summary>A whole request over the wire.</summary>
    public static string Post(string body, string headers = "", string path = Path, string version = "1.1") =>
        $"POST {path} HTTP/{version}\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {System.Text.Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";

    public static int Count(string text, string part) => text.Split(part).Length - 1;
}
