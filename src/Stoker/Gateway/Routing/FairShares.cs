namespace Stoker.Gateway.Routing;

/// <summary>
/// The waiting requests of one class, shared fairly between keys: start-time fair queueing (Goyal, Vin, Cheng 1996). A key's clock advances by
/// cost / weight with each request served, and the key whose clock is furthest behind is next; one that comes back begins where the class is, and so
/// neither saves up turns nor loses any. Between two keys that always wait the difference of service, by weight, stays below one request of each.
/// The bound is that of deficit round robin, without a quantum to choose where requests cost from 1 to 100,000 tokens. Not thread-safe.
/// </summary>
internal sealed class FairShares
{
    private readonly Dictionary<string, Flow> _flows = [];
    private double _clock;

    public int Count { get; private set; }

    public IEnumerable<Ticket> Waiting => _flows.Values.SelectMany(f => f.Tickets);

    /// <summary>Who is next.</summary>
    public Ticket? Head
    {
        get
        {
            Flow? next = null;
            foreach (var flow in _flows.Values)
            {
                if (flow.Tickets.First is { } first && (next is null || IsBefore(flow.Start, first.Value, next.Start, next.Tickets.First!.Value))) next = flow;
            }

            return next?.Tickets.First!.Value;
        }
    }

    public void Add(Ticket ticket)
    {
        if (!_flows.TryGetValue(ticket.Key, out var flow)) _flows[ticket.Key] = flow = new Flow();
        if (flow.Tickets.Count == 0) flow.Start = Math.Max(flow.Start, _clock);
        flow.Tickets.AddLast(ticket);
        Count++;
    }

    public void Remove(Ticket ticket, bool isServed)
    {
        var flow = _flows[ticket.Key];
        if (isServed)
        {
            _clock = Math.Max(_clock, flow.Start);
            flow.Start += Time(ticket);
        }

        flow.Tickets.Remove(ticket);
        Count--;
        if (Count == 0)
        {
            // The busy time is over: nobody owes anybody.
            _flows.Clear();
            _clock = 0;
        }
        else if (flow.Tickets.Count == 0 && flow.Start <= _clock)
        {
            _flows.Remove(ticket.Key);
        }

        if (_flows.Count > 2 * Count + 16) Prune();
    }

    /// <summary>How many of the class would be served before this one, which waits.</summary>
    public int AheadOf(Ticket ticket)
    {
        var start = _flows[ticket.Key].Start;
        foreach (var before in _flows[ticket.Key].Tickets)
        {
            if (before == ticket) break;
            start += Time(before);
        }

        return CountBefore(start, ticket);
    }

    /// <summary>The same of one that is not in yet.</summary>
    public int AheadOfNew(Ticket ticket)
    {
        var start = _clock;
        if (_flows.TryGetValue(ticket.Key, out var own)) start = Math.Max(start, own.Start) + own.Tickets.Sum(Time);
        return CountBefore(start, ticket);
    }

    /// <summary>Forgets keys that do not wait and whose last service lies behind the class's clock: they begin anew with it.</summary>
    private void Prune()
    {
        foreach (var (key, flow) in _flows)
        {
            if (flow.Tickets.Count == 0 && flow.Start <= _clock) _flows.Remove(key);
        }
    }

    private int CountBefore(double start, Ticket ticket)
    {
        var count = 0;
        foreach (var flow in _flows.Values)
        {
            var at = flow.Start;
            foreach (var other in flow.Tickets)
            {
                if (other == ticket || !IsBefore(at, other, start, ticket)) break;
                count++;
                at += Time(other);
            }
        }

        return count;
    }

    private static bool IsBefore(double start, Ticket ticket, double otherStart, Ticket other) =>
        start < otherStart || (start == otherStart && ticket.Number < other.Number);

    private static double Time(Ticket ticket) => Math.Max(1, ticket.Cost) / Math.Max(1e-6, ticket.Weight);

    private sealed class Flow
    {
        public LinkedList<Ticket> Tickets { get; } = [];

        /// <summary>The clock at which its first waiting request begins; of an idle key, at which its last one ended.</summary>
        public double Start { get; set; }
    }
}
