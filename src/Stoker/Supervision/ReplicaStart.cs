using Stoker.Planning;
using Stoker.Platform;
using Stoker.Probes;
using Stoker.Runtimes;

namespace Stoker.Supervision;

/// <summary>How an attempt to start a replica went.</summary>
internal abstract record StartOutcome
{
    internal sealed record Started(ReplicaRun Run) : StartOutcome;

    /// <param name="IsPermanent">Trying again cannot help.</param>
    internal sealed record Refused(string Problem, bool IsPermanent) : StartOutcome;
}

/// <summary>How a run of a replica comes about: its process is started, or one of an earlier daemon is taken over.</summary>
internal static class ReplicaStart
{
    /// <summary>Record, process, and nothing left behind when it is refused.</summary>
    public static StartOutcome Start(ReplicaPlace place, ServicePlan plan, int number)
    {
        NotifySocket? notify = null;
        StartOutcome? outcome = null;
        try
        {
            notify = place.BindNotify(plan);
            outcome = Start(place, plan, number, notify);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            outcome = new StartOutcome.Refused(problem.Message, IsPermanent: false);
        }
        finally
        {
            if (outcome is not StartOutcome.Started) notify?.Dispose();
        }

        return outcome;
    }

    /// <summary>Null when the process is not there any more.</summary>
    public static ReplicaRun? Adopt(ReplicaPlace place, ServicePlan plan, ReplicaRecord record)
    {
        if (ChildProcess.Adopt(record.Pid, record.StartTicks) is not { } process) return null;
        var notify = place.BindNotify(plan);
        var handle = new RunHandle(record.RunId, process, record.SessionId) { Cgroup = place.CgroupOf(record.Pid), Container = record.Handle() };
        var environment = handle.Container?.Environment
            ?? LaunchComposer.EnvironmentOf(plan, place.PlanOf(plan), record.RunId, place.Surroundings(plan, notify), LaunchComposer.UserOf(plan.Spec));
        var runtime = record.Container is null ? place.Doors.Processes : place.Doors.Containers;
        return new ReplicaRun(handle, runtime, environment) { Notify = notify, Began = record.StartedAt };
    }

    private static StartOutcome Start(ReplicaPlace place, ServicePlan plan, int number, NotifySocket? notify)
    {
        var runId = Guid.NewGuid().ToString("n");
        var began = place.Now;
        var launch = LaunchComposer.Compose(plan, place.PlanOf(plan), runId, place.Surroundings(plan, notify));
        place.SaveBeforeStart(runId, number, launch.Container);
        var runtime = place.Doors.RuntimeOf(plan);
        switch (runtime.Launch(launch))
        {
            case LaunchOutcome.Launched launched:
                var handle = new RunHandle(runId, launched.Process, launched.Process.Pid) { Cgroup = launched.Cgroup, Container = launch.Container };
                return new StartOutcome.Started(new ReplicaRun(handle, runtime, launch.Container?.Environment ?? launch.Request.Environment) { Notify = notify, Began = began });
            case LaunchOutcome.Refused refused:
                place.DropRecord();
                return new StartOutcome.Refused(refused.Message, refused.Cause is not (LaunchRefusal.OutOfResources or LaunchRefusal.Other));
            default:
                throw new InvalidOperationException("a launch has two outcomes");
        }
    }
}
