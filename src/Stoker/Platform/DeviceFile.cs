using System.Runtime.InteropServices;

namespace Stoker.Platform;

/// <summary>Whether this process gets at a device by its file. Mode, owner and the cgroup's rules all have a say, so it is opened, as whoever uses it would.</summary>
internal static class DeviceFile
{
    public static DeviceAccess Try(string path)
    {
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.NonBlocking | Libc.CloseOnExec);
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor);
            return new DeviceAccess.Granted();
        }

        return Marshal.GetLastPInvokeError() switch
        {
            Errno.NoEntry or Errno.NotDirectory => new DeviceAccess.Absent(),
            // A file's mode refuses with "access denied", the rules of a container's cgroup with "not permitted".
            Errno.AccessDenied => new DeviceAccess.Refused("its owner and mode do not let this user in", ByContainer: false),
            Errno.NotPermitted => new DeviceAccess.Refused("the rules of this container or cgroup do not let anybody in", ByContainer: true),
            var error => new DeviceAccess.Refused(Errno.Text(error), ByContainer: false),
        };
    }
}

/// <summary>What became of opening a device's file.</summary>
internal abstract record DeviceAccess
{
    private DeviceAccess()
    {
    }

    internal sealed record Granted : DeviceAccess;

    internal sealed record Absent : DeviceAccess;

    /// <param name="Why">In words, after the path.</param>
    internal sealed record Refused(string Why, bool ByContainer) : DeviceAccess;
}
