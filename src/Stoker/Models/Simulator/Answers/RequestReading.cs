using System.Text;
using System.Text.Json;

namespace Stoker.Models.Simulator.Answers;

/// <summary>What the readers of requests have in common. A value of the wrong kind throws <see cref="FormatException"/> with its name.</summary>
internal static class RequestReading
{
    public static string? Text(this JsonElement of, string name) => of.Has(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw new FormatException($"`{name}` should be a text");

    public static bool Flag(this JsonElement of, string name) => of.Has(name) is { } value && (value.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? value.ValueKind == JsonValueKind.True
        : throw new FormatException($"`{name}` should be true or false"));

    public static int? Count(this JsonElement of, string name, int least, int most)
    {
        if (of.Has(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number)) throw new FormatException($"`{name}` should be a whole number");
        return number >= least && number <= most ? (int)number : throw new FormatException($"`{name}` should be from {least} to {most}, not {number}");
    }

    /// <summary>Null when it is not there, and when it is null.</summary>
    public static JsonElement? Has(this JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static IReadOnlyList<string> Texts(this JsonElement of, string name) => of.Has(name) is not { } value ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(one => one.GetString()!)]
            : throw new FormatException($"`{name}` should be a text or a list of texts");

    /// <summary>A list of inputs: texts, or tokens by number, one or many.</summary>
    public static IReadOnlyList<string> Inputs(this JsonElement of, string name)
    {
        if (of.Has(name) is not { ValueKind: JsonValueKind.Array } list) return of.Texts(name);
        if (list.GetArrayLength() == 0) throw new FormatException($"`{name}` is empty");
        if (list.EnumerateArray().All(one => one.ValueKind == JsonValueKind.Number)) return [Numbers(list)];
        return list.EnumerateArray().All(one => one.ValueKind == JsonValueKind.Array) ? [.. list.EnumerateArray().Select(Numbers)] : of.Texts(name);
    }

    /// <summary>The content of a message: a text, or parts of which some are texts and some pictures.</summary>
    public static (string Text, int Images) Content(JsonElement? content)
    {
        if (content is not { } given) return ("", 0);
        if (given.ValueKind == JsonValueKind.String) return (given.GetString()!, 0);
        if (given.ValueKind != JsonValueKind.Array) throw new FormatException("`content` should be a text or a list of parts");
        var text = new StringBuilder();
        var images = 0;
        foreach (var part in given.EnumerateArray())
        {
            var type = part.Text("type");
            if (type is "text" or "input_text" or "output_text") text.Append(part.Text("text"));
            else if (type is "image_url" or "input_image") images++;
            else if (type is not ("input_audio" or "audio_url" or "refusal")) throw new FormatException($"a part of `content` has the unknown type `{type}`");
        }

        return (text.ToString(), images);
    }

    /// <summary>`tools` and `tool_choice`, as chat completions nest them and as responses have them flat.</summary>
    public static GenerationRequest WithTools(this GenerationRequest request, JsonElement body)
    {
        if (body.Has("tools") is not { ValueKind: JsonValueKind.Array } tools) return request;
        var offered = new List<ToolSpec>();
        foreach (var tool in tools.EnumerateArray())
        {
            var function = tool.Has("function") ?? tool;
            if (tool.Text("type") is "function" && function.Text("name") is { } name) offered.Add(new ToolSpec(name, function.Has("parameters")));
        }

        var use = ToolUse.Auto;
        string? forced = null;
        if (body.Has("tool_choice") is { } choice)
        {
            if (choice.ValueKind == JsonValueKind.Object) forced = choice.Has("function")?.Text("name") ?? choice.Text("name");
            use = choice.ValueKind != JsonValueKind.String ? ToolUse.Always : choice.GetString() switch
            {
                "none" => ToolUse.Never,
                "required" => ToolUse.Always,
                _ => ToolUse.Auto,
            };
            if (forced is not null && !offered.Exists(tool => tool.Name == forced)) throw new FormatException($"`tool_choice` names `{forced}`, which is not in `tools`");
        }

        return request with { Tools = offered, ToolUse = use, ForcedTool = forced, ToolText = tools.GetRawText() };
    }

    /// <summary>`response_format`, and `text.format` of responses.</summary>
    public static GenerationRequest WithFormat(this GenerationRequest request, JsonElement? format) => format?.Text("type") switch
    {
        null or "text" => request,
        "json_object" => request with { WantsJson = true },
        "json_schema" => request with { WantsJson = true, Schema = format.Value.Has("json_schema")?.Has("schema") ?? format.Value.Has("schema") },
        var other => throw new FormatException($"`response_format` has the unknown type `{other}`"),
    };

    private static string Numbers(JsonElement list) => string.Concat(list.EnumerateArray().Select(one => $" {one.GetInt64()}")).TrimStart();
}
