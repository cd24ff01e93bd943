using System.Globalization;
using System.Text;
using System.Text.Json;
using Stoker.Platform;
using Stoker.Streams.Events;
using Stoker.Streams.Stores;
using Stoker.Streams.Stores.Queries;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream check</c>: a marked event through everything, hop by hop.</summary>
internal sealed class StreamCheck
{
    private const string Type = EventsModule.Check, Source = "stoker:check";

    private static readonly string[] Hops = ["posted", "on disk", "stored", "queried back"];

    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(20);

    private readonly System.CommandLine.Argument<string?> _name = StreamChoice.Argument();
    private readonly System.CommandLine.Option<string?> _keyFile = StreamChoice.KeyFile();
    private readonly System.CommandLine.Option<string?> _timeout = Parameters.Duration("--timeout", "how long all of it may take (default 30s)");

    public static Verb Create()
    {
        var check = new StreamCheck();
        return new Verb("check", "send a marked event through everything, and tell each hop with its time")
        {
            Example = "stoker stream check gpu-metadata",
            Remarks =
            [
                $"Hops: posted (the door answered 202), on disk (its receipt says that the log has it), stored (the worker's position is past it), queried back (the store gives the document). "
                + $"The event is of the type `{Type}` and stays, as any other. Ends with 1 where a hop is not reached.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Interrupted],
        }.With(check._name, check._keyFile, check._timeout).Does(StreamChoice.With(check._name, check.RunAsync));
    }

    private async Task<ExitCode> RunAsync(Invocation run, StreamChoice stream)
    {
        using var interrupts = run.World.Interrupts();
        try
        {
            var document = await CheckAsync(run, stream, run.Duration(_timeout) ?? UsualPatience, interrupts.First);
            if (run.Json) run.PrintJson(document, StreamDocumentJson.Readable.StreamCheckDocument);
            else Print(run, document);
            return document.Stuck is null ? ExitCode.Done : ExitCode.NotAsItShouldBe;
        }
        catch (OperationCanceledException) when (interrupts.First.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private async Task<StreamCheckDocument> CheckAsync(Invocation run, StreamChoice stream, TimeSpan patience, CancellationToken cancel)
    {
        var clock = new SteadyClock();
        using var timeout = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        var began = clock.GetTimestamp();
        var reached = new List<double>();
        var id = NewId(run);
        string? receipt = null;
        string? why = null;
        try
        {
            using var client = stream.Client(run, patience, run.Get(_keyFile));
            receipt = await PostAsync(client, id, clock.GetUtcNow(), either.Token);
            Reach();
            await WaitForAsync("logged");
            Reach();
            await WaitForAsync("stored");
            Reach();
            await QueryAsync(run, stream, id, either.Token);
            Reach();

            async Task WaitForAsync(string state)
            {
                while (true)
                {
                    var report = await client.ReceiptAsync(receipt, either.Token) ?? throw new IOException($"the receipt {receipt} is not known");
                    if (report.State == state || report.State == "stored") return;
                    if (report.State != "logged") throw new IOException($"it is {report.State}: {report.Message ?? report.Note}");
                    var problem = await ProblemAsync(client, report.Partition, either.Token);
                    why = problem ?? "it is in the log, and the worker has not come to it";
                    await Task.Delay(Pause, clock, either.Token);
                }
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            why = $"not within {Durations.Short(patience)}{(why is null ? "" : $": {why}")}";
            return Document();
        }
        catch (IOException failed)
        {
            why = failed.Message;
            return Document();
        }

        why = null;
        return Document();

        void Reach() => reached.Add(Math.Round(clock.GetElapsedTime(began).TotalMilliseconds, 1));

        StreamCheckDocument Document() => new(
            stream.Name, id, receipt, [.. Hops.Select((hop, i) => new HopDocument(hop, i < reached.Count ? reached[i] : null))], reached.Count < Hops.Length ? Hops[reached.Count] : null, why);
    }

    private static string NewId(Invocation run)
    {
        Span<byte> bytes = stackalloc byte[16];
        run.World.Chance(bytes);
        return $"check-{new Guid(bytes):N}";
    }

    private static async Task<string> PostAsync(StreamClient client, string id, DateTimeOffset now, CancellationToken cancel)
    {
        var time = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        var body = $$"""{"specversion":"1.0","id":"{{id}}","source":"{{Source}}","type":"{{Type}}","time":"{{time}}","datacontenttype":"application/json","data":{"marked":true} }""";
        var answer = await client.PostAsync(Encoding.UTF8.GetBytes(body), "application/cloudevents+json", cancel);
        var item = Posts.Read(answer);
        if (answer.Status == 202 && JsonSerializer.Deserialize(answer.Body, StreamDocumentJson.Readable.PostedItem)?.Receipt is { } receipt) return receipt.Id;
        throw new IOException($"the door answered {answer.Status}: {item.Title}; {item.Detail}");
    }

    private static async Task<string?> ProblemAsync(StreamClient client, int partition, CancellationToken cancel) =>
        (await client.StatusAsync(cancel)).Partitions.FirstOrDefault(each => each.Partition == partition)?.Problem;

    private static async Task QueryAsync(Invocation run, StreamChoice stream, string id, CancellationToken cancel)
    {
        await using var store = stream.OpenStore(run) ?? throw new IOException($"there is no {stream.StoreSpec(run).Address}");
        await foreach (var found in store.QueryAsync(new DocumentQuery { Id = id, Source = Source, Limit = 1 }, cancel))
        {
            if (found.Type == Type) return;
        }

        throw new IOException("the store does not give it, though its position is past it");
    }

    private static void Print(Invocation run, StreamCheckDocument document)
    {
        foreach (var hop in document.Hops)
        {
            var isStuck = hop.Hop == document.Stuck;
            if (hop.Milliseconds is null && !isStuck) break;
            var text = hop.Milliseconds is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time,9:0.0} ms") : $"{"stuck",12}";
            run.Output.WriteLine($"{run.Style.Paint(text, isStuck ? Tone.Bad : Tone.Good)}  {hop.Hop}");
        }

        if (document.Stuck is { } stuck) run.Report.Error($"stream `{document.Stream}` is stuck at `{stuck}`: {document.Why}", "`stoker stream status` and `stoker logs` tell more");
        else run.Report.Say($"event {document.EventId}, receipt {document.Receipt}");
    }
}
