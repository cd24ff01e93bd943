using System.Collections.Immutable;
using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>
/// Where every driver publishes the status of its service, and everyone reads it. Tells neighbours (dependencies and dependents)
/// of each other, and waiters that something changed.
/// </summary>
internal sealed class ServiceBoard(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ServiceName, PeerView> _views = [];
    private readonly Dictionary<ServiceName, Neighbours> _neighbours = [];
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
        List<Action<ServiceFact>>? tell = null;
        TaskCompletionSource changed;
        lock (_lock)
        {
            if (!_views.TryGetValue(status.Name, out var before) || before != view)
            {
                _views[status.Name] = view;
                if (_neighbours.TryGetValue(status.Name, out var neighbours)) tell = [.. neighbours.Posts.Values];
            }

            changed = Change(_statuses.SetItem(status.Name, status));
        }

        changed.TrySetResult();
        if (tell is null) return;
        var fact = new ServiceFact.PeerChanged(clock.GetUtcNow(), status.Name, view);
        foreach (var post in tell) post(fact);
    }

    /// <summary>The service has left the estate; whoever waits for its end hears of it.</summary>
    public void Remove(ServiceName name)
    {
        List<Action<ServiceFact>> tell;
        PeerView? gone;
        TaskCompletionSource changed;
        lock (_lock)
        {
            gone = _views.Remove(name, out var last) ? last with { State = ServiceState.Stopped, Alive = false } : null;
            tell = _neighbours.TryGetValue(name, out var neighbours) ? [.. neighbours.Posts.Values] : [];
            foreach (var others in _neighbours.Values) others.Posts.Remove(name);
            changed = Change(_statuses.Remove(name));
        }

        changed.TrySetResult();
        if (gone is null) return;
        foreach (var post in tell) post(new ServiceFact.PeerChanged(clock.GetUtcNow(), name, gone));
    }

    /// <summary>From now on, and at once about the present, <paramref name="post"/> hears of the peers of this service.</summary>
    public void Listen(ServiceName listener, IEnumerable<ServiceName> peers, Action<ServiceFact> post)
    {
        List<ServiceFact> known = [];
        lock (_lock)
        {
            foreach (var neighbours in _neighbours.Values) neighbours.Posts.Remove(listener);
            foreach (var peer in peers)
            {
                if (!_neighbours.TryGetValue(peer, out var neighbours)) _neighbours[peer] = neighbours = new Neighbours();
                neighbours.Posts[listener] = post;
                if (_views.TryGetValue(peer, out var view)) known.Add(new ServiceFact.PeerChanged(clock.GetUtcNow(), peer, view));
            }

            // Posted inside the lock, so that nobody's later news can come before it.
            foreach (var fact in known) post(fact);
        }
    }

    private TaskCompletionSource Change(ImmutableSortedDictionary<ServiceName, ServiceStatus> statuses)
    {
        Volatile.Write(ref _statuses, statuses);
        Version++;
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return changed;
    }

    private sealed class Neighbours
    {
        public Dictionary<ServiceName, Action<ServiceFact>> Posts { get; } = [];
    }
}
