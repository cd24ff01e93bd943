using System.CommandLine;
using Stoker.Platform;
using Stoker.Streams.Extraction;
using Stoker.Streams.Extraction.Embedding;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream send</c>: files into a stream.</summary>
internal sealed class SendVerb
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(60), UsualPatience = TimeSpan.FromSeconds(10), PatienceWithoutSpool = TimeSpan.FromMinutes(5);

    private readonly Argument<string[]> _words = new(StreamChoice.ArgumentName)
    {
        Arity = new ArgumentArity(0, 2), HelpName = "[STREAM] FILE|DIR|-", Description = "the stream, and what to send: a file, the files of a directory, or `-` for standard input",
    };

    private readonly Option<string?> _type = Parameters.OneOf("--type", "what the files hold (default: by their endings; lines otherwise)", SendSources.Types);
    private readonly Option<bool> _lines = Parameters.Flag("--lines", "make a document of each line: the file is a log, or any other text");
    private readonly Option<string?> _embed = Parameters.Text(
        "--embed", "URL#MODEL|builtin",
        "what makes vectors of images and lines: an endpoint as OpenAI's /v1/embeddings, or what is built in (default: nothing)");
    private readonly Option<string?> _dimension = Parameters.Count("--dim", "numbers of each built-in vector (default: the stream's embedding_dim, else 256)");
    private readonly Option<string?> _key = Parameters.Text("--embed-key", "VARIABLE", "variable of the environment with the endpoint's key (default OPENAI_API_KEY)");
    private readonly Option<string?> _to = Parameters.Text("--to", "URL", "send to the stream at this address, of another machine for one, instead of to one of this host");
    private readonly Option<string?> _patience = Parameters.Duration("--patience", "how long to wait for a stream that is full, busy or away, each time (default 10s; 5m with --no-spool)");
    private readonly Option<string?> _spool = Parameters.Text("--spool", "DIR", "where documents wait while the stream is away, in a directory for each stream (default: in the state directory)");
    private readonly Option<bool> _noSpool = Parameters.Flag("--no-spool", "give up instead of keeping what the stream does not take");
    private readonly Option<bool> _flush = Parameters.Flag("--flush", "deliver what waits in the spool, and send nothing else");
    private readonly Option<bool> _follow = Parameters.Flag("--follow", "with --flush: go on delivering whatever comes to wait");
    private readonly Option<string?> _keyFile = StreamChoice.KeyFile();
    private readonly Option<bool> _quiet = Parameters.Flag("--quiet", "no line for what was taken", "-q");

    public static Verb Create()
    {
        var send = new SendVerb();
        return new Verb("send", "post to a stream: documents of files, images, log lines")
        {
            Example = "stoker stream send gpu-metadata facts.ndjson",
            Remarks =
            [
                "`.json` is a document or an array of them, `.ndjson` and `.jsonl` have one a line, `.cloudevents` a CloudEvent a line; what has a `specversion` "
                + "is a CloudEvent anywhere. They go in requests of up to 500, in order. Each that was taken is a line with its receipt on stdout, each that was "
                + "not has its mistakes on stderr, path by path; with --json a line of JSON each, on stdout.",
                "An image (by its ending: .png, .jpg, .gif, .webp, .bmp, .tif) and, with --lines, each line of a file becomes a document: an id made of its "
                + "content, its source, its vector by --embed, the facts of this machine's GPUs as the driver tells them (or as the estate file declares them, or "
                + "none), and what is known of the file. PNG and JPEG are decoded for the built-in vector, which knows words, colours and edges and nothing of "
                + "meaning.",
                "While the stream is away (no answer, 429, any 5xx, an answer that is not a stream's) for longer than patience, documents go to the spool, on disk "
                + "before their line `spooled` is printed, with the time and id that they would have had. The next `send`, or `send --flush`, delivers them first, "
                + "in order. What the stream refuses then is kept in `refused.ndjson` beside the spool.",
                "The same file again makes no second documents: an event is known by its source and id. Several senders take turns at a spool.",
                "Ends with 0 where every document was taken or is in the spool, with 1 where one was rejected, could not be kept, or (with --flush) still waits.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Interrupted],
        }.With(
            send._words, send._type, send._lines, send._embed, send._dimension, send._key, send._to, send._patience, send._spool, send._noSpool,
            send._flush, send._follow, send._keyFile, send._quiet).Does(send.RunAsync);
    }

    private async Task<ExitCode> RunAsync(Invocation run)
    {
        if (Misused(run) is { } misuse)
        {
            run.Report.Error(misuse);
            return ExitCode.Usage;
        }

        var words = run.Get(_words)!;
        var isFlush = run.Get(_flush);
        var stream = isFlush ? words.FirstOrDefault() : words.Length > 1 ? words[0] : null;
        if (SendTarget.Find(run, stream, run.Get(_to), run.Get(_spool), run.Get(_noSpool), out var code) is not { } target) return code;
        if (isFlush) return await SendAsync(run, target, null);
        var path = words[^1] == SendSources.StandardInput ? words[^1] : Path.Combine(run.World.CurrentDirectory, words[^1]);
        if (path == SendSources.StandardInput || Files.Exists(path) || Files.DirectoryExists(path)) return await SendAsync(run, target, path);
        run.Report.Error($"there is no file `{words[^1]}`");
        return ExitCode.NotAsItShouldBe;
    }

    /// <summary>Null: the words and options fit together.</summary>
    private string? Misused(Invocation run) => (run.Get(_words)!.Length, Flush: run.Get(_flush), To: run.Get(_to)) switch
    {
        (0, Flush: false, _) => "what is to be sent? a file, a directory, or `-` for standard input",
        (2, Flush: true, _) => "`--flush` sends what waits, and no files",
        (1, Flush: true, To: not null) or (2, _, To: not null) => "either the name of a stream or `--to`",
        _ when run.Get(_embed) is { } embed && embed != SendExtraction.Builtin && EndpointEmbedder.Parse(embed) is null => $"`--embed {embed}` is neither `builtin` nor URL#MODEL",
        _ when run.Count(_dimension) is < 1 or > 65536 => "`--dim` is from 1 to 65536",
        _ when run.Get(_lines) && run.Get(_type) is not null => "`--lines` and `--type` do not go together",
        _ when run.Get(_follow) && !run.Get(_flush) => "`--follow` is for `--flush`",
        _ when run.Get(_noSpool) && (run.Get(_flush) || run.Get(_spool) is not null) => "`--no-spool` and a spool do not go together",
        _ => null,
    };

    /// <param name="path">Null: only what waits.</param>
    private async Task<ExitCode> SendAsync(Invocation run, SendTarget target, string? path)
    {
        using var interrupts = run.World.Interrupts();
        var sent = new SendTally(run, run.Get(_quiet));
        try
        {
            var why = await DeliverAsync(run, target, path, sent, interrupts.First);
            sent.End();
            if (why is not null) run.Report.Error($"stream `{target.Name}` does not take what waits: {why}", "it stays in the spool");
            return sent.Rejected == 0 && why is null ? ExitCode.Done : ExitCode.NotAsItShouldBe;
        }
        catch (StreamSilentException silent)
        {
            sent.End();
            run.Report.Error($"stream `{target.Name}` does not take them: {silent.Message}", "what was taken is kept; send it all again when it answers, nothing is stored twice");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            sent.End();
            run.Report.Error(refused.Message, (refused as SpoolRefusedException)?.Hint);
        }
        catch (OperationCanceledException) when (interrupts.First.IsCancellationRequested)
        {
            sent.End();
            return ExitCode.Interrupted;
        }

        return ExitCode.NotAsItShouldBe;
    }

    /// <returns>Why something of the spool still waits; null: nothing that was to be delivered now.</returns>
    private async Task<string?> DeliverAsync(Invocation run, SendTarget target, string? path, SendTally sent, CancellationToken cancel)
    {
        var clock = new SteadyClock();
        var patience = run.Duration(_patience) ?? (target.Spool is null ? PatienceWithoutSpool : UsualPatience);
        using var client = target.Client(run, AnswerPatience, run.Get(_keyFile));
        var posts = new SendPosts(client);
        using var turns = target.Spool is { } spool ? new SpoolTurns(spool, patience, clock, sent.Say) : null;
        var delivery = turns is null ? null : new SendDelivery(posts, turns, clock, sent.Tell);
        if (path is not null)
        {
            var extraction = new SendExtraction(run, target, patience, sent.Say) { Embed = run.Get(_embed), Dimension = run.Count(_dimension), KeyVariable = run.Get(_key) };
            var extractor = new Lazy<Extractor>(extraction.Create);
            var items = SendSources.Files(path, run.Get(_lines)).SelectMany(file => SendSources.Read(file, run.Get(_type), run.Get(_lines), extractor, cancel));
            await new SendRun(posts, delivery, turns, new SendTerms(target.MaxBatch, patience), clock, sent.Say, sent.Tell).SendAsync(items, cancel);
            return null;
        }

        var flush = new SpoolFlush(delivery!, turns!, patience, clock, sent.Say);
        if (!run.Get(_follow)) return await flush.OnceAsync(cancel);
        await flush.FollowAsync(cancel);
        return null;
    }
}
