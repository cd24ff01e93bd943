using System.Buffers;
using System.Buffers.Text;
using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>A CloudEvent in the JSON format: structured mode, and each event of a batch.</summary>
internal sealed class CloudEventReader(IngestSpec spec, DataChecks checks, Scratch scratch)
{
    private static readonly byte[] JsonType = [.. "application/json"u8];

    private readonly JsonScanner _inner = new();

    public void Read(IngestItem item, JsonTape tape, int root)
    {
        item.Event.Form = EventForm.CloudEvent;
        if (tape.Kind(root) != JsonKind.Object)
        {
            item.Mistakes.Add(tape, root, root, MistakeCodes.WrongType, "an event is an object", "object", JsonPath.Show(tape, root));
            return;
        }

        var (data, base64, hasVersion) = (-1, -1, false);
        for (var name = root + 1; name < tape.Next(root); name = tape.Next(name + 1))
        {
            if (tape.Is(name, "data"u8)) data = name + 1;
            else if (tape.Is(name, "data_base64"u8)) base64 = name + 1;
            else if (tape.Kind(name + 1) != JsonKind.Null)
            {
                hasVersion |= tape.Is(name, "specversion"u8);
                ReadAttribute(item, tape, root, name);
            }
        }

        AttributeRules.RequireAll(item, hasVersion, "$.");
        var type = checks.FindType(item, spec.OnlyDeclaredTypes, "$.type");
        if (base64 >= 0 && tape.Kind(base64) == JsonKind.Null) base64 = -1;
        if (data >= 0 && base64 >= 0) item.Mistakes.Add(tape, root, base64 - 1, MistakeCodes.TwoData, "an event has `data` or `data_base64`, not both");
        else if (base64 >= 0) ReadBase64(item, type, tape, root, base64);
        else if (data >= 0) ReadData(item, type, tape, root, data);
        else if (type?.Schema is not null) item.Mistakes.Add(tape, root, root, MistakeCodes.Missing, "events of this type have data", under: "data");
    }

    private void ReadAttribute(IngestItem item, JsonTape tape, int root, int name)
    {
        var place = new AttributePlace(tape, root, name);
        var (key, value) = (JsonTexts.Plain(tape, name, scratch), name + 1);
        var isCore = AttributeRules.IsCore(key.Span);
        switch (tape.Kind(value))
        {
            case JsonKind.String:
                AttributeRules.Set(item, place, key, JsonTexts.Plain(tape, value, scratch), AttributeKind.Text);
                break;
            case JsonKind.Number when !isCore && Utf8Parser.TryParse(tape.Content(value), out int _, out var used) && used == tape.Content(value).Length:
                AttributeRules.Set(item, place, key, tape.ContentMemory(value), AttributeKind.Integer);
                break;
            case JsonKind.True or JsonKind.False when !isCore:
                AttributeRules.Set(item, place, key, tape.ContentMemory(value), AttributeKind.Boolean);
                break;
            default:
                var expected = isCore ? "a text" : "a text, a whole number of 32 bits, true or false";
                item.Mistakes.Add(place.Path, MistakeCodes.WrongType, "this cannot be the value of an attribute", expected, JsonPath.Show(tape, value));
                break;
        }
    }

    /// <summary>JSON stands as it is; other content stands as a text.</summary>
    private void ReadData(IngestItem item, EventType? type, JsonTape tape, int root, int data)
    {
        var said = item.Event;
        said.HasData = true;
        if (said.ContentType.IsEmpty) said.ContentType = JsonType;
        if (!MediaType.TryRead(said.ContentType.Span, out var media)) return;
        if (media.IsJson)
        {
            said.Data = tape.Raw(data);
            checks.Check(item, type, tape, root, data);
        }
        else if (type?.Schema is not null)
        {
            item.Mistakes.Add(tape, root, root, MistakeCodes.ContentType, "the data of this type are JSON", "application/json", under: "datacontenttype");
        }
        else if (tape.Kind(data) != JsonKind.String)
        {
            item.Mistakes.Add(tape, root, data, MistakeCodes.WrongType, "data that are not JSON stand as a text, or at `data_base64`", "string", JsonPath.Show(tape, data));
        }
        else
        {
            said.Data = JsonTexts.Plain(tape, data, scratch);
        }
    }

    private void ReadBase64(IngestItem item, EventType? type, JsonTape tape, int root, int token)
    {
        var said = item.Event;
        said.HasData = true;
        var decoded = tape.Kind(token) == JsonKind.String ? Decode(tape, token) : null;
        if (decoded is null)
        {
            item.Mistakes.Add(tape, root, token, MistakeCodes.BadBase64, "this is not base64 (RFC 4648, section 4)", got: JsonPath.Show(tape, token));
            return;
        }

        said.Data = decoded.Value;
        if (said.ContentType.IsEmpty) said.ContentType = JsonType;
        var isJson = MediaType.TryRead(said.ContentType.Span, out var media) && media.IsJson;
        if (isJson) CheckInner(item, type, tape, root, token);
        else if (type?.Schema is not null) item.Mistakes.Add(tape, root, root, MistakeCodes.ContentType, "the data of this type are JSON", "application/json", under: "datacontenttype");
    }

    /// <summary>JSON in base64: its paths begin anew at what was decoded.</summary>
    private void CheckInner(IngestItem item, EventType? type, JsonTape tape, int root, int token)
    {
        if (_inner.Scan(item.Event.Data) is { IsNone: false } fault)
        {
            item.Mistakes.Add(tape, root, token, MistakeCodes.NotJson, $"the data are said to be JSON: {fault.Message}");
            return;
        }

        var next = 0;
        if (DataChecks.TellRemarks(item, _inner, 0, ref next)) checks.Check(item, type, _inner.Tape, 0, 0);
    }

    private Memory<byte>? Decode(JsonTape tape, int token)
    {
        var text = JsonTexts.Plain(tape, token, scratch).Span;
        if (text.Length % 4 != 0 || text.ContainsAny(" \t\r\n"u8)) return null;
        var room = scratch.Take(Base64.GetMaxDecodedFromUtf8Length(text.Length));
        return Base64.DecodeFromUtf8(text, room.Span, out _, out var length) == OperationStatus.Done ? scratch.Keep(room, length) : null;
    }
}
