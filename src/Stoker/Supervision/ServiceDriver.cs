using System.Threading.Channels;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>
/// The one loop that owns a service: it reads facts from its queue, lets <see cref="ServicePolicy"/> decide, does what was
/// decided and publishes what is true now. Nobody else changes the service.
/// <code>
/// made ─Begin→ (the life before it ends) → reads its queue ─Leave→ stops → off the board → ended
///                                                         └LetGo→ ended, processes and records stay
/// </code>
/// A driver that was told to leave is leaving for good: when its service comes back, a new driver is made, and begins when this one has ended.
/// </summary>
internal sealed class ServiceDriver
{
    /// <summary>Facts, and between them those who want to know when what was posted before them has been taken.</summary>
    private readonly Channel<(ServiceFact? Fact, TaskCompletionSource? Waiter)> _facts =
        Channel.CreateUnbounded<(ServiceFact?, TaskCompletionSource?)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly ServiceBoard _board;
    private readonly Journal _journal;
    private readonly IServiceHands _hands;
    private ServiceLife _life;
    private long _lastEvent;
    private volatile bool _begun;
    private volatile bool _leaving;
    private volatile bool _letGo;

    public ServiceDriver(ServiceLife life, ServiceBoard board, Journal journal, Func<ServiceDriver, IServiceHands> hands)
    {
        _life = life;
        _board = board;
        _journal = journal;
        _hands = hands(this);
    }

    public ServiceName Name => _life.Plan.Name;

    /// <summary>Ends when the service has left the estate, or the daemon lets go of it.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <param name="earlier">The end of the life before this one, whose records, pipes and control group it must not share; null: it is the first.</param>
    public void Begin(Task? earlier) => Ended = Task.Run(() => RunAsync(earlier));

    public void Post(ServiceFact fact) => _facts.Writer.TryWrite((fact, null));

    /// <summary>Completes when all that was posted until now shows on the board, or never will; at once while an earlier life is still ending, which shows, too.</summary>
    public Task CatchUpAsync()
    {
        if (!_begun) return Task.CompletedTask;
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _facts.Writer.TryWrite((null, waiter)) ? waiter.Task : Task.CompletedTask;
    }

    /// <summary>It stops for good, or never begins.</summary>
    public void Leave(ServiceFact.StopRequested stop)
    {
        // The board first: a driver that has not begun takes itself off it again.
        _board.Leave(Name);
        _leaving = true;
        Post(stop);
    }

    public Task<IReadOnlyList<AskedReplica>> AskAsync(CancellationToken cancel) => _hands.AskAsync(Volatile.Read(ref _life), cancel);

    /// <summary>The daemon ends and its services go on: nothing is decided any more.</summary>
    public void LetGo()
    {
        _letGo = true;
        _facts.Writer.TryComplete();
    }

    private async Task RunAsync(Task? earlier)
    {
        try
        {
            if (earlier is not null) await earlier.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Nothing of it runs yet, so nothing has to be stopped. The first life may have taken over processes.
            if (earlier is not null && _leaving) _board.Remove(Name);
            else if (!_letGo) await ReadAsync();
        }
        finally
        {
            _facts.Writer.TryComplete();
            while (_facts.Reader.TryRead(out var left)) left.Waiter?.TrySetResult();
            _board.Listen([], Post);
            await _hands.DisposeAsync();
        }
    }

    private async Task ReadAsync()
    {
        Publish();
        _begun = true;
        await foreach (var (fact, waiter) in _facts.Reader.ReadAllAsync())
        {
            waiter?.TrySetResult();
            if (_letGo) return;
            try
            {
                if (fact is not null && Take(fact)) return;
            }
            catch (Exception bug)
            {
                // A bug costs one decision, which is told with its trace, and not the service its supervision.
                _journal.Write(Name, null, "supervision_failed", null, $"{Name}: a bug in its supervision, at {fact!.GetType().Name}: {bug}", null);
                Publish();
            }
        }
    }

    /// <summary>One fact and all that follows from it at once; published once at the end. True: the service is gone for good.</summary>
    private bool Take(ServiceFact fact)
    {
        var pending = new Queue<ServiceFact>();
        pending.Enqueue(fact);
        var retired = false;
        while (pending.TryDequeue(out var next))
        {
            var decision = ServicePolicy.Decide(_life, next);
            _life = decision.Life;
            var cause = next is ServiceFact.PeerChanged peer && peer.View.LastEvent > 0 ? peer.View.LastEvent : _lastEvent;
            foreach (var action in decision.Actions)
            {
                switch (action)
                {
                    case ServiceAction.Journal line:
                        _lastEvent = Write(line, cause);
                        break;
                    case ServiceAction.Retire:
                        retired = true;
                        break;
                    case ServiceAction.OfReplica ofReplica:
                        foreach (var follows in _hands.Do(ofReplica, _life)) pending.Enqueue(follows);
                        break;
                }
            }
        }

        if (retired) _board.Remove(Name);
        else Publish();
        return retired;
    }

    private long Write(ServiceAction.Journal line, long cause)
    {
        var replica = line.Replica is { } index ? _life.Replicas.FirstOrDefault(r => r.Index == index) : null;
        var name = line.Replica is { } number && _life.Plan.Replicas.Count > 1 ? $"{Name}.{number}" : Name.Value;
        return _journal.Write(Name, line.Replica, line.Kind, replica?.State, $"{name} {line.Text}", cause == 0 ? null : cause);
    }

    private void Publish() => _board.Publish(ServiceView.Of(_life), new PeerView(ServiceView.StateOf(_life), _life.IsAlive, _life.Generation, _lastEvent) { Starts = _life.Starts });
}
