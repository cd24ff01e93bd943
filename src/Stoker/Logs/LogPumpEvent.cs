namespace Stoker.Logs;

/// <summary>What the pump has to say of a replica's log. Each is said once, when it begins.</summary>
internal abstract record LogPumpEvent(string Service, int Replica)
{
    /// <summary>The log cannot be written (a full disk: errno 28). Nothing is lost: output waits in the pipe, and the service once that is full.</summary>
    internal sealed record StorageFailed(string Service, int Replica, int Error, string Message) : LogPumpEvent(Service, Replica);

    /// <summary>The log is written again, with all that waited.</summary>
    internal sealed record StorageRecovered(string Service, int Replica) : LogPumpEvent(Service, Replica);

    /// <summary>An observer threw; it gets no more lines.</summary>
    internal sealed record ObserverFailed(string Service, int Replica, Exception Fault) : LogPumpEvent(Service, Replica);

    /// <summary>A fault of this program; it is tried again every second.</summary>
    internal sealed record Faulted(string Service, int Replica, Exception Fault) : LogPumpEvent(Service, Replica);

    /// <summary>The same trouble as before: not worth saying again.</summary>
    public bool IsLike(LogPumpEvent? before) => (this, before) switch
    {
        (StorageFailed now, StorageFailed earlier) => now.Error == earlier.Error,
        (Faulted now, Faulted earlier) => now.Fault.GetType() == earlier.Fault.GetType() && now.Fault.Message == earlier.Fault.Message,
        _ => false,
    };
}
