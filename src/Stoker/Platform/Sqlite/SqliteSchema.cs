namespace Stoker.Platform.Sqlite;

/// <summary>
/// The tables of a database as the steps that make them. A step, once released, is never changed; a change is a further step. How
/// many a file has seen is its <c>user_version</c>.
/// </summary>
internal sealed class SqliteSchema(params string[] steps)
{
    public int Version => steps.Length;

    /// <exception cref="SqliteFailedException"><see cref="SqliteFailure.TooNew"/>: a later version of this program has been here.</exception>
    public void Apply(SqliteDatabase database)
    {
        var version = VersionOf(database);
        if (version == Version) return;
        if (version > Version) throw TooNew(database, version);
        database.Write(() =>
        {
            // Again, inside: another process may have done it meanwhile.
            var current = VersionOf(database);
            if (current > Version) throw TooNew(database, current);
            for (var i = current; i < steps.Length; i++) database.Execute(steps[i]);
            database.Execute($"PRAGMA user_version={Version}");
        });
    }

    private SqliteFailedException TooNew(SqliteDatabase database, int version) => new(
        SqliteFailure.TooNew, $"`{database.Path}` was written by a later version of Stoker (its tables are at {version}, this one knows {Version})");

    private static int VersionOf(SqliteDatabase database)
    {
        using var statement = database.Prepare("PRAGMA user_version");
        using var rows = statement.Query();
        return rows.Next() ? (int)rows.Long(0) : 0;
    }
}
