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
        if (Make(run, request, out var code) is not { } plan) return code;
        if (run.Json)
        {
            run.Output.WriteLine(PlanDocument.From(plan).ToJson());
        }
        else
        {
            var width = run.World.Terminal.OutputIsTerminal ? run.Width : 100;
            run.Output.Write(PlanPrinter.Print(plan, new PlanPrintOptions(width, run.Style.Colour, Diagnostics: false)));
        }

        return plan.IsRefused ? ExitCode.Refused : ExitCode.Done;
    }

    /// <summary>The plan with its diagnostics said; null with the code to end with when the files are wrong.</summary>
    public static EstatePlan? Make(Invocation run, PlanRequest request, out ExitCode code)
    {
        code = ExitCode.EstateIsWrong;
        if (run.Choice is not { } choice) return null;
        var reading = choice.Read(run.Env);
        var printer = DiagnosticPrinter.For(run, reading.Directory);
        if (reading.IsWrong || run.State is not { } state)
        {
            printer.Print(reading.Bag);
            return null;
        }

        var plan = Planner.Plan(reading.Spec!, request, run.World.Machine.Observe(reading.Spec!, reading.Loaded!.Variables, state));
        reading.Bag.AddRange(plan.Diagnostics);
        printer.Print(reading.Bag);
        code = plan.IsRefused ? ExitCode.Refused : ExitCode.Done;
        return plan;
    }
}
