using Stoker.Platform;
using Stoker.Platform.Disks;

namespace Stoker.Streams.Log.Writing;

/// <summary>
/// Room that is kept for what must still be written when the disk is full: dead letters, for one. Whoever needs it gives it up; it is taken again as soon as there is
/// room, and before anything is appended. Thread-safe.
/// </summary>
internal sealed class Reserve(IDisk disk, string directory, long bytes)
{
    public const string Name = "reserve";

    private readonly Lock _access = new();
    private readonly string _path = Path.Combine(directory, Name);

    /// <summary>There is nothing more to give up.</summary>
    public bool IsGone { get; private set; } = true;

    /// <summary>0: it is there.</summary>
    public int Take()
    {
        lock (_access)
        {
            if (!IsGone || bytes == 0) return 0;
            using (var file = disk.Open(_path, DiskAccess.Create, out var error))
            {
                if (file is null) return error;
                error = file.Allocate(bytes);
                if (error == 0) error = file.Sync();
                if (error != 0)
                {
                    _ = disk.Delete(_path);
                    return error;
                }
            }

            IsGone = false;
            return 0;
        }
    }

    public void GiveUp()
    {
        lock (_access)
        {
            IsGone = true;
            var error = disk.Delete(_path);
            if (error != 0) throw Errno.Failed($"cannot delete `{_path}`", error);
        }
    }
}
