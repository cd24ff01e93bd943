using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>
/// The door through which every process starts: synchronous, thread-safe, about a millisecond.
/// </summary>
/// <remarks>
/// <code>
/// request → checks → outputs opened → [own thread: umask, nice, user] → posix_spawn → pidfd → Launched
///                                                                        └ error → what is wrong with the path → Refused
/// </code>
/// A child has its own session, descriptors 0, 1 and 2 and no other, no signal blocked or ignored, and the environment of
/// the request alone. With limits it is exec'd through prlimit(1), under the same pid, because a limit that is set
/// afterwards comes too late. It outlives the daemon, which a later daemon's <see cref="ChildProcess.Adopt"/> relies on.
/// </remarks>
internal static class ProcessLauncher
{
    /// <summary>Until a child of ours that has just been made gets a processor, on a machine that has much to do.</summary>
    private static readonly TimeSpan TextBusyPatience = TimeSpan.FromSeconds(2);

    public static LaunchOutcome Launch(LaunchRequest request)
    {
        if (LaunchChecks.Malformed(request) is { } malformed)
        {
            return malformed;
        }

        var plan = LaunchPlan.For(request, out var refused);
        if (plan is null)
        {
            return refused!;
        }

        var output = OpenOutput(request.Output, request.User, out var error);
        var errorOutput = -1;
        try
        {
            if (output < 0)
            {
                return LaunchChecks.OutputRefused(request.Output, error);
            }

            errorOutput = OpenOutput(request.ErrorOutput, request.User, out error);
            return errorOutput < 0 ? LaunchChecks.OutputRefused(request.ErrorOutput, error) : Launch(request, plan, output, errorOutput);
        }
        finally
        {
            Close(output);
            Close(errorOutput);
        }
    }

    /// <summary>What the daemon's children leave behind becomes the daemon's own, and is reaped by it. For the daemon only:
    /// it reaps every child that was not launched here.</summary>
    public static void BecomeSubreaper() => ExitWatcher.Shared.BecomeSubreaper();

    private static LaunchOutcome Launch(LaunchRequest request, LaunchPlan plan, int output, int errorOutput)
    {
        LaunchOutcome.Refused? refused = null;
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var child = ExitWatcher.Shared.Launch(() => plan.NeedsOwnThread ? OnOwnThread() : Spawn(), out var error);
            if (child is not null) return new LaunchOutcome.Launched(child);

            // A file that was written a moment ago: a child that is being spawned meanwhile still has the writer's descriptor,
            // until it execs (https://github.com/golang/go/issues/22315).
            if (error != Errno.TextBusy || Stopwatch.GetElapsedTime(began) > TextBusyPatience) return refused ?? LaunchChecks.Diagnose(request, error);
            Thread.Sleep(5);
        }

        int Spawn()
        {
            var pid = SpawnCall.Run(plan.Executable, plan.Arguments, request, output, errorOutput);
            if (pid < 0)
            {
                // Here, because only this thread may be the user for whom the file is not accessible.
                refused = LaunchChecks.Diagnose(request, -pid);
            }

            return pid;
        }

        int OnOwnThread() => LaunchThread.Run(request, plan, Spawn, failure => refused = failure);
    }

    /// <summary>
    /// Opened here and not in the child, so that a child of another user needs no way into the daemon's directories. With a
    /// user a FIFO becomes the user's: otherwise opening /dev/stdout, which servers like to log to, is refused.
    /// </summary>
    private static unsafe int OpenOutput(string? path, UserIdentity? user, out int error)
    {
        const int duplicateCloseOnExec = 1030, firstFree = 3;
        const uint same = uint.MaxValue;
        var descriptor = Libc.Open(path ?? "/dev/null", Libc.ReadWrite | Libc.CloseOnExec | Libc.Append);
        error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (descriptor is >= 0 and < firstFree)
        {
            // The daemon was started without a standard descriptor; in the child this number is about to be replaced.
            var moved = Libc.Control(descriptor, duplicateCloseOnExec, firstFree);
            error = moved < 0 ? Marshal.GetLastPInvokeError() : 0;
            _ = Libc.Close(descriptor);
            descriptor = moved;
        }

        if (descriptor >= 0 && path is not null && user is not null && user.UserId != Libc.EffectiveUser())
        {
            Libc.FileStatus status;
            if (Libc.Status(descriptor, "", Libc.OfTheDescriptor, Libc.BasicFields, &status) == 0 && status.IsFifo && status.User != user.UserId)
            {
                // Refused to others than root; then the launch itself is about to be refused, with a better message.
                _ = Libc.ChangeOwner(descriptor, user.UserId, same);
            }
        }

        return descriptor;
    }

    private static void Close(int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor);
        }
    }
}
