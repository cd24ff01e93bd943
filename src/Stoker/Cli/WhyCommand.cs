using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

internal static class WhyCommand
{
    public static Verb Create()
    {
        var name = Parameters.Name("the service");
        return new Verb("why", "tell why a service is in its state: one causal chain, in words, down to its first cause")
        {
            Example = "stoker why vision",
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.NoDaemon],
        }.With(name).Asks((run, control) => Run(run, control, run.Get(name)!));
    }

    private static ExitCode Run(Invocation run, ControlClient control, string name)
    {
        // Not checked against the status, which leaves out the services of other hosts: those can be asked about too.
        var reply = control.Why(name);
        if (reply is not ControlReply<WhyDocument>.Answered { Document: var why }) return run.Failed(reply);
        if (run.Json)
        {
            run.PrintJson(why, ControlJson.Readable.WhyDocument);
            return ExitCode.Done;
        }

        foreach (var line in WhyLines.Lay(why, run.Style)) run.Output.WriteLine(line);
        return ExitCode.Done;
    }
}

/// <summary>A chain as it reads on, each link further in than what it explains.</summary>
internal static class WhyLines
{
    public static IReadOnlyList<string> Lay(WhyDocument why, Style style)
    {
        if (why.Chain.Count == 0) return [$"{style.Paint(why.Service, Tone.Name)} is {style.Paint(StateWords.Of(why.State), States.Tone(why.State))}"];
        return [.. why.Chain.Select((link, depth) => new string(' ', 2 * depth) + TextWidth.OneLine(link.Text))];
    }
}
