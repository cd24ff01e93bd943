using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>A stream of one of the three paths: tokens as they come, and what comes after the last.</summary>
internal interface IGenerationStream : ITokenSink
{
    ValueTask EndAsync();
}

/// <summary>How a path writes its answers.</summary>
/// <param name="IdPrefix">Ids of answers begin so.</param>
internal sealed record GenerationShape(
    string IdPrefix, Func<GenerationRun, EventStream, IGenerationStream> Stream, Action<GenerationRun, Utf8JsonWriter> Whole);

/// <summary>A request that was taken, with all of its answer.</summary>
internal sealed record GenerationRun(Call Call, GenerationRequest Request, Answer[] Answers, Sequence Sequence, string Id)
{
    /// <summary>Tokens made so far, for each choice.</summary>
    public int[] Progress { get; } = new int[Answers.Length];

    public int PromptTokens => Sequence.PromptTokens;

    public int AnswerTokens => Progress.Sum();

    public long Created { get; } = Call.Server.Clock.GetUtcNow().ToUnixTimeSeconds();

    public string Model => Call.Options.Model;

    public bool TellsUsage => Call.Fault?.NoUsage != true;

    /// <summary>Tokens of one choice that were thoughts.</summary>
    public static int ReasoningTokens(Answer answer) => answer.Tokens.Count(token => token.Kind == TokenKind.Reasoning);
}

/// <summary>What the paths that generate text have in common.</summary>
internal static class Generation
{
    public static Refusal TooManyWait { get; } = new(503, "TooManyRequests", "The server is overloaded: too many requests wait");

    private static long _count;

    public static async ValueTask RunAsync(Call call, GenerationRequest request, GenerationShape shape)
    {
        if (call.Record is { } record) record.Stream = request.Stream;
        if (!await call.AdmitAsync(request.Model)) return;
        var (run, refusal) = Prepare(call, request, shape);
        if (run is null)
        {
            await call.RefuseAsync(refusal!);
            return;
        }

        if (!call.Server.Engine.Batch.TryEnter(run.Sequence, out var admitted)) await call.RefuseAsync(TooManyWait);
        else if (request.Stream) await StreamAsync(run, shape, admitted);
        else await AnswerAsync(run, shape, admitted);
        if (call.Record is not null) call.Record.Tokens = run.AnswerTokens;
    }

    private static (GenerationRun?, Refusal?) Prepare(Call call, GenerationRequest request, GenerationShape shape)
    {
        var options = call.Options;
        var tokens = Prompt.Tokens(request);
        var room = options.ContextLength - (tokens.Count / Math.Max(1, request.Prompts.Count));
        if (room < 1) return (null, EngineDialect.TooLong(options.Engine, options.ContextLength, tokens.Count));
        if (request.MaxTokens > room) return (null, EngineDialect.TooLong(options.Engine, options.ContextLength, tokens.Count + request.MaxTokens.Value));
        var answers = Composer.Compose(request, options, room, call.Fault?.Tokens ?? 0, call.Fault?.HugeEvent ?? 0);
        var total = tokens.Count + answers.Sum(answer => answer.Tokens.Length);
        if (call.Server.Engine.BlocksFor(total) > options.Blocks)
            return (null, Refusal.Bad($"The request needs {call.Server.Engine.BlocksFor(total)} blocks of the KV cache, which has {options.Blocks}."));
        var sequence = new Sequence(call.Exchange.Pause, tokens, options.BlockSize);
        var id = shape.IdPrefix + (Chance.Mix((ulong)Interlocked.Increment(ref _count)) ^ (ulong)call.Server.Began << 32).ToString("x16");
        return (new GenerationRun(call, request, answers, sequence, id), null);
    }

    private static async ValueTask StreamAsync(GenerationRun run, GenerationShape shape, ValueTask<bool> admitted)
    {
        var call = run.Call;
        var error = new Refusal(500, "InternalServerError", "The engine failed: simulated");
        using var events = new EventStream(call.Exchange, call.Server.Engine.Ticker, call.Fault, () => EngineDialect.Error(call.Options.Engine, error));
        var stream = shape.Stream(run, events);
        var isWhole = await call.Server.Engine.RunAsync(run.Sequence, admitted, run.Answers, stream, run.Progress);
        try
        {
            if (isWhole) await stream.EndAsync();
        }
        finally
        {
            call.WasCut = events.EndedByFault;
            if (call.Record is { } record) record.Chunks = events.Events;
            if (!isWhole && !events.EndedByFault) call.Exchange.Leave();
            if (!isWhole && !events.EndedByFault) call.Exchange.CloseAfter();
        }
    }

    private static async ValueTask AnswerAsync(GenerationRun run, GenerationShape shape, ValueTask<bool> admitted)
    {
        var call = run.Call;
        var options = call.Options;
        if (!admitted.IsCompleted || !options.Ttft.IsZero || !options.Itl.IsZero || options.PrefillPerToken > TimeSpan.Zero) call.Exchange.Watch();
        if (await call.Server.Engine.RunAsync(run.Sequence, admitted, run.Answers, null, run.Progress))
        {
            await call.JsonAsync(json => shape.Whole(run, json));
            return;
        }

        call.Exchange.Leave();
        call.Exchange.CloseAfter();
    }

    public static void WriteUsage(this Utf8JsonWriter json, GenerationRun run)
    {
        if (!run.TellsUsage) return;
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", run.PromptTokens);
        json.WriteNumber("total_tokens", run.PromptTokens + run.AnswerTokens);
        json.WriteNumber("completion_tokens", run.AnswerTokens);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", run.Sequence.CachedTokens);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", run.Answers.Sum(GenerationRun.ReasoningTokens));
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
