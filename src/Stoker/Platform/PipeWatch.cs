using Microsoft.Win32.SafeHandles;

namespace Stoker.Platform;

/// <summary>
/// Waits until one of many pipes can be read, or until another thread wakes it. A pipe that was reported is not reported again
/// until it is armed again; arming looks at the pipe, so nothing that was written in between is missed. One-shot rather than
/// edge-triggered because a service that floods would otherwise wake the waiting thread for every line it writes.
/// </summary>
internal sealed class PipeWatch : IDisposable
{
    private readonly Epoll _epoll = new("pipes");

    /// <summary>Makes a pipe known; it is not reported before it is armed.</summary>
    public void Register(SafeFileHandle pipe, ulong key) => Check(_epoll.TryAdd(Number(pipe), PollEvents.OneShot, key));

    /// <summary>Asks for one report, at once if something is in the pipe already.</summary>
    public void Arm(SafeFileHandle pipe, ulong key) => Check(_epoll.TryModify(Number(pipe), PollEvents.Readable | PollEvents.OneShot, key));

    public void Unregister(SafeFileHandle pipe) => _epoll.Remove(Number(pipe));

    /// <summary>Waits; returns how many it filled of <paramref name="ready"/>, in which a wake-up is nobody's key.</summary>
    public int Wait(Span<ReadyDescriptor> ready, int milliseconds) => _epoll.Wait(ready, milliseconds);

    /// <summary>Ends a wait that is going on, or the next one. Any thread may call it.</summary>
    public void Wake() => _epoll.Wake();

    public void Dispose() => _epoll.Dispose();

    // The pipes belong to the thread that calls this, which closes none of them meanwhile.
    private static int Number(SafeFileHandle pipe) => (int)pipe.DangerousGetHandle();

    private static void Check(bool done)
    {
        if (!done) throw Errno.LastFailed("cannot watch a pipe");
    }
}
