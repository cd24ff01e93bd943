using System.Text;
using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Faults;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>The paths beside the model: state, metrics, sleep, and the administration of the simulation. They are not recorded and need no key.</summary>
internal static class SideRoutes
{
    public static Dictionary<string, Func<Call, ValueTask>> All(SimulatedServer server)
    {
        var routes = new Dictionary<string, Func<Call, ValueTask>>
        {
            ["/health"] = HealthAsync,
            ["/ping"] = HealthAsync,
            ["/version"] = call => call.JsonAsync(json => Pairs(json, ("version", Version(call)))),
            ["/load"] = LoadAsync,
            ["/metrics"] = MetricsAsync,
            ["/sleep"] = call => PostAsync(call, () => call.Server.Engine.Sleep()),
            ["/wake_up"] = call => PostAsync(call, () => call.Server.Engine.WakeUp()),
            ["/is_sleeping"] = call => call.JsonAsync(json =>
            {
                json.WriteStartObject();
                json.WriteBoolean("is_sleeping", call.Server.Engine.IsAsleep);
                json.WriteEndObject();
            }),
            ["/reset_prefix_cache"] = call => PostAsync(call, () => call.Server.Engine.Batch.ForgetPrefixes()),
            ["/admin/faults"] = FaultsAsync,
            ["/admin/requests"] = RequestsAsync,
        };
        switch (server.Options.Engine)
        {
            case EngineKind.LlamaCpp:
                routes["/props"] = PropsAsync;
                routes["/slots"] = SlotsAsync;
                break;
            case EngineKind.Ollama:
                routes["/api/version"] = routes["/version"];
                routes["/api/tags"] = OllamaModelsAsync;
                routes["/api/ps"] = OllamaModelsAsync;
                break;
            case EngineKind.Tgi:
                routes["/info"] = call => call.JsonAsync(json => Pairs(json, ("model_id", call.Options.Model), ("version", Version(call))));
                break;
            case EngineKind.Vllm or EngineKind.Sglang:
                break;
        }

        return routes;
    }

    private static string Version(Call call) => $"0.11.0+simulated.{call.Options.Engine.ToString().ToLowerInvariant()}";

    private static async ValueTask HealthAsync(Call call)
    {
        if (!call.Server.Engine.IsLoaded) await call.RefuseAsync(EngineDialect.Loading(call.Options.Engine));
        else if (call.Options.Engine == EngineKind.LlamaCpp) await call.JsonAsync(json => Pairs(json, ("status", "ok")));
        else await call.AnswerAsync("text/plain", ReadOnlyMemory<byte>.Empty);
    }

    private static ValueTask LoadAsync(Call call)
    {
        var (running, waiting, _) = call.Server.Engine.Batch.Load;
        return call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("server_load", running + waiting);
            json.WriteEndObject();
        });
    }

    private static ValueTask MetricsAsync(Call call) => MetricsPage.Write(call.Options, call.Server.Engine) is { } page
        ? call.AnswerAsync("text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(page))
        : call.RefuseAsync(new Refusal(404, "NotFoundError", "Not Found"));

    private static async ValueTask PostAsync(Call call, Action effect)
    {
        if (!call.Exchange.Head.Method.SequenceEqual("POST"u8))
        {
            await call.RefuseAsync(new Refusal(405, "BadRequestError", "Method Not Allowed"));
            return;
        }

        effect();
        await call.AnswerAsync("text/plain", ReadOnlyMemory<byte>.Empty);
    }

    /// <summary>POST sets the faults, DELETE takes them back; every answer shows those that are set.</summary>
    private static ValueTask FaultsAsync(Call call)
    {
        var method = call.Exchange.Head.Method;
        if (method.SequenceEqual("POST"u8) || method.SequenceEqual("PUT"u8)) call.Server.Faults.Set(FaultReader.OfBody(call.Exchange.Body));
        else if (method.SequenceEqual("DELETE"u8)) call.Server.Faults.Set([]);
        return call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("faults");
            foreach (var rule in call.Server.Faults.All)
            {
                json.WriteStartObject();
                foreach (var (name, value) in rule.Words) json.WriteString(name, value);
                if (rule.Left >= 0) json.WriteNumber("left", rule.Left);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static ValueTask RequestsAsync(Call call)
    {
        if (call.Exchange.Head.Method.SequenceEqual("DELETE"u8)) call.Server.Requests.Clear();
        return call.AnswerAsync("application/json", call.Server.Requests.ToJson());
    }

    private static ValueTask PropsAsync(Call call) => call.JsonAsync(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("total_slots", call.Options.MaxRunning);
        json.WriteString("model_path", call.Options.Model);
        json.WriteBoolean("is_sleeping", call.Server.Engine.IsAsleep);
        json.WriteEndObject();
    });

    private static ValueTask SlotsAsync(Call call)
    {
        var running = call.Server.Engine.Batch.Load.Running;
        return call.JsonAsync(json =>
        {
            json.WriteStartArray();
            for (var slot = 0; slot < call.Options.MaxRunning; slot++)
            {
                json.WriteStartObject();
                json.WriteNumber("id", slot);
                json.WriteNumber("n_ctx", call.Options.ContextLength);
                json.WriteBoolean("is_processing", slot < running);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static ValueTask OllamaModelsAsync(Call call) => call.JsonAsync(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("models");
        foreach (var name in call.Options.Names) Pairs(json, ("name", name), ("model", name));
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void Pairs(Utf8JsonWriter json, params ReadOnlySpan<(string Name, string Value)> pairs)
    {
        json.WriteStartObject();
        foreach (var (name, value) in pairs) json.WriteString(name, value);
        json.WriteEndObject();
    }
}
