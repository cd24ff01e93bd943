namespace Stoker.Supervision;

/// <summary>What <see cref="ServicePolicy"/> wants done. The driver does it and reports back with facts.</summary>
internal abstract record ServiceAction
{
    internal abstract record OfReplica(int Replica, int Run) : ServiceAction;

    internal sealed record Launch(int Replica, int Run) : OfReplica(Replica, Run);

    /// <summary>Asks for room on its GPUs; a <c>RoomTold</c> follows.</summary>
    internal sealed record AskRoom(int Replica, int Run) : OfReplica(Replica, Run);

    /// <summary>Sends a signal to the main process.</summary>
    internal sealed record Signal(int Replica, int Run, int Number) : OfReplica(Replica, Run);

    /// <summary>Sends a signal to everything the run started; a <c>TreeGone</c> follows once nothing is left.</summary>
    internal sealed record Sweep(int Replica, int Run, int Number) : OfReplica(Replica, Run);

    internal sealed record StartProbing(int Replica, int Run) : OfReplica(Replica, Run);

    /// <summary>Reads what the image of its container says of health, once that runs; an <c>ImageRead</c> follows.</summary>
    internal sealed record ReadImage(int Replica, int Run) : OfReplica(Replica, Run);

    internal sealed record StopProbing(int Replica, int Run) : OfReplica(Replica, Run);

    internal sealed record RunHook(int Replica, int Run, HookKind Hook) : OfReplica(Replica, Run);

    internal sealed record Reload(int Replica, int Run) : OfReplica(Replica, Run);

    /// <summary>Arms the replica's timer of that kind, replacing an earlier one.</summary>
    internal sealed record Arm(int Replica, int Run, ReplicaTimer Timer, TimeSpan After) : OfReplica(Replica, Run);

    /// <summary>The durable record of the replica follows its state: what a later daemon needs to adopt it.</summary>
    internal sealed record SaveRecord(int Replica, int Run) : OfReplica(Replica, Run);

    internal sealed record DropRecord(int Replica, int Run) : OfReplica(Replica, Run);

    internal sealed record MainPidChanged(int Replica, int Run, int Pid) : OfReplica(Replica, Run);

    internal sealed record Journal(int? Replica, string Kind, string Text) : ServiceAction;

    /// <summary>The service has left the estate and is gone: end the driver.</summary>
    internal sealed record Retire : ServiceAction;
}
