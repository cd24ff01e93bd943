using Stoker.Platform.Sqlite;

namespace Stoker.Streams.Work;

/// <summary>
/// The dead letters of a stream, in <c>dead.db</c> beside its log: durable before the position passes the event, marked and never deleted. Any process may have its
/// own connection: verbs list and retry while the stream runs. Of one connection one thread at a time.
/// </summary>
internal sealed class DeadLetterStore : IDisposable
{
    public const string FileName = "dead.db";

    private const string Columns = "partition, offset, source, event, cause, path, message, frame, logged, first_seen, attempts, state";

    private static readonly SqliteSchema Schema = new(
        """
        CREATE TABLE letters (
          partition INTEGER NOT NULL, offset INTEGER NOT NULL, source TEXT NOT NULL, event TEXT NOT NULL, cause TEXT NOT NULL, path TEXT NOT NULL,
          message TEXT NOT NULL, frame BLOB NOT NULL, logged INTEGER NOT NULL, first_seen INTEGER NOT NULL, attempts INTEGER NOT NULL, state INTEGER NOT NULL,
          PRIMARY KEY (partition, offset)) WITHOUT ROWID;
        CREATE INDEX letters_by_state ON letters (state, partition, offset);
        """);

    private readonly Lock _access = new();
    private readonly SqliteDatabase _database;
    private readonly Action? _makeRoom;

    private DeadLetterStore(SqliteDatabase database, Action? makeRoom) => (_database, _makeRoom) = (database, makeRoom);

    /// <summary>Made when absent; its directory has to be there.</summary>
    /// <param name="makeRoom">Gives up what was kept free for this, when the disk is full.</param>
    /// <exception cref="SqliteFailedException"/>
    public static DeadLetterStore Open(string directory, Action? makeRoom = null)
    {
        var path = Path.Combine(directory, FileName);
        return new DeadLetterStore(WithRoom(() => SqliteDatabase.Open(path, Schema), makeRoom), makeRoom);
    }

    public void Dispose() => _database.Dispose();

    /// <summary>Puts events aside; durable when it returns. One that is there already counts another attempt, with its latest reason.</summary>
    public void Add(IReadOnlyList<DeadLetter> letters, long now) => Locked(() => WithRoom(() => _database.Write(() =>
    {
        using var insert = _database.Prepare(
            $"INSERT INTO letters ({Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, 0) "
            + "ON CONFLICT DO UPDATE SET cause = ?5, path = ?6, message = ?7, attempts = attempts + 1, state = CASE state WHEN 2 THEN 2 WHEN 3 THEN 3 ELSE 0 END");
        foreach (var letter in letters)
        {
            insert.Bind(1, letter.Partition).Bind(2, (long)letter.Offset).Bind(3, letter.Source).Bind(4, letter.EventId).Bind(5, letter.Cause).Bind(6, letter.Path)
                .Bind(7, letter.Message).Bind(8, letter.Frame).Bind(9, letter.Logged).Bind(10, now).Run();
        }

        return letters.Count;
    }), _makeRoom));

    /// <summary>Those in a state, oldest first; null: in any.</summary>
    public IReadOnlyList<DeadLetter> List(DeadLetterState? state, int most) => Locked(() =>
    {
        using var statement = _database.Prepare($"SELECT {Columns} FROM letters WHERE ?1 IS NULL OR state = ?1 ORDER BY logged, partition, offset LIMIT ?2");
        return Read(statement.Bind(1, (long?)state).Bind(2, most));
    });

    /// <summary>Those of a partition that are to be tried again.</summary>
    public IReadOnlyList<DeadLetter> ToRetry(int partition, int most) => Locked(() =>
    {
        using var statement = _database.Prepare($"SELECT {Columns} FROM letters WHERE state = 1 AND partition = ?1 ORDER BY offset LIMIT ?2");
        return Read(statement.Bind(1, partition).Bind(2, most));
    });

    public DeadLetter? Find(int partition, ulong offset) => Locked(() =>
    {
        using var statement = _database.Prepare($"SELECT {Columns} FROM letters WHERE partition = ?1 AND offset = ?2");
        return Read(statement.Bind(1, partition).Bind(2, (long)offset)).FirstOrDefault();
    });

    /// <summary>How many wait for a decision or to be tried again.</summary>
    public long Count() => Locked(() =>
    {
        using var statement = _database.Prepare("SELECT count(*) FROM letters WHERE state < 2");
        using var rows = statement.Query();
        return rows.Next() ? rows.Long(0) : 0;
    });

    /// <returns>False: there is no such letter, or it is in none of the states that it may come from.</returns>
    public bool Set(int partition, ulong offset, DeadLetterState to) => Locked(() => _database.Write(() =>
    {
        using var update = _database.Prepare("UPDATE letters SET state = ?3 WHERE partition = ?1 AND offset = ?2 AND state <> 2 AND state <> ?3");
        update.Bind(1, partition).Bind(2, (long)offset).Bind(3, (long)to).Run();
        return _database.Changes > 0;
    }));

    private static List<DeadLetter> Read(SqliteStatement statement)
    {
        var letters = new List<DeadLetter>();
        using var rows = statement.Query();
        while (rows.Next())
        {
            letters.Add(new DeadLetter((int)rows.Long(0), (ulong)rows.Long(1), rows.Text(2), rows.Text(3), rows.Text(4), rows.Text(5), rows.Text(6), rows.Blob(7).ToArray(), rows.Long(8))
            {
                FirstSeen = rows.Long(9),
                Attempts = (int)rows.Long(10),
                State = (DeadLetterState)rows.Long(11),
            });
        }

        return letters;
    }

    private static T WithRoom<T>(Func<T> work, Action? makeRoom)
    {
        try
        {
            return work();
        }
        catch (SqliteFailedException full) when (makeRoom is not null && (full.Failure is SqliteFailure.DiskFull or SqliteFailure.Disk))
        {
            makeRoom();
            return work();
        }
    }

    private T Locked<T>(Func<T> work)
    {
        lock (_access) return work();
    }
}
