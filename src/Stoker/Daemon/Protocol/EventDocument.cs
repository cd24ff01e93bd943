using Stoker.Supervision;

namespace Stoker.Daemon.Protocol;

/// <summary>One line of <c>GET /v1/events</c> and of <c>stoker events --json</c>.</summary>
/// <param name="Sequence">Counts from 1 without gaps over the life of the state directory.</param>
/// <param name="Service">Null for events of the estate and the daemon.</param>
/// <param name="Kind">Past tense: <c>started</c>, <c>became_healthy</c>, <c>exited</c>, …</param>
/// <param name="Cause">Sequence of the event that caused this one, when it is known.</param>
internal sealed record EventDocument(
    long Sequence,
    DateTimeOffset At,
    string? Service,
    int? Replica,
    string Kind,
    ServiceState? State,
    string Text,
    long? Cause)
{
    public static EventDocument From(EstateEvent e) => new(e.Sequence, e.At, e.Service?.Value, e.Replica, e.Kind, e.State, e.Text, e.Cause);
}

/// <summary>One line of <c>GET /v1/logs</c> and of <c>stoker logs --json</c>.</summary>
/// <param name="Stream"><c>stdout</c> or <c>stderr</c>; <c>stoker</c> for a remark of the daemon, such as lines a slow reader missed.</param>
/// <param name="Partial">A piece of a line too long for one; the rest follows.</param>
internal sealed record LogDocument(DateTimeOffset At, string Service, int Replica, string Stream, string Text, bool Partial);
