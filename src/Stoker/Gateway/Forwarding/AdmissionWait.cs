using Stoker.Gateway.Routing;
using Stoker.Platform.Loops;

namespace Stoker.Gateway.Forwarding;

/// <summary>One request that waits in a model's queue: the news comes on whichever thread made room, and is taken on the request's own loop.</summary>
internal sealed class AdmissionWait(EventLoop loop) : IWaiter
{
    // Its continuation runs where the result is set, which is the loop's thread.
    private readonly TaskCompletionSource<Admission> _told = new();
    private Ticket? _ticket;

    public Task<Admission> EnterAsync(Route route, Ticket ticket, long now)
    {
        _ticket = ticket;
        route.Life.Queue.Enter(ticket, now);
        return _told.Task;
    }

    public void Decided(in Admission admission)
    {
        var news = admission;
        loop.Post(() => _told.TrySetResult(news));
    }

    /// <summary>The client has left. Where the request was admitted in the same moment, that news is on its way, with the lease to be ended.</summary>
    public void Leave()
    {
        if (_ticket?.Leave() == true) _told.TrySetResult(new Admission(AdmissionOutcome.Closed, default, null, 0));
    }
}
