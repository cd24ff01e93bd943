using System.Threading.Tasks.Sources;

namespace Stoker.Models.Simulator.Wire;

/// <summary>
/// What one request waits with, used again and again: until a time, until a place in the batch is free, or for ever. True when that has
/// come, false when the client has left or the server ends, which stays so.
/// </summary>
internal sealed class Pause : IValueTaskSource<bool>
{
    private readonly Lock _access = new();
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _isArmed, _isOver;

    /// <summary>The client has left, or the server ends.</summary>
    public bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Begins a wait. What is armed is woken with the same number, so that a late call wakes no later wait.</summary>
    /// <param name="elsewhere">Whoever waits goes on on another thread: for those who are woken by one that goes on itself.</param>
    public short Arm(bool elsewhere)
    {
        lock (_access)
        {
            _core.Reset();
            _core.RunContinuationsAsynchronously = elsewhere;
            _isArmed = true;
            if (_isOver) Complete(false);
            return _core.Version;
        }
    }

    public ValueTask<bool> Wait(short version) => new(this, version);

    public void Wake(short version)
    {
        lock (_access)
        {
            if (!_isArmed || _core.Version != version) return;
            _isArmed = false;
        }

        _core.SetResult(true);
    }

    public void End()
    {
        lock (_access)
        {
            _isOver = true;
            if (!_isArmed) return;
            _isArmed = false;
        }

        _core.SetResult(false);
    }

    public bool GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Complete(bool result)
    {
        _isArmed = false;
        _core.SetResult(result);
    }
}
