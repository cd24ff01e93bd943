using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>What the chunks of chats and of completions have in common.</summary>
internal static class Chunks
{
    /// <summary>How each begins, up to the first choice.</summary>
    public static byte[] Prefix(GenerationRun run, ReadOnlySpan<byte> kind)
    {
        var text = new OutBuffer();
        text.Add("{\"id\":\""u8);
        text.Add(run.Id);
        text.Add("\",\"object\":\""u8);
        text.Add(kind);
        text.Add("\",\"created\":"u8);
        text.Add(run.Created);
        text.Add(",\"model\":"u8);
        text.AddString(run.Model);
        text.Add(",\"choices\":["u8);
        return text.Span.ToArray();
    }

    /// <summary>Ends the choice and the chunk, and sends it.</summary>
    /// <param name="finish">The reason of the end; null: it goes on.</param>
    public static ValueTask<bool> CloseAsync(GenerationRun run, EventStream events, string? finish)
    {
        var data = events.Data;
        data.Add(",\"finish_reason\":"u8);
        if (finish is null) data.Add("null"u8);
        else data.AddString(finish);
        data.Add("}]"u8);
        if (run.Request.ContinuousUsage && run.TellsUsage) AddUsage(run, events);
        data.Add("}"u8);
        return events.AddAsync();
    }

    /// <summary>The chunk with the usage, where it was asked for, and the end of the stream.</summary>
    public static async ValueTask EndAsync(GenerationRun run, EventStream events, byte[] prefix)
    {
        if (run.Request.IncludesUsage && run.TellsUsage)
        {
            events.Data.Add(prefix);
            events.Data.Add("]"u8);
            AddUsage(run, events);
            events.Data.Add("}"u8);
            if (!await events.AddAsync()) return;
        }

        await events.EndAsync(isMarked: true);
    }

    private static void AddUsage(GenerationRun run, EventStream events)
    {
        events.Data.Add(",\"usage\":"u8);
        events.Data.AddUsage(run.PromptTokens, run.AnswerTokens, run.Sequence.CachedTokens);
    }
}
