using System.CommandLine;
using System.Globalization;
using Stoker.Daemon.Protocol;
using Stoker.Models.Speed;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>`stoker model check`: whether every replica answers, to the end, and as fast as its model must.</summary>
internal sealed class ModelCheck
{
    private const int UsualTokens = 64;

    private static readonly TimeSpan UsualPatience = TimeSpan.FromMinutes(2);

    private readonly Argument<string[]> _names = Parameters.Names("only these models, by key, name or alias");
    private readonly Option<string?> _floor = Parameters.Amount("--floor", "tokens per second to hold every replica to (default: the model's `check.floor`, else 10)");
    private readonly Option<string?> _tokens = Parameters.Count("--tokens", $"how many tokens to ask each replica for (default {UsualTokens})");
    private readonly Option<string?> _timeout = Parameters.Duration("--timeout", "how long each answer may take (default 2m)");

    public static Verb Create()
    {
        var check = new ModelCheck();
        return new Verb("check", "ask every loaded replica for a short answer, and measure how fast it comes")
        {
            Example = "stoker model check phi-3-mini --floor 20",
            Remarks =
            [
                "Each replica is asked directly, not by way of the gateway, one after the other, for one streamed chat. Tokens per second are those from its first token "
                + "to its last one. Whatever else it works on meanwhile is in the figure.",
                "Results: ok, below (the floor), unclear (fewer than 8 tokens came, or all at once), failed. Anything but ok ends with 1. What is not loaded is said and left "
                + "alone; it ends with 1 only where it was named.",
                "The key for servers elsewhere is read from the model's `api_key`: its file, or its variable in the environment of this command.",
            ],
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(check._names, check._floor, check._tokens, check._timeout).Asks(check.RunAsync);
    }

    private async Task<ExitCode> RunAsync(Invocation run, ControlClient control)
    {
        var reply = control.Models();
        if (reply is not ControlReply<ModelsDocument>.Answered { Document: var models }) return run.Failed(reply);
        var named = run.Get(_names)!;
        var chosen = new List<ModelDocument>();
        foreach (var name in named)
        {
            if (ModelCommand.Find(run, models, name) is not { } model) return ExitCode.Usage;
            if (!chosen.Contains(model)) chosen.Add(model);
        }

        using var interrupts = run.World.Interrupts();
        try
        {
            var document = await CheckAsync(run, models.Estate, named.Length > 0 ? chosen : models.Models, interrupts.First);
            if (run.Json) run.PrintJson(document, CliJson.Readable.ModelCheckDocument);
            else Print(run, document);
            return document.Replicas.Any(r => r.Result != "ok") || (named.Length > 0 && document.Skipped.Count > 0) ? ExitCode.NotAsItShouldBe : ExitCode.Done;
        }
        catch (OperationCanceledException) when (interrupts.First.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    /// <summary>One replica after the other: those that share a card would slow each other down.</summary>
    private async Task<ModelCheckDocument> CheckAsync(Invocation run, string estate, IReadOnlyList<ModelDocument> models, CancellationToken cancel)
    {
        using var probe = new SpeedProbe(new SteadyClock(), run.Duration(_timeout) ?? UsualPatience);
        var checkedReplicas = new List<CheckedReplica>();
        var skipped = new List<SkippedReplica>();
        foreach (var model in models)
        {
            foreach (var server in model.Servers)
            {
                if (server.Loaded == false && model.State != "failed")
                {
                    skipped.Add(new SkippedReplica(model.Key, server.Index, model.State == "loaded" ? "loading" : model.State, model.Reason));
                    continue;
                }

                var asked = run.Get(_floor) is { } given ? double.Parse(given, CultureInfo.InvariantCulture) : model.Floor;
                var outcome = server.Loaded == false ? new SpeedOutcome.Failed(model.Reason ?? "it is not loaded") : await AskAsync(run, probe, model, server, cancel);
                checkedReplicas.Add(CheckedReplica.Of(model, server, asked, outcome));
            }
        }

        return new ModelCheckDocument(estate, checkedReplicas, skipped);
    }

    private async Task<SpeedOutcome> AskAsync(Invocation run, SpeedProbe probe, ModelDocument model, ModelServer server, CancellationToken cancel)
    {
        string? key = null;
        if (model.KeyFile is { } file)
        {
            try
            {
                key = Files.ReadAllText(file).Trim();
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                return new SpeedOutcome.Failed($"its key cannot be read: {unreadable.Message}");
            }
        }
        else if (model.KeyVariable is { } variable && !run.World.Variables.TryGetValue(variable, out key))
        {
            return new SpeedOutcome.Failed($"its key is not in this environment: `{variable}` is not set");
        }

        return await probe.AskAsync(new SpeedQuestion(server.Url, model.UpstreamName ?? model.Name, key, run.Count(_tokens) ?? UsualTokens), cancel);
    }

    private static void Print(Invocation run, ModelCheckDocument document)
    {
        if (document.Replicas.Count > 0)
        {
            List<TableColumn> columns =
            [
                new("MODEL"), new("REPLICA", Right: true), new("FIRST TOKEN", Right: true, Sacrifice: 1), new("TOKENS/S", Right: true), new("FLOOR", Right: true), new("RESULT"), new("WHY"),
            ];
            foreach (var line in Table.Lay(columns, [.. document.Replicas.Select(Row)], run.Width, run.Style)) run.Output.WriteLine(line);
        }
        else if (document.Skipped.Count == 0)
        {
            run.Output.WriteLine($"{document.Estate} has no models");
        }

        foreach (var skipped in document.Skipped)
            run.Report.Say($"{skipped.Model}.{skipped.Replica} is {skipped.State} and was not asked{(skipped.Why is { } why ? $": {why}" : "")}");
    }

    private static TableRow Row(CheckedReplica replica) => new(
    [
        new(replica.Model, Tone.Name),
        new($"{replica.Replica}"),
        new(replica.FirstTokenSeconds is { } seconds ? seconds < 1 ? $"{seconds * 1000:0} ms" : seconds.ToString("0.0 s", CultureInfo.InvariantCulture) : ""),
        new(replica.TokensPerSecond is { } rate ? Amount(rate) : ""),
        new(Amount(replica.Floor), Tone.Dim),
        new(replica.Result + (replica.StandIn is null ? "" : "*"), replica.Result switch { "ok" => Tone.Good, "unclear" => Tone.Busy, _ => Tone.Bad }),
        new(string.Join("; ", new[] { replica.Why, replica.StandIn is { } standIn ? $"stand-in: {standIn}" : null }.OfType<string>())),
    ]);

    private static string Amount(double number) => number.ToString(number < 100 ? "0.#" : "0", CultureInfo.InvariantCulture);
}

/// <summary>What <c>stoker model check --json</c> prints.</summary>
internal sealed record ModelCheckDocument(string Estate, IReadOnlyList<CheckedReplica> Replicas, IReadOnlyList<SkippedReplica> Skipped);

/// <param name="Model">Its key.</param>
/// <param name="Result"><c>ok</c>, <c>below</c>, <c>unclear</c> or <c>failed</c>.</param>
/// <param name="Floor">Tokens per second.</param>
internal sealed record CheckedReplica(string Model, int Replica, string Url, string Result, double Floor)
{
    /// <summary>From the request to the first token.</summary>
    public double? FirstTokenSeconds { get; init; }

    /// <summary>Generated in all.</summary>
    public int? Tokens { get; init; }

    /// <summary>From the first token to the last one.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Why it is not ok, or how the figure came about.</summary>
    public string? Why { get; init; }

    /// <summary>Why the simulator stands in for it, whose speed says nothing about the model; null: the real thing.</summary>
    public string? StandIn { get; init; }

    public static CheckedReplica Of(ModelDocument model, ModelServer server, double floor, SpeedOutcome outcome)
    {
        var named = new CheckedReplica(model.Key, server.Index, server.Url, "failed", floor) { StandIn = model.StandIn };
        return outcome switch
        {
            SpeedOutcome.Measured measured => named with
            {
                Result = measured.PerSecond >= floor ? "ok" : "below",
                FirstTokenSeconds = Math.Round(measured.FirstToken.TotalSeconds, 4),
                Tokens = measured.Tokens,
                TokensPerSecond = Math.Round(measured.PerSecond, 2),
                Why = measured.IsCounted ? "told no usage: each event counts as one token" : null,
            },
            SpeedOutcome.Unclear unclear => named with { Result = "unclear", FirstTokenSeconds = Math.Round(unclear.FirstToken.TotalSeconds, 4), Tokens = unclear.Tokens, Why = unclear.Why },
            SpeedOutcome.Failed failed => named with { Why = failed.Why },
            _ => throw new InvalidOperationException($"no such outcome: {outcome}"),
        };
    }
}

/// <summary>A replica that was not asked, because it is not loaded.</summary>
/// <param name="State">As in <c>stoker model list</c>.</param>
internal sealed record SkippedReplica(string Model, int Replica, string State, string? Why);
