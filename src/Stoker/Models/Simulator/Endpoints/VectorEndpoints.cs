using System.Buffers.Binary;
using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Engine;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>
/// <c>/v1/embeddings</c> and <c>/v1/rerank</c>. A vector is the sum of a direction for each token, of length 1: the same text has the same
/// vector everywhere, and texts that share words are near each other.
/// </summary>
internal static class VectorEndpoints
{
    private const int MostDimensions = 16384;

    public static async ValueTask EmbedAsync(Call call)
    {
        using var body = call.ReadBody();
        var request = body.RootElement;
        if (!await call.AdmitAsync(request.Text("model") ?? "")) return;
        var inputs = request.Inputs("input");
        if (inputs.Count == 0) throw new FormatException("`input` is missing");
        var isBase64 = request.Text("encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            var other => throw new FormatException($"`encoding_format` `{other}` is neither float nor base64"),
        };
        var dimensions = request.Count("dimensions", 1, MostDimensions) ?? call.Options.Dimensions;
        var tokens = new List<uint>();
        foreach (var input in inputs) Tokenizer.Add(input, tokens);
        if (inputs.FirstOrDefault(input => Tokenizer.Count(input) > call.Options.ContextLength) is { } large)
        {
            await call.RefuseAsync(EngineDialect.TooLong(call.Options.Engine, call.Options.ContextLength, Tokenizer.Count(large)));
            return;
        }

        if (!await call.ReadPromptAsync(tokens, holdsOne: false)) return;
        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteString("model", call.Options.Model);
            json.WriteStartArray("data");
            for (var i = 0; i < inputs.Count; i++) Embedding(json, i, Vector(inputs[i], dimensions), isBase64);
            json.WriteEndArray();
            PromptUsage(call, json, tokens.Count);
            json.WriteEndObject();
        });
    }

    public static async ValueTask RerankAsync(Call call)
    {
        using var body = call.ReadBody();
        var request = body.RootElement;
        if (!await call.AdmitAsync(request.Text("model") ?? "")) return;
        var query = request.Text("query") ?? throw new FormatException("`query` is missing");
        if (request.Has("documents") is not { ValueKind: JsonValueKind.Array } given) throw new FormatException("`documents` is missing");
        var documents = given.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString()! : one.Text("text") ?? "").ToList();
        var most = request.Count("top_n", 0, int.MaxValue) is { } top and > 0 ? top : documents.Count;
        var tokens = new List<uint>();
        Tokenizer.Add(query, tokens);
        foreach (var document in documents) Tokenizer.Add(document, tokens);
        if (!await call.ReadPromptAsync(tokens, holdsOne: false)) return;
        var asked = Vector(query, call.Options.Dimensions);
        var ranked = documents.Select((text, index) => (Text: text, Index: index, Score: Nearness(asked, Vector(text, call.Options.Dimensions))))
            .OrderByDescending(one => one.Score).ThenBy(one => one.Index).Take(most);
        await call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString("id", $"rerank-{Chance.Hash(query):x16}");
            json.WriteString("model", call.Options.Model);
            PromptUsage(call, json, tokens.Count);
            json.WriteStartArray("results");
            foreach (var (text, index, score) in ranked)
            {
                json.WriteStartObject();
                json.WriteNumber("index", index);
                json.WriteStartObject("document");
                json.WriteString("text", text);
                json.WriteEndObject();
                json.WriteNumber("relevance_score", Math.Round(score, 6));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    public static float[] Vector(string text, int dimensions)
    {
        var vector = new float[dimensions];
        for (var at = 0; at < text.Length;)
        {
            var end = Tokenizer.End(text, at);
            // Words count, the blank before them does not.
            var chance = new Chance(Chance.Mix(Tokenizer.Number(text.AsSpan(at, end - at).TrimStart())));
            for (var i = 0; i < dimensions; i++)
            {
                vector[i] += (float)(chance.NextDouble() - 0.5);
            }

            at = end;
        }

        var length = MathF.Sqrt(vector.Sum(value => value * value));
        if (length == 0) vector[0] = length = 1;
        for (var i = 0; i < dimensions; i++) vector[i] /= length;
        return vector;
    }

    public static void PromptUsage(Call call, Utf8JsonWriter json, int tokens)
    {
        if (call.Fault?.NoUsage == true) return;
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", tokens);
        json.WriteNumber("total_tokens", tokens);
        json.WriteNumber("completion_tokens", 0);
        json.WriteEndObject();
    }

    private static void Embedding(Utf8JsonWriter json, int index, float[] vector, bool isBase64)
    {
        json.WriteStartObject();
        json.WriteString("object", "embedding");
        json.WriteNumber("index", index);
        json.WritePropertyName("embedding");
        if (isBase64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var i = 0; i < vector.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
            json.WriteBase64StringValue(bytes);
        }
        else
        {
            json.WriteStartArray();
            foreach (var value in vector) json.WriteNumberValue(value);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>0 to 1.</summary>
    private static double Nearness(float[] a, float[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return Math.Clamp((sum + 1) / 2, 0, 1);
    }
}
