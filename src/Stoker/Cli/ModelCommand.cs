using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;

namespace Stoker.Cli;

internal static class ModelCommand
{
    private static readonly ExitCode[] Codes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted];

    public static Verb Create() => new Verb("model", "the models of the estate: load and unload, speed, files, usage, routes")
    {
        Example = "stoker model list",
        ExitCodes = Codes,
    }.With(List(), Load(), Unload(), ModelCheck.Create(), ModelPullStatus.Create(), UsageCommand.Create(), RouteCommand.Create());

    private static Verb List() => new Verb("list", "show every model: engine, state, replicas, requests, where it is, GPUs, further names")
    {
        Example = "stoker model list --json",
        Remarks =
        [
            "States: loaded loading unloading unloaded failed; elsewhere is served by what runs without us. A star behind the state marks a model that "
            + "the simulator stands in for. In flight and waiting are the gateway's requests, and are shown where one answers.",
        ],
        ExitCodes = [ExitCode.EstateIsWrong, ExitCode.NoDaemon],
    }.Asks((run, control) =>
    {
        var reply = control.Models();
        if (reply is not ControlReply<ModelsDocument>.Answered { Document: var models }) return run.Failed(reply);
        if (run.Json) run.PrintJson(models, ControlJson.Readable.ModelsDocument);
        else Print(run, models);
        return ExitCode.Done;
    });

    private static void Print(Invocation run, ModelsDocument models)
    {
        if (models.Models.Count == 0)
        {
            run.Output.WriteLine($"{models.Estate} has no models");
            return;
        }

        var hasGateway = models.Models.Any(m => m.InFlight is not null);
        List<TableColumn> columns =
        [
            new("MODEL"), new("ENGINE", Sacrifice: 2), new("STATE"), new("LOADED", Right: true),
            .. hasGateway ? new TableColumn[] { new("IN FLIGHT", Right: true), new("WAITING", Right: true) } : [],
            new("CONTEXT", Right: true, Sacrifice: 3), new("AT", Sacrifice: 1, Most: 40), new("GPUS", Sacrifice: 4, Most: 40), new("ALSO", Sacrifice: 5, Most: 30), new("WHY"),
        ];
        foreach (var line in Table.Lay(columns, [.. models.Models.Select(m => Row(m, hasGateway))], run.Width, run.Style)) run.Output.WriteLine(line);
    }

    private static TableRow Row(ModelDocument model, bool hasGateway) => new(
    [
        new(model.Name == model.Key ? model.Key : $"{model.Key} ({model.Name})", Tone.Name),
        new(model.Engine),
        new(model.State + (model.StandIn is null ? "" : "*"), ToneOf(model.State)),
        new(model.State == "elsewhere" ? "" : $"{model.Loaded}/{model.Replicas}"),
        .. hasGateway ? new Cell[] { Number(model.InFlight), Number(model.Waiting) } : [],
        new($"{model.ContextSize}"),
        new(model.Servers.Count > 1 ? $"{model.Servers[0].Url} +{model.Servers.Count - 1}" : model.Servers.Count == 1 ? model.Servers[0].Url : ""),
        new(string.Join(", ", model.Gpus)),
        new(string.Join(", ", model.Aliases)),
        new(string.Join("; ", new[] { model.Reason, model.StandIn is { } standIn ? $"stand-in: {standIn}" : null }.OfType<string>())),
    ]);

    private static Cell Number(int? number) => new($"{number}", number == 0 ? Tone.Dim : Tone.Plain);

    private static Tone ToneOf(string state) => state switch
    {
        "loaded" => Tone.Good,
        "loading" or "unloading" => Tone.Busy,
        "failed" => Tone.Bad,
        _ => Tone.Dim,
    };

    private static Verb Load()
    {
        var names = Parameters.SomeNames("models, by key, name or alias");
        return new Verb("load", "start what serves a model, and wait until it is loaded")
        {
            Example = "stoker model load phi-3-mini",
            ExitCodes = Codes,
        }.With(names).Asks((run, control) => ChangeAsync(run, control, run.Get(names)!, "start", GoalKind.Up, "loaded"));
    }

    private static Verb Unload()
    {
        var names = Parameters.SomeNames("models, by key, name or alias");
        return new Verb("unload", "stop what serves a model, and wait until its memory is free")
        {
            Example = "stoker model unload phi-3-mini",
            Remarks = ["A model with `load: {policy: on_request}` is loaded again by the next request for it; any other by `stoker model load`."],
            ExitCodes = Codes,
        }.With(names).Asks((run, control) => ChangeAsync(run, control, run.Get(names)!, "stop", GoalKind.Over, "unloaded"));
    }

    private static async Task<ExitCode> ChangeAsync(Invocation run, ControlClient control, string[] names, string action, GoalKind goal, string done)
    {
        var reply = control.Models();
        if (reply is not ControlReply<ModelsDocument>.Answered { Document: var models }) return run.Failed(reply);
        var services = new List<string>();
        foreach (var name in names)
        {
            if (Find(run, models, name) is not { } model) return ExitCode.Usage;
            if (model.State == "elsewhere")
            {
                run.Report.Error($"model `{model.Key}` is served by what runs elsewhere: {string.Join(", ", model.Servers.Select(s => s.Url))}", "load and unload it there");
                return ExitCode.Refused;
            }

            services.Add(model.Key);
        }

        return await ServiceRequest.RunAsync(run, control, services, service => control.Request(service, action), new Goal(goal, services), done);
    }

    /// <returns>Null: there is none of this key, name or alias, which has been said then.</returns>
    public static ModelDocument? Find(Invocation run, ModelsDocument models, string name)
    {
        if ((models.Models.FirstOrDefault(m => m.Key == name) ?? models.Models.FirstOrDefault(m => Names(m).Contains(name))) is { } model) return model;
        run.Report.Error($"`{models.Estate}` has no model `{name}`", Suggestion.For(name, models.Models.SelectMany(Names)) ?? "`stoker model list` lists them");
        return null;
    }

    private static IEnumerable<string> Names(ModelDocument model) => [model.Key, model.Name, .. model.Aliases];
}
