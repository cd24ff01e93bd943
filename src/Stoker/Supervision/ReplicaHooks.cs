using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>Commands that a service declares beside its own: <c>post_start</c>, <c>pre_stop</c> and how it reloads.</summary>
internal sealed class ReplicaHooks(ReplicaPlace place, ReplicaStop stop, Action<ServiceFact> post)
{
    public async Task RunAsync(ReplicaRun run, ServiceAction.RunHook action, ServiceSpec spec)
    {
        if (action.Hook == HookKind.PostStart && await EndsBeforeItRunsAsync(run)) return;
        string? problem = null;
        foreach (var hook in action.Hook == HookKind.PostStart ? spec.PostStart : spec.PreStop)
        {
            problem = await HookCommand.RunAsync(run, spec, hook, place.Pipes);
            if (problem is not null) break;
        }

        post(new ServiceFact.HookFinished(place.Now, place.Replica, action.Run, action.Hook, problem));
    }

    public async Task ReloadAsync(ReplicaRun run, int number, ServiceSpec spec)
    {
        if (spec.Reload?.Signal is { } signal) await stop.SignalAsync(run, number, signal);
        else if (spec.Reload?.Command is { } command && await HookCommand.RunAsync(run, spec, command, place.Pipes) is { } problem)
            post(new ServiceFact.ActionFailed(place.Now, place.Replica, number, $"reload failed: {problem}"));
    }

    private async Task<bool> EndsBeforeItRunsAsync(ReplicaRun run)
    {
        try
        {
            await run.UntilRunsAsync(place.Doors.Clock);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }
}
