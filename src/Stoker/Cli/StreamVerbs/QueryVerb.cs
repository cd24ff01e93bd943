using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream query</c>: documents of a stream's store, asked directly.</summary>
internal sealed class QueryVerb
{
    private const int UsualLimit = 20;

    private readonly Argument<string?> _name = StreamChoice.Argument();
    private readonly Option<string?> _id = Parameters.Text("--id", "ID", "the event's own id");
    private readonly Option<string?> _source = Parameters.Text("--source", "SOURCE", "the event's source");
    private readonly Option<string?> _type = Parameters.Text("--type", "TYPE", "the event's type");
    private readonly Option<string?> _host = Parameters.Text("--host-name", "NAME", "the host of the estate that stored it");
    private readonly Option<string?> _gpu = Parameters.Text("--gpu", "GPU", "the GPU");
    private readonly Option<string?> _from = Parameters.Moment("--from", $"what happened then or later: {Moments.Grammar}");
    private readonly Option<string?> _to = Parameters.Moment("--to", "what happened before");
    private readonly Option<string?> _limit = Parameters.Count("--limit", $"how many at most (default {UsualLimit})");
    private readonly Option<string?> _near = Parameters.Text("--near", "FILE", "the nearest to a vector, nearest first: a JSON array of numbers, or a document with an `embedding`");
    private readonly Option<string?> _nearId = Parameters.Text("--near-id", "ID", "the nearest to the vector of a document");

    public static Verb Create()
    {
        var query = new QueryVerb();
        return new Verb("query", "show documents of a stream's store: by id, source, type, host, GPU, time, or by their vectors")
        {
            Example = "stoker stream query gpu-metadata --near-id img-0001 --limit 5",
            Remarks =
            [
                "The newest first, unless it is by vector. Near is by cosine: 0 the same direction, 2 the opposite one. The password of a store is read from its "
                + "variable in the environment of this command. With --json the documents are whole; their vectors are left out.",
                "`--host` chooses the host of the estate, as for every verb; `--host-name` is a condition.",
            ],
            ExitCodes = StreamCommand.Codes,
        }.With(query._name, query._id, query._source, query._type, query._host, query._gpu, query._from, query._to, query._limit, query._near, query._nearId)
            .Does(StreamChoice.With(query._name, query.RunAsync));
    }

    private async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream)
    {
        if (run.Get(_near) is not null && run.Get(_nearId) is not null)
        {
            run.Report.Error("`--near` and `--near-id` exclude each other", "leave one away");
            return ExitCode.Usage;
        }

        await using var store = stream.OpenStore(run);
        var found = new List<FoundDocument>();
        if (store is not null)
        {
            NearestTo? nearest = null;
            if (run.Get(_near) is not null || run.Get(_nearId) is not null)
            {
                var (vector, problem) = run.Get(_near) is { } file ? ReadVector(Path.Combine(run.World.CurrentDirectory, file)) : await VectorOfAsync(store, run.Get(_nearId)!);
                if (vector is null)
                {
                    run.Report.Error(problem!);
                    return ExitCode.NotAsItShouldBe;
                }

                nearest = new NearestTo(vector);
            }

            await foreach (var document in store.QueryAsync(QueryOf(run, nearest), default)) found.Add(document);
        }

        if (run.Json) PrintJson(run, stream, found);
        else if (found.Count == 0) run.Report.Say("no documents");
        else Print(run, found);
        return ExitCode.Done;
    }

    private DocumentQuery QueryOf(Invocation run, NearestTo? nearest) => new()
    {
        Id = run.Get(_id),
        Source = run.Get(_source),
        Type = run.Get(_type),
        Host = run.Get(_host),
        Gpu = run.Get(_gpu),
        From = run.Moment(_from),
        Until = run.Moment(_to),
        Limit = run.Count(_limit) ?? UsualLimit,
        Nearest = nearest,
    };

    private static async Task<(float[]? Vector, string? Problem)> VectorOfAsync(IDocumentStore store, string id)
    {
        await foreach (var document in store.QueryAsync(new DocumentQuery { Id = id, Limit = 1 }, default))
        {
            if (document.Dimension == 0) return (null, $"document `{id}` has no vector");
            var vector = new float[document.Dimension];
            Buffer.BlockCopy(document.Embedding.ToArray(), 0, vector, 0, document.Embedding.Length);
            return (vector, null);
        }

        return (null, $"there is no document `{id}`");
    }

    private static (float[]? Vector, string? Problem) ReadVector(string path)
    {
        if (!Files.Exists(path)) return (null, $"there is no file `{path}`");
        try
        {
            using var json = JsonDocument.Parse(Files.ReadAllBytes(path));
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("embedding", out var inside)) root = inside;
            if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > 0) return ([.. root.EnumerateArray().Select(number => (float)number.GetDouble())], null);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException)
        {
            // Said below.
        }

        return (null, $"`{path}` has no vector: a JSON array of numbers, or an object with one at `embedding`");
    }

    private static void Print(Invocation run, List<FoundDocument> found)
    {
        var isNear = found[0].Distance is not null;
        List<TableColumn> columns =
        [
            new("TIME"), .. isNear ? new TableColumn[] { new("DISTANCE", Right: true) } : [], new("ID", Most: 48), new("TYPE", Sacrifice: 2), new("HOST", Sacrifice: 3), new("GPU", Sacrifice: 4),
            new("DIM", Right: true, Sacrifice: 1), new("SOURCE"),
        ];
        var rows = found.Select(each => new TableRow(
        [
            new(Moments.DayAndTime(each.Time, run.World.Clock)),
            .. isNear ? new Cell[] { new(each.Distance!.Value.ToString("0.0000", CultureInfo.InvariantCulture)) } : [],
            new(each.Id, Tone.Name), new(each.Type), new(each.Host ?? ""), new(each.Gpu ?? ""), new(each.Dimension > 0 ? $"{each.Dimension}" : ""), new(each.Source),
        ])).ToList();
        foreach (var line in Table.Lay(columns, rows, run.Width, run.Style)) run.Output.WriteLine(line);
    }

    private static void PrintJson(Invocation run, StreamChoice stream, List<FoundDocument> found)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("stream", stream.Name);
            json.WriteStartArray("documents");
            foreach (var each in found) Write(json, each);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        run.Output.WriteLine(Encoding.UTF8.GetString(output.WrittenSpan));
    }

    private static void Write(Utf8JsonWriter json, FoundDocument document)
    {
        json.WriteStartObject();
        json.WriteString("id", document.Id);
        json.WriteString("source", document.Source);
        json.WriteString("type", document.Type);
        json.WriteString("host", document.Host);
        json.WriteString("gpu", document.Gpu);
        json.WriteString("time", document.Time);
        json.WriteString("received", document.Received);
        json.WriteNumber("offset", document.Sequence);
        json.WriteNumber("embedding_dim", document.Dimension);
        if (document.Distance is { } distance && double.IsFinite(distance)) json.WriteNumber("distance", distance);
        json.WritePropertyName("document");
        json.WriteRawValue(document.Json.Span, skipInputValidation: true);
        json.WriteEndObject();
    }
}
