using System.Text.Json;
using Stoker.Daemon.Protocol;
using Stoker.Diagnostics;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Cli;

internal static class PlanCommand
{
    public static Verb Create()
    {
        var options = new PlanOptions();
        return new Verb("plan", "say what `up` would do: waves, critical path, what starts, stops, restarts or stays and why")
        {
            Example = "stoker plan --rehearse",
            Remarks = ["Changes nothing. Refusals come with their reason: cycles, clashes of ports, what does not fit the host or its GPUs."],
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.Refused],
        }.With(options.Names, options.Rehearse, options.Profile).Does(run => Run(run, options.Read(run)));
    }

    private static ExitCode Run(Invocation run, PlanRequest request)
    {
        if (Observed(run, request) is not { } plan) return ExitCode.EstateIsWrong;
        // A daemon knows what runs and what was scaled by hand; without one, this machine is looked at from here.
        var control = run.World.Control(run.State!);
        if (control.Plan(UpRun.Wish(run, run.Choice!, request)) is ControlReply<ApplyResponse>.Answered { Document: { Plan: { } json } response })
        {
            var document = json.Deserialize(PlanJson.Default.PlanDocument)!;
            DiagnosticPrinter.For(run, run.Choice!.Read(run.Env).Directory).Print(response.Diagnostics);
            Print(run, plan with { Changes = [.. document.Changes.Select(Change)] }, document);
            return document.Refused ? ExitCode.Refused : ExitCode.Done;
        }

        SayDiagnostics(run, plan);
        Print(run, plan, PlanDocument.From(plan));
        return plan.IsRefused ? ExitCode.Refused : ExitCode.Done;
    }

    /// <summary>The plan of this machine with its diagnostics said; null with the code to end with when there is none to carry out.</summary>
    public static EstatePlan? Make(Invocation run, PlanRequest request, out ExitCode code)
    {
        code = ExitCode.EstateIsWrong;
        if (Observed(run, request) is not { } plan) return null;
        SayDiagnostics(run, plan);
        code = ExitCode.Refused;
        return plan.IsRefused ? null : plan;
    }

    /// <summary>Null when the files are wrong, which is said then.</summary>
    public static EstatePlan? Observed(Invocation run, PlanRequest request)
    {
        if (run.Choice is not { } choice) return null;
        var reading = choice.Read(run.Env);
        if (!reading.IsWrong && run.State is { } state)
            return Planner.Plan(reading.Spec!, request, run.World.Machine.Observe(reading.Spec!, reading.Loaded!.Variables, state));
        DiagnosticPrinter.For(run, reading.Directory).Print(reading.Bag);
        return null;
    }

    private static void SayDiagnostics(Invocation run, EstatePlan plan)
    {
        var reading = run.Choice!.Read(run.Env);
        var bag = new DiagnosticBag();
        bag.AddRange(reading.Bag);
        bag.AddRange(plan.Diagnostics);
        DiagnosticPrinter.For(run, reading.Directory).Print(bag);
    }

    private static void Print(Invocation run, EstatePlan plan, PlanDocument document)
    {
        if (run.Json)
        {
            run.Output.WriteLine(document.ToJson());
            return;
        }

        var width = run.World.Terminal.OutputIsTerminal ? run.Width : 100;
        run.Output.Write(PlanPrinter.Print(plan, new PlanPrintOptions(width, run.Style.Colour, Diagnostics: false)));
    }

    private static ServiceChange Change(ChangeDocument change) =>
        new(new ServiceName(change.Service), Enum.Parse<ChangeKind>(change.Change, ignoreCase: true), change.Reason);
}
