namespace Stoker.Streams.Stores.Queries;

/// <summary>The nearest of all that are offered, so many at most.</summary>
internal sealed class NearestList<T>(NearestTo target, int limit)
{
    private readonly PriorityQueue<T, double> _furthestFirst = new();

    public int Dimension => target.Vector.Length;

    /// <param name="embedding">Of the target's dimension.</param>
    /// <param name="who">Made only where it is near enough.</param>
    public void Offer<TState>(ReadOnlySpan<byte> embedding, TState state, Func<TState, T> who)
    {
        var distance = VectorDistances.Between(target.Vector, embedding, target.Distance);
        // Without a direction there is no nearness.
        if (double.IsNaN(distance)) return;
        if (_furthestFirst.Count < limit) _furthestFirst.Enqueue(who(state), -distance);
        else if (_furthestFirst.TryPeek(out _, out var furthest) && -distance > furthest) _furthestFirst.EnqueueDequeue(who(state), -distance);
    }

    public IReadOnlyList<(T Who, double Distance)> NearestFirst()
    {
        var found = new List<(T, double)>(_furthestFirst.Count);
        while (_furthestFirst.TryDequeue(out var who, out var negative)) found.Add((who, -negative));
        found.Reverse();
        return found;
    }
}
