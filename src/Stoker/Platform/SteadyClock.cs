using System.Diagnostics;

namespace Stoker.Platform;

/// <summary>
/// The wall clock as it was at the start, moved on by the monotonic one: a time that never jumps, so that a set clock neither
/// shortens a grace nor makes a probe count twice. What people read later (journal, logs) uses the system's clock.
/// </summary>
internal sealed class SteadyClock : TimeProvider
{
    private readonly DateTimeOffset _began = DateTimeOffset.UtcNow;
    private readonly long _at = Stopwatch.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _began + Stopwatch.GetElapsedTime(_at);
}
