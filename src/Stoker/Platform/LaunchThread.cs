using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>
/// A thread that takes on the umask, nice value and user of one child, spawns it, and ends. In Linux all three belong to
/// the thread, and posix_spawn hands down those of the thread that calls it.
/// </summary>
/// <remarks>
/// A fresh thread each time (about 0.1 ms) and none that is kept and changed back: a raised nice value cannot be lowered
/// again without privilege, and a thread that has no way back to root cannot hand one on.
/// For the time of a spawn one thread of a daemon that runs as root has the user's identity, so that a program of this user
/// could send this thread a signal; it cannot trace it, because the kernel clears the dumpable flag with the change.
/// </remarks>
internal static class LaunchThread
{
    private const int ShareNoFileSystem = 0x200, PriorityOfProcess = 0, GetDumpable = 3, SetDumpable = 4;

    private static readonly Lock SwitchingUser = new();

    public static int Run(LaunchRequest request, LaunchPlan plan, Func<int> spawn, Action<LaunchOutcome.Refused> refuse)
    {
        if (!plan.SwitchesUser)
        {
            return RunThread(request, plan, spawn, refuse);
        }

        lock (SwitchingUser)
        {
            // The flag belongs to the process, not to the thread; it comes back when no thread is another user any more.
            var dumpable = Libc.ProcessControl(GetDumpable, 0);
            var pid = RunThread(request, plan, spawn, refuse);
            if (dumpable == 1)
            {
                _ = Libc.ProcessControl(SetDumpable, 1);
            }

            return pid;
        }
    }

    private static int RunThread(LaunchRequest request, LaunchPlan plan, Func<int> spawn, Action<LaunchOutcome.Refused> refuse)
    {
        var pid = -Errno.NotPermitted;
        var thread = new Thread(
            () =>
            {
                if (Prepare(request, plan) is { } refused)
                {
                    refuse(refused);
                }
                else
                {
                    pid = spawn();
                }
            },
            maxStackSize: 256 * 1024)
        { IsBackground = true, Name = "stoker launch" };
        thread.Start();
        thread.Join();
        return pid;
    }

    private static LaunchOutcome.Refused? Prepare(LaunchRequest request, LaunchPlan plan)
    {
        if (request.Umask is { } umask)
        {
            if (Libc.Unshare(ShareNoFileSystem) < 0)
            {
                return Refused("cannot give one thread its own umask", Marshal.GetLastPInvokeError());
            }

            _ = Libc.Umask(umask);
        }

        if (request.Nice is { } nice && Libc.SetPriority(PriorityOfProcess, 0, nice) < 0)
        {
            return Refused($"nice {nice} is not permitted to the daemon", Marshal.GetLastPInvokeError());
        }

        if (plan.SwitchesUser && request.User is { } user)
        {
            var error = SystemCalls.BecomeOnThisThread(user.UserId, user.GroupId, [.. user.Groups]);
            if (error != 0)
            {
                return Refused($"the daemon (uid {Libc.EffectiveUser()}) cannot start a process as `{user.Name}` (uid {user.UserId})", error);
            }
        }

        return null;
    }

    private static LaunchOutcome.Refused Refused(string what, int error) => new(
        error is Errno.NotPermitted or Errno.AccessDenied ? LaunchRefusal.PermissionDenied : LaunchRefusal.Other,
        $"{what}: {Errno.Text(error)}");
}
