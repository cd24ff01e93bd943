using Stoker.Daemon.Protocol;

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
        if (ServiceRequest.CheckNames(run, control, [name]) is { } wrong) return wrong;
        var reply = control.Why(name);
        if (reply is not ControlReply<WhyDocument>.Answered { Document: var why }) return run.Failed(reply);
        if (run.Json)
        {
            run.PrintJson(why, ControlJson.Readable.WhyDocument);
            return ExitCode.Done;
        }

        foreach (var line in WhyLines.Lay(why, run.World.Clock, run.Style)) run.Output.WriteLine(line);
        return ExitCode.Done;
    }
}

/// <summary>A chain as an indented list of causes, each with the time it became so.</summary>
internal static class WhyLines
{
    public static IReadOnlyList<string> Lay(WhyDocument why, TimeProvider clock, Style style)
    {
        var lines = new List<string> { $"{style.Paint(why.Service, Tone.Name)} is {style.Paint(States.Word(why.State), States.Tone(why.State))}" };
        for (var i = 0; i < why.Chain.Count; i++)
        {
            var link = why.Chain[i];
            var at = link.At is { } time ? style.Paint($" (since {Moments.DayAndTime(time, clock)})", Tone.Dim) : "";
            lines.Add($"{new string(' ', 2 * (i + 1))}{(i == 0 ? "" : "because ")}{TextWidth.OneLine(link.Text)}{at}");
        }

        return lines;
    }
}
