using System.Globalization;
using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

internal static class ScaleCommand
{
    public static Verb Create()
    {
        var counts = Parameters.Pairs("NAME=N", "services and how many replicas each is to have", Problem);
        return new Verb("scale", "change how many replicas run, until the file says otherwise")
        {
            Example = "stoker scale vision=3 speech=1",
            ExitCodes = [ExitCode.NotAsItShouldBe, ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon, ExitCode.Interrupted],
        }.With(counts).Asks((run, control) => RunAsync(run, control, [.. run.Get(counts)!.Select(Read)]));
    }

    private static async Task<ExitCode> RunAsync(Invocation run, ControlClient control, IReadOnlyList<(string Name, int Replicas)> counts)
    {
        // Before the first is asked, so that a mistyped second name leaves nothing half done.
        if (ServiceRequest.CheckNames(run, control, [.. counts.Select(c => c.Name)]) is { } wrong) return wrong;
        foreach (var (name, replicas) in counts)
        {
            // None of it left is where scaling to 0 gets to.
            var goal = replicas == 0 ? new Goal(GoalKind.Over, [name]) : new Goal(GoalKind.Up, [name], replicas);
            var code = await ServiceRequest.RunAsync(
                run, control, [name], n => control.Scale(n, replicas), goal, $"has {replicas} replica{(replicas == 1 ? "" : "s")}");
            if (code != ExitCode.Done) return code;
        }

        return ExitCode.Done;
    }

    private static string? Problem(string pair) =>
        pair.LastIndexOf('=') is var at and > 0 && int.TryParse(pair.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? null
            : $"`{pair}` does not say NAME=N, a service and a whole number from 0 on";

    private static (string Name, int Replicas) Read(string pair)
    {
        var at = pair.LastIndexOf('=');
        return (pair[..at], int.Parse(pair.AsSpan(at + 1), CultureInfo.InvariantCulture));
    }
}
