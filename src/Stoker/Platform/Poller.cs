using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>
/// One named background thread around one epoll set. Callbacks run on that thread, one at a time; they must not block.
/// A callback that throws is a bug and ends the process, as on any thread.
/// </summary>
internal sealed class Poller : IDisposable
{
    private readonly Epoll _epoll;
    private readonly Thread _thread;
    private readonly ConcurrentDictionary<ulong, Action<PollEvents>> _callbacks = new();
    private readonly ConcurrentQueue<Action> _posted = new();
    private ulong _lastToken;
    private volatile bool _stopping;

    public Poller(string name)
    {
        _epoll = new Epoll(name);
        _thread = new Thread(Loop, maxStackSize: 256 * 1024) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public bool IsCurrentThread => Thread.CurrentThread == _thread;

    /// <summary>
    /// Calls back whenever the descriptor is ready. The descriptor stays the caller's: remove before closing it.
    /// With <see cref="PollEvents.EdgeTriggered"/> once per change, else for as long as it is ready.
    /// </summary>
    public Registration Register(int descriptor, PollEvents events, Action<PollEvents> callback)
    {
        var token = Interlocked.Increment(ref _lastToken);
        _callbacks[token] = callback;
        if (!_epoll.TryAdd(descriptor, events, token))
        {
            var error = Marshal.GetLastPInvokeError();
            _callbacks.TryRemove(token, out _);
            throw Errno.Failed($"cannot watch descriptor {descriptor}", error);
        }

        return new Registration(this, descriptor, token);
    }

    /// <summary>Runs an action on the poller's thread, after the callbacks that are due.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        _epoll.Wake();
    }

    /// <summary>Ends the thread and waits for it, unless called from it.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _epoll.Wake();
        if (!IsCurrentThread)
        {
            _thread.Join();
        }
    }

    private void Loop()
    {
        Span<ReadyDescriptor> ready = stackalloc ReadyDescriptor[128];
        while (!_stopping)
        {
            foreach (var (events, token) in ready[.._epoll.Wait(ready, -1)])
            {
                // A token that is not there was removed after the kernel had queued its event, or is the wake-up's.
                if (_callbacks.TryGetValue(token, out var callback))
                {
                    callback(events);
                }
            }

            while (_posted.TryDequeue(out var action))
            {
                action();
            }
        }

        _epoll.Dispose();
    }

    /// <summary>One watched descriptor. After <see cref="Dispose"/> no new callback starts; one may still be running on the thread.</summary>
    internal sealed class Registration(Poller poller, int descriptor, ulong token) : IDisposable
    {
        public void Dispose()
        {
            if (poller._callbacks.TryRemove(token, out _))
            {
                poller._epoll.Remove(descriptor);
            }
        }
    }
}
