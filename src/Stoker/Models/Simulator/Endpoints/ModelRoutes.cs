using System.Text;
using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>The paths that ask the model: they are recorded, need the model loaded, and those under <c>/v1/</c> a key.</summary>
internal static class ModelRoutes
{
    public static Dictionary<string, Func<Call, ValueTask>> All() => new()
    {
        ["/v1/chat/completions"] = ChatEndpoint.RunAsync,
        ["/v1/completions"] = CompletionEndpoint.RunAsync,
        ["/v1/responses"] = ResponsesEndpoint.RunAsync,
        ["/v1/embeddings"] = VectorEndpoints.EmbedAsync,
        ["/v1/rerank"] = VectorEndpoints.RerankAsync,
        ["/rerank"] = VectorEndpoints.RerankAsync,
        ["/v1/audio/transcriptions"] = MediaEndpoints.TranscribeAsync,
        ["/v1/audio/speech"] = MediaEndpoints.SpeakAsync,
        ["/v1/images/generations"] = MediaEndpoints.DrawAsync,
        ["/v1/models"] = ListAsync,
        ["/v1/models/"] = OneAsync,
        ["/tokenize"] = TokenizeAsync,
    };

    private static async ValueTask ListAsync(Call call)
    {
        if (!await call.MeetAsync("")) return;
        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (var name in call.Options.Names) Model(call, json, name);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static async ValueTask OneAsync(Call call)
    {
        // Names may hold a slash, escaped or not.
        var name = Uri.UnescapeDataString(Encoding.UTF8.GetString(call.Exchange.Head.Path["/v1/models/".Length..]));
        if (!await call.MeetAsync(name)) return;
        if (call.Server.Serves(name)) await call.JsonAsync(json => Model(call, json, name));
        else await call.RefuseAsync(EngineDialect.UnknownModel(call.Options.Engine, name));
    }

    private static void Model(Call call, Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString("id", name);
        json.WriteString("object", "model");
        json.WriteNumber("created", call.Server.Began);
        json.WriteString("owned_by", call.Options.Engine.ToString().ToLowerInvariant());
        json.WriteString("root", call.Options.Model);
        json.WriteNull("parent");
        json.WriteNumber("max_model_len", call.Options.ContextLength);
        json.WriteEndObject();
    }

    private static async ValueTask TokenizeAsync(Call call)
    {
        using var body = call.ReadBody();
        var request = body.RootElement;
        if (!await call.AdmitAsync(request.Text("model") ?? call.Options.Model)) return;
        var tokens = request.Has("messages") is not null ? Prompt.Tokens(RequestReader.Chat(request)) : Numbers(request);
        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count", tokens.Count);
            json.WriteNumber("max_model_len", call.Options.ContextLength);
            json.WriteStartArray("tokens");
            foreach (var token in tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static List<uint> Numbers(JsonElement request)
    {
        var tokens = new List<uint>();
        Tokenizer.Add(request.Text("prompt") ?? request.Text("content") ?? throw new FormatException("`prompt` is missing"), tokens);
        return tokens;
    }
}
