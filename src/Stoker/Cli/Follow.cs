using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli;

/// <summary>How following the status towards a goal ended.</summary>
internal abstract record FollowOutcome(StatusDocument? Last)
{
    internal sealed record Reached(StatusDocument Status) : FollowOutcome(Status);

    internal sealed record Missed(StatusDocument Status, IReadOnlyList<ServiceDocument> Services) : FollowOutcome(Status);

    internal sealed record TimedOut(StatusDocument? Status, IReadOnlyList<ServiceDocument> Services) : FollowOutcome(Status);

    internal sealed record Interrupted(StatusDocument? Status) : FollowOutcome(Status);

    /// <summary>The daemon ended while it was followed.</summary>
    internal sealed record DaemonEnded(StatusDocument? Status) : FollowOutcome(Status);

    internal sealed record NoAnswer(ControlReply<StatusDocument> Reply) : FollowOutcome((StatusDocument?)null);
}

/// <summary>Follows the status until a goal is reached or cannot be any more.</summary>
internal static class Follow
{
    /// <param name="see">Gets every snapshot, the last one too.</param>
    public static async Task<FollowOutcome> UntilAsync(
        ControlClient control, Goal goal, Action<StatusDocument> see, TimeSpan? timeout, TimeProvider clock, CancellationToken interrupt)
    {
        using var time = new CancellationTokenSource(timeout ?? Timeout.InfiniteTimeSpan, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, interrupt);
        StatusDocument? last = null;
        try
        {
            var reply = await control.FollowStatusAsync(either.Token);
            if (reply is not ControlReply<ControlStream<StatusDocument>>.Answered { Document: var stream })
                return new FollowOutcome.NoAnswer(reply.As<StatusDocument>());
            using (stream)
            {
                while (await stream.NextAsync(either.Token) is { } status)
                {
                    last = status;
                    see(status);
                    if (goal.Of(status) is Progress.Missed missed) return new FollowOutcome.Missed(status, missed.Services);
                    if (goal.Of(status) is Progress.Reached) return new FollowOutcome.Reached(status);
                }
            }

            return new FollowOutcome.DaemonEnded(last);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return new FollowOutcome.Interrupted(last);
        }
        catch (OperationCanceledException)
        {
            return new FollowOutcome.TimedOut(last, last is not null && goal.Of(last) is Progress.Pending pending ? pending.Services : []);
        }
    }
}
