using System.Runtime.InteropServices;

namespace Stoker.Platform.Sqlite;

/// <summary>
/// The calls that are made for each value of each row, without what the binding library puts around them: a reference counted handle and a change of the
/// collector's mode, which cost several times the call. They only store a value: they never wait, call back or run long.
/// </summary>
internal static unsafe class SqliteCalls
{
    private static readonly delegate* unmanaged[SuppressGCTransition]<nint, int, long, int> Long =
        (delegate* unmanaged[SuppressGCTransition]<nint, int, long, int>)NativeLibrary.GetExport(SqliteLibrary.Handle, "sqlite3_bind_int64");

    private static readonly delegate* unmanaged[SuppressGCTransition]<nint, int, int> Null =
        (delegate* unmanaged[SuppressGCTransition]<nint, int, int>)NativeLibrary.GetExport(SqliteLibrary.Handle, "sqlite3_bind_null");

    private static readonly delegate* unmanaged[SuppressGCTransition]<nint, int, byte*, int, nint, int> Text =
        (delegate* unmanaged[SuppressGCTransition]<nint, int, byte*, int, nint, int>)NativeLibrary.GetExport(SqliteLibrary.Handle, "sqlite3_bind_text");

    private static readonly delegate* unmanaged[SuppressGCTransition]<nint, int, byte*, int, nint, int> Blob =
        (delegate* unmanaged[SuppressGCTransition]<nint, int, byte*, int, nint, int>)NativeLibrary.GetExport(SqliteLibrary.Handle, "sqlite3_bind_blob");

    public static int Bind(nint statement, int index, long value) => Long(statement, index, value);

    public static int BindNull(nint statement, int index) => Null(statement, index);

    /// <param name="utf8">Must stay where it is until the statement has run.</param>
    public static int BindText(nint statement, int index, byte* utf8, int length) => Text(statement, index, utf8, length, 0);

    /// <param name="bytes">Must stay where they are until the statement has run.</param>
    public static int BindBlob(nint statement, int index, byte* bytes, int length) => Blob(statement, index, bytes, length, 0);
}
