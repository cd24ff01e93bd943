using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>
/// One named background thread around one epoll set. Callbacks run on that thread, one at a time; they must not block.
/// A callback that throws is a bug and ends the process, as on any thread.
/// </summary>
internal sealed class Poller : IDisposable
{
    private readonly Epoll epoll;
    private readonly Thread thread;
    private readonly ConcurrentDictionary<ulong, Action<PollEvents>> callbacks = new();
    private readonly ConcurrentQueue<Action> posted = new();
    private ulong lastToken;
    private volatile bool stopping;

    public Poller(string name)
    {
        epoll = new Epoll(name);
        thread = new Thread(Loop, maxStackSize: 256 * 1024) { IsBackground = true, Name = name };
        thread.Start();
    }

    public bool IsCurrentThread => Thread.CurrentThread == thread;

    /// <summary>
    /// Calls back whenever the descriptor is ready. The descriptor stays the caller's: remove before closing it.
    /// With <see cref="PollEvents.EdgeTriggered"/> once per change, else for as long as it is ready.
    /// </summary>
    public Registration Register(int descriptor, PollEvents events, Action<PollEvents> callback)
    {
        var token = Interlocked.Increment(ref lastToken);
        callbacks[token] = callback;
        if (!epoll.TryAdd(descriptor, events, token))
        {
            var error = Marshal.GetLastPInvokeError();
            callbacks.TryRemove(token, out _);
            throw Errno.Failed($"cannot watch descriptor {descriptor}", error);
        }

        return new Registration(this, descriptor, token);
    }

    /// <summary>Runs an action on the poller's thread, after the callbacks that are due.</summary>
    public void Post(Action action)
    {
        posted.Enqueue(action);
        epoll.Wake();
    }

    /// <summary>Ends the thread and waits for it, unless called from it.</summary>
    public void Dispose()
    {
        if (stopping)
        {
            return;
        }

        stopping = true;
        epoll.Wake();
        if (!IsCurrentThread)
        {
            thread.Join();
        }
    }

    private void Loop()
    {
        Span<ReadyDescriptor> ready = stackalloc ReadyDescriptor[128];
        while (!stopping)
        {
            foreach (var (events, token) in ready[..epoll.Wait(ready, -1)])
            {
                // A token that is not there was removed after the kernel had queued its event, or is the wake-up's.
                if (callbacks.TryGetValue(token, out var callback))
                {
                    callback(events);
                }
            }

            while (posted.TryDequeue(out var action))
            {
                action();
            }
        }

        epoll.Dispose();
    }

    /// <summary>One watched descriptor. After <see cref="Dispose"/> no new callback starts; one may still be running on the thread.</summary>
    internal sealed class Registration(Poller poller, int descriptor, ulong token) : IDisposable
    {
        public void Dispose()
        {
            if (poller.callbacks.TryRemove(token, out _))
            {
                poller.epoll.Remove(descriptor);
            }
        }
    }
}
