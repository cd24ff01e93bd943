using System.Runtime.InteropServices;
using SQLitePCL;

namespace Stoker.Platform.Sqlite;

/// <summary>
/// Finds the system's SQLite, once for the process. The distribution keeps it patched; a copy of our own would not be.
/// </summary>
internal static class SqliteLibrary
{
    private static readonly string[] Names = ["libsqlite3.so.0", "libsqlite3.so"];

    private static readonly Lazy<nint> Loaded = new(Load);

    /// <summary>0: it is not installed.</summary>
    public static nint Handle => Loaded.Value;

    /// <exception cref="SqliteFailedException">It is not installed, with the way to get it.</exception>
    public static void Need()
    {
        if (Handle == 0)
        {
            throw new SqliteFailedException(SqliteFailure.LibraryMissing,
                "SQLite's library `libsqlite3.so.0` is not installed: `apt-get install libsqlite3-0`, `dnf install sqlite-libs`, or `apk add sqlite-libs`");
        }
    }

    private static nint Load()
    {
        foreach (var name in Names)
        {
            if (!NativeLibrary.TryLoad(name, out var handle)) continue;
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, (asked, _, _) => asked == "e_sqlite3" ? handle : 0);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            return handle;
        }

        return 0;
    }
}
