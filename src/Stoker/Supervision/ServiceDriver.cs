using System.Threading.Channels;
using Stoker.Estates;
using Stoker.Planning;

namespace Stoker.Supervision;

/// <summary>
/// The one loop that owns a service: it reads facts from its queue, lets <see cref="ServicePolicy"/> decide, does what was
/// decided and publishes what is true now. Nobody else changes the service.
/// </summary>
internal sealed class ServiceDriver
{
    private readonly Channel<ServiceFact> _facts = Channel.CreateUnbounded<ServiceFact>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ServiceBoard _board;
    private readonly Journal _journal;
    private readonly IServiceHands _hands;
    private ServiceLife _life;
    private long _lastEvent;

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

    public void Begin() => Ended = Task.Run(RunAsync);

    public void Post(ServiceFact fact) => _facts.Writer.TryWrite(fact);

    public Task<IReadOnlyList<AskedReplica>> AskAsync(CancellationToken cancel) => _hands.AskAsync(Volatile.Read(ref _life), cancel);

    /// <summary>The daemon ends and its services go on: nothing is decided any more.</summary>
    public void LetGo() => _facts.Writer.TryComplete();

    private async Task RunAsync()
    {
        Publish();
        try
        {
            await foreach (var fact in _facts.Reader.ReadAllAsync())
            {
                if (Take(fact)) break;
            }
        }
        finally
        {
            _facts.Writer.TryComplete();
            await _hands.DisposeAsync();
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

    private void Publish() => _board.Publish(ServiceView.Of(_life), new PeerView(ServiceView.StateOf(_life), _life.IsAlive, _life.Generation, _lastEvent));
}
