using Stoker.Daemon.Protocol;
using Stoker.Estates;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>The last lines of <c>up -d</c>.</summary>
internal static class UpLines
{
    /// <summary><c>ai-system is up: 43 healthy, 2 running in 1.9 s (12 stand-ins)</c></summary>
    public static string Up(StatusDocument status, Goal goal, TimeSpan took) =>
        $"{status.Estate} is up: {States.Count(goal.Meant(status))} in {DurationWords.Of(took)}{StandIns(status, goal)}";

    public static string NotUp(StatusDocument status, Goal goal, TimeSpan took) =>
        $"{status.Estate} is not up: {States.Count(goal.Meant(status))} after {DurationWords.Of(took)}{StandIns(status, goal)}";

    /// <summary>Each service that is not up, the ones in trouble first, with its reason.</summary>
    public static IEnumerable<string> WhatIsNotWell(StatusDocument status, Goal goal)
    {
        foreach (var service in goal.Meant(status).Where(s => !States.IsUp(s.State)).OrderByDescending(s => States.Tone(s.State) == Tone.Bad))
        {
            var reason = States.Reason(service);
            yield return $"  `{service.Name}` is {StateWords.Of(service.State)}{(reason.Length > 0 ? $": {TextWidth.OneLine(reason)}" : "")}";
        }
    }

    private static string StandIns(StatusDocument status, Goal goal) =>
        StatusTable.StandIns(status with { Services = [.. goal.Meant(status)] }, " (", ")");
}
