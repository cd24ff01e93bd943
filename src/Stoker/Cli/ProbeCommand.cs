using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class ProbeCommand
{
    public static Verb Create()
    {
        var name = Parameters.Name("the service");
        return new Verb("probe", "ask a service's healthcheck now, each replica, and show the answer; its state is left alone")
        {
            Example = "stoker probe vision",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.NoDaemon],
        }.With(name).Asks((run, control) => Run(run, control, run.Get(name)!));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string name)
    {
        if (ServiceRequest.CheckNames(run, control, [name]) is { } wrong) return wrong;
        var reply = control.Probe(name);
        if (reply is not ControlReply<ProbeDocument>.Answered { Document: var document }) return run.Failed(reply);
        if (run.Json) run.PrintJson(document, ControlJson.Readable.ProbeDocument);
        else Print(run, document);
        return document.Replicas.All(r => r.Outcome == "healthy") ? ExitCode.Done : ExitCode.NotAsItShouldBe;
    }

    private static void Print(Invocation run, ProbeDocument document)
    {
        if (document.Replicas.Count == 0) run.Report.Say($"`{document.Service}` has no replica to ask");
        foreach (var answer in document.Replicas)
        {
            var who = document.Replicas.Count > 1 ? $"{document.Service}.{answer.Replica}" : document.Service;
            var words = answer.Outcome.Replace('_', ' ');
            var took = answer.Outcome == "not_asked" ? "" : $" ({answer.TookMs:0.0} ms)";
            run.Output.WriteLine(
                $"{run.Style.Paint(who, Tone.Name)}  {run.Style.Paint(words, answer.Outcome == "healthy" ? Tone.Good : Tone.Bad)}  "
                + $"{answer.Kind}: {TextWidth.OneLine(answer.Detail)}{took}");
        }
    }
}
