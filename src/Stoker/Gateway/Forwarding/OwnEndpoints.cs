using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using Stoker.Gateway.Answers;
using Stoker.Keys;
using Stoker.Gateway.Metrics;
using Stoker.Gateway.Pages;
using Stoker.Http;

namespace Stoker.Gateway.Forwarding;

/// <summary>The paths that the gateway answers itself: its models, its health, its metrics, and the page that describes it.</summary>
internal static class OwnEndpoints
{
    private static readonly byte[] Json = "application/json"u8.ToArray();
    private static readonly byte[] Html = "text/html; charset=utf-8"u8.ToArray();
    private static readonly byte[] Text = Encoding.ASCII.GetBytes(PrometheusPage.ContentType);

    public static async ValueTask<bool> AnswerAsync(ClientConnection client)
    {
        var method = ClientConnection.Text(client.Head.Method);
        var target = ClientConnection.Text(client.Head.Target);
        var path = target.Split('?')[0];
        if (method == "OPTIONS") return await PreflightAsync(client);
        if (path is not ("/" or "/openapi.json" or "/health" or "/ready" or "/metrics" or "/v1/models") && !path.StartsWith("/v1/models/", StringComparison.Ordinal))
            return await client.FailAsync(ApiErrors.NoSuchPath(method, path));
        if (method is not ("GET" or "HEAD")) return await client.FailAsync(ApiErrors.WrongMethod(method, path, "GET"));
        return path switch
        {
            "/" => await client.AnswerAsync(200, Html, ApiPage.Html),
            "/openapi.json" => await client.AnswerAsync(200, Json, OpenApiDocument.Write(client.Loop.Gateway.Tables.Plan)),
            "/health" => await client.AnswerAsync(200, Json, "{\"status\":\"ok\"}"u8.ToArray()),
            "/ready" => await ReadyAsync(client),
            "/metrics" => await MetricsAsync(client),
            "/v1/models" => await ModelsAsync(client, null),
            _ => await ModelsAsync(client, Uri.UnescapeDataString(path["/v1/models/".Length..])),
        };
    }

    /// <summary>A browser asks whether a page of another origin may call: it may when the owner has said so.</summary>
    public static async ValueTask<bool> PreflightAsync(ClientConnection client)
    {
        if (client.Loop.Gateway.Settings.CorsOrigins.Count == 0)
            return await client.FailAsync(new ApiError(403, "invalid_request_error", null, "This gateway answers no pages of other origins: its owner has declared none in `gateway.cors`."));
        client.WritePreflight();
        return await client.FlushAsync();
    }

    /// <summary>200 when each model has a replica that serves, 503 with the names of those that have none.</summary>
    private static ValueTask<bool> ReadyAsync(ClientConnection client)
    {
        var missing = client.Loop.Gateway.Tables.Router.Table.Routes
            .Where(route => !client.Loop.Gateway.Tables.PlanOf(route).LoadsOnRequest && !Usable(route))
            .Select(route => route.Spec.Name.Value).ToList();
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("status", missing.Count == 0 ? "ok" : "unavailable");
            json.WriteStartArray("missing");
            foreach (var name in missing) json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return client.AnswerAsync(missing.Count == 0 ? 200 : 503, Json, body.WrittenMemory);
    }

    private static bool Usable(Routing.Route route)
    {
        foreach (var replica in route.Replicas)
        {
            if (replica.IsUsable) return true;
        }

        return false;
    }

    /// <summary>Open to this machine, where Prometheus' agent is; from elsewhere a key with the scope <c>metrics</c> is needed.</summary>
    private static async ValueTask<bool> MetricsAsync(ClientConnection client)
    {
        if (!IPAddress.IsLoopback(client.Peer.Address) && client.Authorize(KeyScopes.Metrics) is { } denied) return await DenyAsync(client, denied);
        using var page = MetricsPage.Write(client.Loop.Gateway);
        return await client.AnswerAsync(200, Text, page.Memory);
    }

    private static ValueTask<bool> DenyAsync(ClientConnection client, ApiError denied)
    {
        client.Loop.Gateway.Metrics.Refused(denied.Status);
        return client.FailAsync(denied);
    }

    /// <summary>The models that the key may use, in OpenAI's shape; or one of them by its id, which may hold slashes.</summary>
    private static async ValueTask<bool> ModelsAsync(ClientConnection client, string? id)
    {
        if (client.Authorize(KeyScopes.Inference) is { } denied) return await DenyAsync(client, denied);
        var gateway = client.Loop.Gateway;
        var listed = gateway.Tables.Plan.Routes
            .SelectMany(route => route.Aliases.Prepend(route.Name).Select(name => (Name: name, Route: route)))
            .Where(model => client.Key.Terms.Allows(model.Name, model.Route.Name))
            .ToList();
        if (id is not null && listed.All(m => m.Name != id)) return await client.FailAsync(ApiErrors.NoSuchModel(id));
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            if (id is not null)
            {
                WriteModel(json, listed.First(m => m.Name == id), gateway.Since);
            }
            else
            {
                json.WriteStartObject();
                json.WriteString("object", "list");
                json.WriteStartArray("data");
                foreach (var model in listed) WriteModel(json, model, gateway.Since);
                json.WriteEndArray();
                json.WriteEndObject();
            }
        }

        return await client.AnswerAsync(200, Json, body.WrittenMemory);
    }

    private static void WriteModel(Utf8JsonWriter json, (string Name, RoutePlan Route) model, DateTimeOffset since)
    {
        json.WriteStartObject();
        json.WriteString("id", model.Name);
        json.WriteString("object", "model");
        json.WriteNumber("created", since.ToUnixTimeSeconds());
        json.WriteString("owned_by", model.Route.Engine);
        if (model.Name != model.Route.Name) json.WriteString("root", model.Route.Name);
        if (model.Route.ContextSize is { } size) json.WriteNumber("max_model_len", size);
        json.WriteEndObject();
    }
}
