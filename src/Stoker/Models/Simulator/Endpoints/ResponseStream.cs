using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator.Endpoints;

/// <summary>
/// The typed events of a response:
/// <code>
/// response.created, response.in_progress
///   for each item: response.output_item.added, response.content_part.added, … .delta for each token, … .done, response.content_part.done,
///                  response.output_item.done
/// response.completed, or response.incomplete where the answer was cut
/// </code>
/// </summary>
internal sealed class ResponseStream(GenerationRun run, EventStream events) : IGenerationStream
{
    private readonly TokenKind[] _items = [.. ResponsesEndpoint.Items(run.Answers[0])];
    private int _sequence, _item;
    private bool _hasBegun, _isOpen;

    public async ValueTask<bool> BeginAsync() => await events.BeginAsync() && (run.Call.Options.Ttft.IsZero || await events.FlushAsync());

    public ValueTask<bool> FlushAsync() => events.FlushAsync();

    public async ValueTask<bool> AddAsync(int choice, AnswerToken token)
    {
        if (!await StartAsync()) return false;
        while (_items[_item] != token.Kind)
        {
            if (!await CloseItemAsync()) return false;
            _item++;
        }

        if (!_isOpen && !await OpenItemAsync()) return false;
        return await SendAsync(DeltaName(token.Kind), json =>
        {
            Place(json, token.Kind);
            json.WriteString("delta", run.Answers[0].TextOf(token));
        });
    }

    public async ValueTask EndAsync()
    {
        if (!await StartAsync()) return;
        for (; _item < _items.Length; _item++)
        {
            if (!_isOpen && !await OpenItemAsync()) return;
            if (!await CloseItemAsync()) return;
        }

        var last = run.Answers[0].Finish == "length" ? "response.incomplete" : "response.completed";
        if (await SendAsync(last, json => Response(json, "completed"))) await events.EndAsync(isMarked: false);
    }

    private static string DeltaName(TokenKind kind) => kind switch
    {
        TokenKind.Reasoning => "response.reasoning_text.delta",
        TokenKind.Content => "response.output_text.delta",
        TokenKind.ToolArguments => "response.function_call_arguments.delta",
    };

    private async ValueTask<bool> StartAsync()
    {
        if (_hasBegun) return true;
        _hasBegun = true;
        return await SendAsync("response.created", json => Response(json, "in_progress")) && await SendAsync("response.in_progress", json => Response(json, "in_progress"));
    }

    private async ValueTask<bool> OpenItemAsync()
    {
        _isOpen = true;
        var kind = _items[_item];
        return await SendItemAsync("response.output_item.added", "in_progress")
            && (kind == TokenKind.ToolArguments || await SendAsync("response.content_part.added", json => PartOf(json, kind, "")));
    }

    private async ValueTask<bool> CloseItemAsync()
    {
        _isOpen = false;
        var kind = _items[_item];
        var answer = run.Answers[0];
        var isCall = kind == TokenKind.ToolArguments;
        var text = isCall ? answer.Call!.Arguments : kind == TokenKind.Content ? answer.Text : answer.Reasoning;
        var done = await SendAsync(DeltaName(kind).Replace(".delta", ".done", StringComparison.Ordinal), json =>
        {
            Place(json, kind);
            json.WriteString(isCall ? "arguments" : "text", text);
        });
        return done && (isCall || await SendAsync("response.content_part.done", json => PartOf(json, kind, text)))
            && await SendItemAsync("response.output_item.done", "completed");
    }

    private ValueTask<bool> SendItemAsync(string name, string status) => SendAsync(name, json =>
    {
        json.WriteNumber("output_index", _item);
        json.WritePropertyName("item");
        ResponsesEndpoint.Item(json, run, _items[_item], status);
    });

    private void PartOf(Utf8JsonWriter json, TokenKind kind, string text)
    {
        Place(json, kind);
        json.WritePropertyName("part");
        ResponsesEndpoint.Part(json, kind == TokenKind.Content ? "output_text" : "reasoning_text", text);
    }

    private void Place(Utf8JsonWriter json, TokenKind kind)
    {
        json.WriteString("item_id", ResponsesEndpoint.ItemId(run, kind));
        json.WriteNumber("output_index", _item);
        if (kind != TokenKind.ToolArguments) json.WriteNumber("content_index", 0);
    }

    private void Response(Utf8JsonWriter json, string status)
    {
        json.WritePropertyName("response");
        ResponsesEndpoint.Whole(run, json, status);
    }

    private ValueTask<bool> SendAsync(string name, Action<Utf8JsonWriter> write)
    {
        using (var json = EngineDialect.Writer(events.Data))
        {
            json.WriteStartObject();
            json.WriteString("type", name);
            json.WriteNumber("sequence_number", _sequence++);
            write(json);
            json.WriteEndObject();
        }

        return events.AddAsync(name);
    }
}
