using Stoker.Gateway.Routing;
using static Stoker.Tests.Gateway.Routing.Sample;

namespace Stoker.Tests.Gateway.Routing;

/// <summary>An engine of the simulation.</summary>
internal sealed class Engine(int batch = 8, double speed = 1, int cached = 40)
{
    private readonly LinkedList<int> _cache = [];

    public int Running { get; set; }

    public int Served { get; private set; }

    public int Hits { get; private set; }

    public bool IsDead { get; set; }

    public double Share(int of) => Served / (double)of;

    /// <summary>
    /// Seconds that an answer takes: the prompt of a conversation that is not cached first, and everything in proportion beyond the batch.
    /// The cache holds the latest conversations.
    /// </summary>
    public double Serve(int conversation)
    {
        Served++;
        var hit = _cache.Remove(conversation);
        if (hit) Hits++;
        _cache.AddLast(conversation);
        if (_cache.Count > cached) _cache.RemoveFirst();
        return (1 + (hit ? 0.05 : 1)) * Math.Max(1, Running / (double)batch) / speed;
    }
}

/// <summary>Requests over virtual time through the real router to simulated engines.</summary>
internal sealed class Fleet
{
    private readonly PriorityQueue<Action, (long At, int Order)> _events = new();
    private readonly Engine[] _engines;
    private readonly Func<int, int>? _fixedChoice;
    private int _order;

    /// <param name="fixedChoice">Instead of the router: which engine the n-th request goes to.</param>
    public Fleet(Router router, Engine[] engines, Func<int, int>? fixedChoice = null) => (Router, _engines, _fixedChoice) = (router, engines, fixedChoice);

    public Router Router { get; }

    public List<double> Latencies { get; } = [];

    public int FailedAttempts { get; private set; }

    public int Unanswered { get; private set; }

    /// <summary>The most requests that one engine had more than another at one time.</summary>
    public int WidestGap { get; private set; }

    public double Mean => Latencies.Average();

    public int Hits => _engines.Sum(e => e.Hits);

    public void At(double seconds, Action action) => _events.Enqueue(action, (Sample.At(seconds), _order++));

    /// <param name="conversation">Of the n-th request; its prefix is that of all its turns.</param>
    public void Arrive(int requests, double perSecond, Func<int, int> conversation, double from = 0)
    {
        for (var i = 0; i < requests; i++)
        {
            var n = i;
            // Spread like dice, but the same in every run.
            At(from + (i + Mixing.Fraction(17, i)) / perSecond, () => Send(n, conversation(n), Now, []));
        }
    }

    public long Now { get; private set; }

    public void Run()
    {
        while (_events.TryDequeue(out var action, out var when))
        {
            Now = when.At;
            action();
        }
    }

    private void Send(int n, int conversation, long came, ulong[] tried)
    {
        var route = Router.Table.Find("m")!;
        var prefix = RouterTests.Prefix($"conversation {conversation}");
        var request = new RouteRequest { Sequence = tried.Length == 0 ? route.Begin(Now) : n, Prefix = prefix, PromptTokens = 1000, Tried = tried };
        var placement = _fixedChoice is null ? Router.Place(route, request, Now) : default;
        var lease = placement.Lease;
        if (_fixedChoice is null && placement.Outcome != RouteOutcome.Placed)
        {
            Unanswered++;
            return;
        }

        var engine = _engines[_fixedChoice?.Invoke(n) ?? lease.Replica!.Id.Index - 1];
        if (engine.IsDead)
        {
            FailedAttempts++;
            lease.End(ReplicaFact.ConnectFailed, Now);
            var verdict = RetryPolicy.Decide(
                new AttemptFacts(AttemptEnd.ConnectFailed, false, tried.Length + 1, route.CountUntried(tried), false, route.Life.Retries.TryTake(Now)), RetryOptions.Default);
            if (verdict == RetryVerdict.Again) Send(n, conversation, came, [.. tried, lease.Replica!.StableHash]);
            else Unanswered++;
            return;
        }

        engine.Running++;
        WidestGap = Math.Max(WidestGap, _engines.Max(e => e.Running) - _engines.Min(e => e.Running));
        var takes = engine.Serve(conversation);
        _events.Enqueue(() => lease.FirstByte(Now), (Now + (long)(takes / 2 * Second), _order++));
        _events.Enqueue(
            () =>
            {
                engine.Running--;
                lease.End(ReplicaFact.Answered, Now);
                Latencies.Add((Now - came) / (double)Second);
            },
            (Now + (long)(takes * Second), _order++));
    }
}
