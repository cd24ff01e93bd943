namespace Stoker.StandIns;

/// <summary>
/// What runs in place of a command that is not installed, an image without a runtime, or hardware that is not there.
/// <code>
///   planner: StandInSpec.HealthcheckFor, StandInSpec.For ─→ StandInOptions.ToArguments ─→ `stoker stand-in …` ─→ StandIn.Run
/// </code>
/// A stand-in listens where the service would, answers as healthy, says in every answer and line that it is a stand-in, keeps
/// the watchdog content, and obeys the signals that the service would be sent. It is a process like any other: supervised, killed,
/// restarted and adopted by the same code as the real thing, which is the point of a rehearsal.
/// Refuses: to speak the protocol of what it replaces. Whoever connects to a database's port gets a closed connection, not a database.
/// </summary>
internal static class StandInsModule
{
    /// <summary>The hidden verb.</summary>
    public const string Verb = "stand-in";
}
