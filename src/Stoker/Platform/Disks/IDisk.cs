namespace Stoker.Platform.Disks;

/// <summary>
/// The file calls of what must not lose data, no more than it needs, so that a disk which fails at the n-th call or loses what was not synced can stand in for the
/// machine's. Failures are error numbers (<see cref="Errno"/>), 0 is none: a full disk is an everyday outcome here.
/// </summary>
internal interface IDisk
{
    /// <summary>Null with the error where it cannot be opened.</summary>
    IDiskFile? Open(string path, DiskAccess access, out int error);

    /// <summary>With its parents; one that is there is no error.</summary>
    int CreateDirectory(string path);

    /// <summary>A file or a directory; what has the new name is replaced, if it is a file or an empty directory.</summary>
    int Rename(string from, string to);

    /// <summary>A file; one that is not there is no error.</summary>
    int Delete(string path);

    /// <summary>A directory with all that is in it.</summary>
    int DeleteTree(string path);

    /// <summary>Makes the names in a directory durable; a new, renamed or deleted one is not before.</summary>
    int SyncDirectory(string path);

    /// <summary>Names of what is in a directory, in ordinal order; null where there is none.</summary>
    IReadOnlyList<string>? List(string directory);

    /// <summary>A lock that ends with the process; null when another has it.</summary>
    /// <param name="note">What to tell the others.</param>
    /// <exception cref="IOException">The lock's file cannot be made.</exception>
    IDisposable? Lock(string path, string note, out string holder);
}

/// <summary>An open file. From any thread, but writes do not overlap.</summary>
internal interface IDiskFile : IDisposable
{
    long Length { get; }

    /// <returns>Bytes read, fewer than asked for where the file ends or the call was cut short; below 0: minus the error.</returns>
    int Read(long position, Span<byte> target);

    /// <returns>Bytes written, perhaps fewer than given; below 0: minus the error.</returns>
    int Write(long position, ReadOnlySpan<byte> bytes);

    /// <summary>Returns when all that was written is on the disk. After an error nobody knows what is; asking again proves nothing.</summary>
    int Sync();

    /// <summary>Claims room up to a length, which becomes the file's; what was not written reads as zeros.</summary>
    int Allocate(long length);

    int SetLength(long length);
}

internal enum DiskAccess
{
    Read,
    ReadWrite,

    /// <summary>To read and write; made, or emptied where it is there.</summary>
    Create,
}
