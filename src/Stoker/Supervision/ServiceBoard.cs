using System.Collections.Immutable;
using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>
/// Where every driver publishes the status of its service, and everyone reads it. Tells neighbours (dependencies and dependents)
/// of each other, and waiters that something changed. News is posted inside the lock, so that nobody hears it in another order
/// than it came about.
/// </summary>
internal sealed class ServiceBoard(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ServiceName, PeerView> _views = [];
    private readonly Dictionary<ServiceName, List<Action<ServiceFact>>> _listeners = [];
    private readonly HashSet<ServiceName> _leaving = [];
    private ImmutableSortedDictionary<ServiceName, ServiceStatus> _statuses = ImmutableSortedDictionary<ServiceName, ServiceStatus>.Empty;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A consistent snapshot; services of other hosts that are watched from here have their host's name.</summary>
    public ImmutableSortedDictionary<ServiceName, ServiceStatus> Statuses => Volatile.Read(ref _statuses);

    /// <summary>Counts changes, so that a follower can tell whether it has seen the latest.</summary>
    public long Version { get; private set; }

    /// <summary>Completes at the next change after this was read.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock) return _changed.Task;
        }
    }

    public void Publish(ServiceStatus status, PeerView view)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            changed = _leaving.Contains(status.Name)
                ? Show(status with { State = ServiceState.Stopping }, view with { State = ServiceState.Stopping })
                : Show(status, view);
        }

        changed.TrySetResult();
    }

    /// <summary>
    /// The service was told to leave the estate: from this moment until it is removed it is shown as stopping, whatever its driver still
    /// publishes, so that nothing that is to start anew takes the one that goes for the one that comes.
    /// </summary>
    public void Leave(ServiceName name)
    {
        TaskCompletionSource? changed = null;
        lock (_lock)
        {
            _leaving.Add(name);
            if (_statuses.TryGetValue(name, out var status) && _views.TryGetValue(name, out var view))
                changed = Show(status with { State = ServiceState.Stopping }, view with { State = ServiceState.Stopping });
        }

        changed?.TrySetResult();
    }

    /// <summary>The service has left the estate; whoever waits for its end hears of it.</summary>
    public void Remove(ServiceName name)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _leaving.Remove(name);
            if (_views.Remove(name, out var last)) Tell(name, last with { State = ServiceState.Stopped, Alive = false });
            changed = Change(_statuses.Remove(name));
        }

        changed.TrySetResult();
    }

    /// <summary>
    /// From now on, and at once about the present, <paramref name="post"/> hears of these services and no others; with none it hears
    /// nothing more. It is known by itself and not by a name: a service that comes back listens beside its own predecessor.
    /// </summary>
    public void Listen(IEnumerable<ServiceName> peers, Action<ServiceFact> post)
    {
        lock (_lock)
        {
            foreach (var listeners in _listeners.Values) listeners.Remove(post);
            foreach (var peer in peers.Distinct())
            {
                if (!_listeners.TryGetValue(peer, out var listeners)) _listeners[peer] = listeners = [];
                listeners.Add(post);
                if (_views.TryGetValue(peer, out var view)) post(new ServiceFact.PeerChanged(clock.GetUtcNow(), peer, view));
            }
        }
    }

    private TaskCompletionSource Show(ServiceStatus status, PeerView view)
    {
        if (!_views.TryGetValue(status.Name, out var before) || before != view)
        {
            _views[status.Name] = view;
            Tell(status.Name, view);
        }

        return Change(_statuses.SetItem(status.Name, status));
    }

    private void Tell(ServiceName name, PeerView view)
    {
        if (!_listeners.TryGetValue(name, out var listeners) || listeners.Count == 0) return;
        var fact = new ServiceFact.PeerChanged(clock.GetUtcNow(), name, view);
        foreach (var post in listeners) post(fact);
    }

    private TaskCompletionSource Change(ImmutableSortedDictionary<ServiceName, ServiceStatus> statuses)
    {
        Volatile.Write(ref _statuses, statuses);
        Version++;
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return changed;
    }
}
