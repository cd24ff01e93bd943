using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Faults;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>One request on its way through an endpoint.</summary>
internal sealed class Call(SimulatedServer server, Exchange exchange)
{
    public SimulatedServer Server => server;

    public SimulatorOptions Options => server.Options;

    public Exchange Exchange => exchange;

    public FaultSpec? Fault { get; set; }

    public RequestRecord? Record { get; set; }

    /// <summary>A fault has cut the answer.</summary>
    public bool WasCut { get; set; }

    public string Query(string name)
    {
        foreach (var pair in System.Text.Encoding.UTF8.GetString(exchange.Head.Query).Split('&'))
        {
            if (pair.StartsWith(name + "=", StringComparison.Ordinal)) return Uri.UnescapeDataString(pair[(name.Length + 1)..]);
        }

        return "";
    }

    public ValueTask RefuseAsync(Refusal refusal) => AnswerBody.SendAsync(
        exchange, server.Engine.Ticker, EngineDialect.Status(Options.Engine, refusal), "application/json", EngineDialect.Error(Options.Engine, refusal), null);

    /// <summary>The status that a fault asks for.</summary>
    public ValueTask FailAsync()
    {
        var status = Fault!.Status!.Value;
        var refusal = status switch
        {
            429 => new Refusal(429, "RateLimitError", "Rate limit reached: simulated"),
            503 => new Refusal(503, "ServiceUnavailableError", "The server is overloaded: simulated"),
            401 => EngineDialect.Unauthorized(Options.Engine),
            _ => new Refusal(status, status < 500 ? "BadRequestError" : "InternalServerError", $"Status {status}: simulated"),
        };
        WasCut = true;
        return AnswerBody.SendAsync(exchange, server.Engine.Ticker, status, "application/json", EngineDialect.Error(Options.Engine, refusal), Fault);
    }

    /// <summary>Meets what is set for this request before anything is answered.</summary>
    /// <returns>False: that was the answer.</returns>
    public async ValueTask<bool> MeetAsync(string model)
    {
        if (Record is { } record) record.Model = model;
        if (Fault is null && !server.Faults.IsEmpty) Fault = server.Faults.For(exchange.Head.Path, model);
        if (Fault is null) return true;
        if (Fault.ResetBeforeHeaders)
        {
            WasCut = true;
            exchange.Reset();
            return false;
        }

        if (Fault.StallBeforeHeaders)
        {
            exchange.Watch();
            await Ticker.ForEver(exchange.Pause);
            return false;
        }

        if (Fault.Status is null) return true;
        await FailAsync();
        return false;
    }

    /// <summary>The checks that every path has which asks the model. False: refused, and answered.</summary>
    public async ValueTask<bool> AdmitAsync(string model)
    {
        if (!await MeetAsync(model)) return false;
        Refusal? refusal = null;
        if (!server.Serves(model)) refusal = EngineDialect.UnknownModel(Options.Engine, model);
        else if (server.Engine.IsAsleep) refusal = new Refusal(503, "ServiceUnavailableError", "The model is asleep");
        if (refusal is null) return true;
        await RefuseAsync(refusal);
        return false;
    }

    public ValueTask AnswerAsync(string contentType, ReadOnlyMemory<byte> body)
    {
        WasCut = Fault is { CutsBody: true };
        return AnswerBody.SendAsync(exchange, server.Engine.Ticker, 200, contentType, body, Fault);
    }

    public ValueTask JsonAsync(Action<Utf8JsonWriter> write)
    {
        var buffer = exchange.Event;
        buffer.Clear();
        using (var json = EngineDialect.Writer(buffer)) write(json);
        return AnswerAsync("application/json", buffer.Memory);
    }

    public JsonDocument ReadBody()
    {
        try
        {
            return JsonDocument.Parse(exchange.Body);
        }
        catch (JsonException wrong)
        {
            throw new FormatException($"the body is no JSON: {wrong.Message}", wrong);
        }
    }

    /// <summary>Has a prompt read that has no answer of tokens: embeddings, ranking, speech.</summary>
    /// <returns>False: refused and answered, or the client has left.</returns>
    public async ValueTask<bool> ReadPromptAsync(List<uint> tokens, bool holdsOne = true)
    {
        if (holdsOne && tokens.Count > Options.ContextLength)
        {
            await RefuseAsync(EngineDialect.TooLong(Options.Engine, Options.ContextLength, tokens.Count));
            return false;
        }

        // More inputs than the cache has blocks are read one after the other.
        var room = Options.Blocks * Options.BlockSize;
        var sequence = new Sequence(exchange.Pause, tokens.Count > room ? tokens[..room] : tokens, Options.BlockSize);
        if (!server.Engine.Batch.TryEnter(sequence, out var admitted))
        {
            await RefuseAsync(Generation.TooManyWait);
            return false;
        }

        exchange.Watch();
        if (await server.Engine.RunAsync(sequence, admitted, [], null, [])) return true;
        exchange.Leave();
        exchange.CloseAfter();
        return false;
    }
}
