using Stoker.Streams.Events;
using Stoker.Streams.Json;

namespace Stoker.Streams.Ingest;

/// <summary>
/// A metadata document: <c>metadata_id</c>, <c>source_uri</c>, <c>embedding</c>, <c>gpu_hardware</c>, <c>extra</c>, <c>time</c>, and whatever else it has, which is
/// kept. Its id is <c>metadata_id</c>, or made of its bytes; its source is <c>source_uri</c>, or the producer.
/// </summary>
internal sealed class MetadataReader(IngestSpec spec, EventTypes types, DataChecks checks, Scratch scratch)
{
    private static readonly byte[] JsonType = [.. "application/json"u8];

    public void Read(IngestItem item, JsonTape tape, int root)
    {
        var said = item.Event;
        said.Form = EventForm.Metadata;
        said.Type = types.Metadata.Name;
        said.ContentType = JsonType;
        said.Data = tape.Raw(root);
        said.HasData = true;
        if (tape.Kind(root) != JsonKind.Object)
        {
            item.Mistakes.Add(tape, root, root, MistakeCodes.WrongType, "a metadata document is an object", "object", JsonPath.Show(tape, root));
            return;
        }

        if (tape.Find(root, "specversion"u8) is >= 0 and var version)
        {
            item.Mistakes.Add(tape, root, version, MistakeCodes.ContentType, "this is a CloudEvent, but was not sent as one", "content-type: application/cloudevents+json");
            return;
        }

        said.Id = ReadText(item, tape, root, "metadata_id"u8);
        said.Source = ReadText(item, tape, root, "source_uri"u8);
        ReadTime(item, tape, root);
        checks.Check(item, types.Metadata, tape, root, root);
        if (tape.Find(root, "embedding_base64"u8) is >= 0 and var other)
            item.Mistakes.Add(tape, root, other - 1, MistakeCodes.UnknownField, "a vector in base64 stands at `embedding`", "\"embedding\": {\"dtype\": \"float32\", \"data\": \"…\"}");
        foreach (var name in spec.Required) Require(item, tape, root, name);
        if (said.Source.IsEmpty && said.Producer.IsEmpty) Require(item, tape, root, "source_uri");
        if (item.IsAccepted) Identify(item);
    }

    private void Identify(IngestItem item)
    {
        var said = item.Event;
        if (said.Source.IsEmpty) said.Source = said.Producer;
        if (!said.Id.IsEmpty) return;
        var id = scratch.Take(EventIdentity.Length);
        EventIdentity.OfContent(said.Data.Span, id.Span);
        said.Id = id;
        item.IsIdDerived = true;
    }

    /// <summary>Empty where it is not there or null. That it is a text is for the schema to say, where there is one.</summary>
    private ReadOnlyMemory<byte> ReadText(IngestItem item, JsonTape tape, int root, ReadOnlySpan<byte> name)
    {
        var token = tape.Find(root, name);
        if (token < 0 || tape.Kind(token) == JsonKind.Null) return default;
        if (tape.Kind(token) != JsonKind.String)
        {
            if (types.Metadata.Schema != GpuFacts.Schema) item.Mistakes.Add(tape, root, token, MistakeCodes.WrongType, "the type is another one", "string", JsonPath.Show(tape, token));
            return default;
        }

        var text = JsonTexts.Plain(tape, token, scratch);
        if (text.IsEmpty)
        {
            item.Mistakes.Add(tape, root, token, MistakeCodes.Empty, "this must not be empty; leave it out where there is none");
        }
        else if (text.Length > EventsModule.MaxAttribute)
        {
            var most = $"at most {EventsModule.MaxAttribute} bytes";
            item.Mistakes.Add(tape, root, token, MistakeCodes.TooLong, "this is too long", most, $"{text.Length} bytes");
        }
        else if (AttributeRules.FindForbidden(text.Span) is { } forbidden)
        {
            item.Mistakes.Add(tape, root, token, MistakeCodes.ControlCharacter, "this has no control characters and no noncharacters", got: forbidden);
        }

        return text;
    }

    private void ReadTime(IngestItem item, JsonTape tape, int root)
    {
        var token = tape.Find(root, "time"u8);
        if (token < 0 || tape.Kind(token) != JsonKind.String) return;
        var text = JsonTexts.Plain(tape, token, scratch);
        if (Timestamps.TryRead(text.Span, out _))
        {
            item.Event.Time = text;
        }
        else if (types.Metadata.Schema != GpuFacts.Schema)
        {
            item.Mistakes.Add(
                tape, root, token, MistakeCodes.NotATime, "the time is one of RFC 3339", "2026-03-01T12:00:00Z", JsonPath.Show(tape, token));
        }
    }

    private static void Require(IngestItem item, JsonTape tape, int root, string name)
    {
        for (var at = root + 1; at < tape.Next(root); at = tape.Next(at + 1))
        {
            if (tape.TextOf(at) == name && tape.Kind(at + 1) != JsonKind.Null) return;
        }

        item.Mistakes.Add(tape, root, root, MistakeCodes.Missing, "this field is missing", under: name);
    }
}
