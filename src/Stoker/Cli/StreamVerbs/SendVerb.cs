using System.CommandLine;
using Stoker.Platform;

namespace Stoker.Cli.StreamVerbs;

/// <summary><c>stoker stream send</c>: files into a stream.</summary>
internal sealed class SendVerb
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(60), UsualPatience = TimeSpan.FromMinutes(5);

    private readonly Argument<string[]> _words = new(StreamChoice.ArgumentName)
    {
        Arity = new ArgumentArity(1, 2), HelpName = "[STREAM] FILE|DIR|-", Description = "the stream, and what to send: a file, the files of a directory, or `-` for standard input",
    };

    private readonly Option<string?> _type = Parameters.OneOf("--type", "what the files hold (default: by their endings; lines otherwise)", SendSources.Types);
    private readonly Option<string?> _patience = Parameters.Duration("--patience", "how long to wait for a stream that is full, busy or away, each time (default 5m)");
    private readonly Option<string?> _keyFile = StreamChoice.KeyFile();
    private readonly Option<bool> _quiet = Parameters.Flag("--quiet", "no line for what was taken", "-q");

    public static Verb Create()
    {
        var send = new SendVerb();
        return new Verb("send", "post documents of files to a stream: JSON, NDJSON, CloudEvents")
        {
            Example = "stoker stream send gpu-metadata facts.ndjson",
            Remarks =
            [
                "`.json` is a document or an array of them, `.ndjson` and `.jsonl` have one a line, `.cloudevents` a CloudEvent a line; what has a `specversion` is a CloudEvent anywhere. "
                + "They go in requests of up to 500, in order. Each that was taken is a line with its receipt on stdout, each that was not has its mistakes on stderr, path by path; with --json a line of JSON each, on stdout.",
                "A stream that is busy (503) or whose disk is full (507) is asked again when it says. The same file again makes no second documents: an event is known by its source and id.",
                "Ends with 1 where one was rejected, or the stream does not answer.",
            ],
            ExitCodes = [.. StreamCommand.Codes, ExitCode.Interrupted],
        }.With(send._words, send._type, send._patience, send._keyFile, send._quiet).Does(send.Run);
    }

    private ExitCode Run(Invocation run)
    {
        var words = run.Get(_words)!;
        if (StreamChoice.Find(run, words.Length > 1 ? words[0] : null, out var code) is not { } stream) return code;
        var path = words[^1] == SendSources.StandardInput ? words[^1] : Path.Combine(run.World.CurrentDirectory, words[^1]);
        if (path != SendSources.StandardInput && !Files.Exists(path) && !Files.DirectoryExists(path))
        {
            run.Report.Error($"there is no file `{words[^1]}`");
            return ExitCode.NotAsItShouldBe;
        }

        using var interrupts = run.World.Interrupts();
        var sent = new Sent(run, run.Get(_quiet));
        try
        {
            using var client = stream.Client(run, AnswerPatience, run.Get(_keyFile));
            var sender = new SendRun(client, stream.Plan, run.Duration(_patience) ?? UsualPatience, new SteadyClock(), sent.Say, sent.Tell);
            var items = SendSources.Files(path).SelectMany(file => SendSources.Read(file, run.Get(_type)));
            sender.SendAsync(items, interrupts.First).GetAwaiter().GetResult();
        }
        catch (StreamSilentException silent)
        {
            sent.End();
            run.Report.Error($"stream `{stream.Name}` does not take them: {silent.Message}", "what was taken is kept; send it all again when it answers, nothing is stored twice");
            return ExitCode.NotAsItShouldBe;
        }
        catch (OperationCanceledException) when (interrupts.First.IsCancellationRequested)
        {
            sent.End();
            return ExitCode.Interrupted;
        }

        sent.End();
        return sent.Rejected == 0 ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    /// <summary>Counts and tells what became of each.</summary>
    private sealed class Sent(Invocation run, bool quiet)
    {
        private readonly bool _repaint = run.World.Terminal.ErrorIsTerminal && (quiet || !run.World.Terminal.OutputIsTerminal);
        private long _accepted;

        public long Rejected { get; private set; }

        public void Say(string text)
        {
            if (_repaint) run.Report.Write("\r\e[K");
            run.Report.Say(text);
        }

        public void Tell(SentDocument sent)
        {
            var isAccepted = sent.Status == "accepted";
            if (isAccepted) _accepted++;
            else Rejected++;
            if (run.Json) run.PrintJson(sent, StreamDocumentJson.Readable.SentDocument);
            else if (isAccepted && !quiet) run.Output.WriteLine($"{sent.Receipt}  {sent.Id}");
            if (!isAccepted && !run.Json) TellMistakes(sent);
            if (_repaint && _accepted % 500 == 0) run.Report.Write($"\r\e[K{_accepted:N0} taken");
        }

        public void End() => Say(Rejected == 0 ? $"{_accepted:N0} taken" : $"{_accepted:N0} taken, {Rejected:N0} rejected");

        private void TellMistakes(SentDocument sent)
        {
            foreach (var mistake in sent.Mistakes)
            {
                var more = (mistake.Expected, mistake.Got) switch
                {
                    ({ } expected, { } got) => $" (expected {expected}, got {got})",
                    ({ } expected, null) => $" (expected {expected})",
                    (null, { } got) => $" (got {got})",
                    _ => "",
                };
                Say($"{sent.Place}: {run.Report.Style.Paint(mistake.Path, Tone.Bad)}: {mistake.Message}{more}");
            }
        }
    }
}
