namespace Stoker.Daemon.Protocol;

/// <summary>What came of asking the daemon: the answer, its refusal, or nobody there.</summary>
internal abstract record ControlReply<T>
{
    internal sealed record Answered(T Document) : ControlReply<T>;

    /// <param name="Status">The HTTP status, 404, 409, 422 or 500.</param>
    internal sealed record Rejected(int Status, ErrorBody Error) : ControlReply<T>;

    /// <param name="Reason">In words: nothing listens at the socket, it may not be entered, or no answer came in time.</param>
    internal sealed record NoDaemon(string Reason) : ControlReply<T>;

    /// <summary>The same failure for another kind of answer. Not for <see cref="Answered"/>.</summary>
    public ControlReply<TOther> As<TOther>() => this switch
    {
        Rejected rejected => new ControlReply<TOther>.Rejected(rejected.Status, rejected.Error),
        NoDaemon none => new ControlReply<TOther>.NoDaemon(none.Reason),
        _ => throw new InvalidOperationException("an answer cannot become another kind of answer"),
    };
}
