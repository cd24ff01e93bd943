using System.Threading.Tasks.Sources;

namespace Stoker.Models.Simulator.Wire;

/// <summary>
/// What one request waits with, used again and again: until a time, until a place in the batch is free, or for ever. True when that has
/// come, false when the client has left or the server ends, which stays so.
/// </summary>
internal sealed class Pause : IValueTaskSource<bool>
{
    private readonly Lock access = new();
    private ManualResetValueTaskSourceCore<bool> core;
    private bool isArmed, isOver;

    /// <summary>The client has left, or the server ends.</summary>
    public bool IsOver => Volatile.Read(ref isOver);

    /// <summary>Begins a wait. What is armed is woken with the same number, so that a late call wakes no later wait.</summary>
    /// <param name="elsewhere">Whoever waits goes on on another thread: for those who are woken by one that goes on itself.</param>
    public short Arm(bool elsewhere)
    {
        lock (access)
        {
            core.Reset();
            core.RunContinuationsAsynchronously = elsewhere;
            isArmed = true;
            if (isOver) Complete(false);
            return core.Version;
        }
    }

    public ValueTask<bool> Wait(short version) => new(this, version);

    public void Wake(short version)
    {
        lock (access)
        {
            if (!isArmed || core.Version != version) return;
            isArmed = false;
        }

        core.SetResult(true);
    }

    public void End()
    {
        lock (access)
        {
            isOver = true;
            if (!isArmed) return;
            isArmed = false;
        }

        core.SetResult(false);
    }

    public bool GetResult(short token) => core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);

    private void Complete(bool result)
    {
        isArmed = false;
        core.SetResult(result);
    }
}
