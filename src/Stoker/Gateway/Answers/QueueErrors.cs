using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Answers;

/// <summary>What a request is told that waited, or would have had to, and was not admitted.</summary>
internal static class QueueErrors
{
    public static ApiError Of(in Admission admission, string model, in Placement placement)
    {
        // What was expected when it came has partly passed since; what has passed wholly was no good guess.
        var again = admission.RetryAfter ?? (placement.ReadyIn - TimeSpan.FromTicks(admission.Waited) is { } left && left > TimeSpan.Zero ? left : null);
        var why = admission.Outcome switch
        {
            AdmissionOutcome.QueueFull => "too many requests for it are waiting already",
            AdmissionOutcome.TooLong => "its turn would come too late",
            AdmissionOutcome.DeadlinePassed when placement.Outcome == RouteOutcome.Waking => "it is being loaded, and was not ready in time",
            AdmissionOutcome.DeadlinePassed => "no replica of it had room in time",
            AdmissionOutcome.Displaced => "a request of a higher priority took its place in the queue",
            AdmissionOutcome.Closed => "it is not served any more",
            AdmissionOutcome.Admitted => throw new ArgumentException("an admitted request has no error", nameof(admission)),
        };

        var retry = admission.Outcome != AdmissionOutcome.Closed && (again is null || ApiError.IsKept(again.Value));
        return ApiErrors.Unavailable(model, why, again is { } wait && wait < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : again, retry);
    }
}
