using Stoker.Platform;
using Stoker.Platform.Sqlite;
using Stoker.Tests.Gateway;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class SqliteTests : IDisposable
{
    private static readonly SqliteSchema First = new("CREATE TABLE a (x INTEGER)");
    private static readonly SqliteSchema Second = new("CREATE TABLE a (x INTEGER)", "CREATE TABLE b (y TEXT)");

    private readonly Scratch _scratch = new();

    private string Path => _scratch.At("some.db");

    public void Dispose() => _scratch.Dispose();

    private static long One(SqliteDatabase database, string sql)
    {
        using var statement = database.Prepare(sql);
        using var rows = statement.Query();
        Assert.True(rows.Next());
        return rows.Long(0);
    }

    private static string Text(SqliteDatabase database, string sql)
    {
        using var statement = database.Prepare(sql);
        using var rows = statement.Query();
        Assert.True(rows.Next());
        return rows.Text(0);
    }

    [Fact]
    public void A_database_is_private_in_wal_mode_and_fully_synchronous()
    {
        using var database = SqliteDatabase.Open(Path, First);
        Assert.Equal(("wal", 2L), (Text(database, "PRAGMA journal_mode"), One(database, "PRAGMA synchronous")));
        Assert.All(Directory.GetFiles(_scratch.Directory), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public void Tables_are_brought_up_to_date_and_a_later_version_is_left_alone()
    {
        using (var database = SqliteDatabase.Open(Path, First)) database.Execute("INSERT INTO a VALUES (7)");
        using (var database = SqliteDatabase.Open(Path, Second)) Assert.Equal((7L, 0L), (One(database, "SELECT x FROM a"), One(database, "SELECT count(*) FROM b")));
        var refused = Assert.Throws<SqliteFailedException>(() => SqliteDatabase.Open(Path, First));
        Assert.Equal(SqliteFailure.TooNew, refused.Failure);
        Assert.Contains("a later version of Stoker", refused.Message);
    }

    [Fact]
    public void Many_that_open_a_new_database_together_all_get_it()
    {
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 16 }, _ =>
        {
            using var database = SqliteDatabase.Open(Path, Second);
            database.Write(() => database.Execute("INSERT INTO a VALUES (1)"));
        });
        using var after = SqliteDatabase.Open(Path, Second);
        Assert.Equal(16, One(after, "SELECT sum(x) FROM a"));
    }

    [Fact]
    public void Whoever_opens_a_new_database_first_the_process_keeps_its_locks_on_it()
    {
        // Without them another process that leaves takes itself for the last one, and what is written afterwards is in a file without a name.
        for (var round = 0; round < 60; round++)
        {
            var path = _scratch.At($"{round}.db");
            var opened = new SqliteDatabase[4];
            using var together = new Barrier(opened.Length);
            var threads = Enumerable.Range(0, opened.Length).Select(place => new Thread(() =>
            {
                together.SignalAndWait();
                opened[place] = SqliteDatabase.Open(path, First);
            })).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            // First: to look at the file opens and closes it, which is what drops locks. Several times: the kernel tells its list in parts, and what
            // others give back between two of them shifts the rest.
            var locks = Enumerable.Range(0, 5).SelectMany(_ => File.ReadAllLines("/proc/locks")).ToList();
            using var file = LogFile.OpenToRead(path);
            var inode = $":{file!.Facts().Inode} ";
            Assert.Contains(locks, line => line.Contains("POSIX", StringComparison.Ordinal) && line.Contains(inode, StringComparison.Ordinal));
            foreach (var database in opened) database.Dispose();
        }
    }

    [Fact]
    public void A_transaction_whose_work_throws_has_not_happened()
    {
        using var database = SqliteDatabase.Open(Path, First);
        Assert.Throws<InvalidOperationException>(() => database.Write(() =>
        {
            database.Execute("INSERT INTO a VALUES (1)");
            throw new InvalidOperationException();
        }));
        database.Write(() => database.Execute("INSERT INTO a VALUES (2)"));
        Assert.Equal(2, One(database, "SELECT sum(x) FROM a"));
    }

    [Fact]
    public void Another_connections_commit_is_seen_by_its_version_and_ones_own_is_not()
    {
        using var here = SqliteDatabase.Open(Path, First);
        using var there = SqliteDatabase.Open(Path, First);
        var before = here.DataVersion;
        here.Execute("INSERT INTO a VALUES (1)");
        Assert.Equal(before, here.DataVersion);
        there.Execute("INSERT INTO a VALUES (1)");
        Assert.NotEqual(before, here.DataVersion);
    }

    [Fact]
    public void What_is_no_database_or_cannot_be_opened_is_said_in_words()
    {
        File.WriteAllText(Path, "certainly not what SQLite writes, and long enough to be looked at: " + new string('x', 4096));
        Assert.Equal(SqliteFailure.Corrupt, Assert.Throws<SqliteFailedException>(() => SqliteDatabase.Open(Path, First)).Failure);
        Directory.CreateDirectory(_scratch.At("directory"));
        Assert.Equal(SqliteFailure.CannotOpen, Assert.Throws<SqliteFailedException>(() => SqliteDatabase.Open(_scratch.At("directory"), First)).Failure);
        Assert.Null(SqliteDatabase.OpenIfPresent(_scratch.At("absent.db"), First));
        using var database = SqliteDatabase.Open(_scratch.At("other.db"), First);
        Assert.Equal(SqliteFailure.Mistaken, Assert.Throws<SqliteFailedException>(() => database.Execute("SELECT nothing")).Failure);
    }

    [Fact]
    public void Values_come_back_as_they_were_bound()
    {
        using var database = SqliteDatabase.Open(Path, new SqliteSchema("CREATE TABLE v (a, b, c, d)"));
        using (var insert = database.Prepare("INSERT INTO v VALUES (?1, ?2, ?3, ?4)"))
            insert.Bind(1, long.MaxValue).Bind(2, "grüße\n").Bind(3, new byte[] { 0, 255 }).Bind(4, (string?)null).Run();
        using var select = database.Prepare("SELECT * FROM v");
        using var rows = select.Query();
        Assert.True(rows.Next());
        Assert.Equal((long.MaxValue, "grüße\n", "", null), (rows.Long(0), rows.Text(1), rows.Text(3), rows.LongOrNull(3)));
        Assert.Equal([0, 255], rows.Blob(2).ToArray());
        Assert.False(rows.Next());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(100)]
    public void Rows_inserted_together_are_those_that_were_given(int count)
    {
        using var database = SqliteDatabase.Open(Path, new SqliteSchema("CREATE TABLE v (id INTEGER PRIMARY KEY, n, t, b)"));
        using (var insert = new SqliteInsert(database, "v", ["id", "n", "t", "b"]))
        {
            database.Write(() =>
            {
                insert.Begin(count);
                for (var i = 0; i < count; i++)
                {
                    insert.Add(i);
                    if (i % 3 == 0) insert.AddNull();
                    else insert.Add(-i);
                    insert.Add(new string('ß', SqliteInsert.LongestText - i));
                    insert.Add([(byte)i, 0]);
                }
            });
        }

        using var select = database.Prepare("SELECT id, n, t, b FROM v ORDER BY id");
        using var rows = select.Query();
        for (var i = 0; i < count; i++)
        {
            Assert.True(rows.Next());
            Assert.Equal((i, i % 3 == 0 ? null : -i, new string('ß', SqliteInsert.LongestText - i)), (rows.Long(0), rows.LongOrNull(1), rows.Text(2)));
            Assert.Equal([(byte)i, 0], rows.Blob(3).ToArray());
        }

        Assert.False(rows.Next());
    }

    [Fact]
    public void A_row_that_fails_among_many_undoes_the_transaction_and_the_next_one_is_well()
    {
        using var database = SqliteDatabase.Open(Path, new SqliteSchema("CREATE TABLE v (id INTEGER PRIMARY KEY)"));
        using var insert = new SqliteInsert(database, "v", ["id"]);
        Assert.Equal(SqliteFailure.Constraint, Assert.Throws<SqliteFailedException>(() => Insert([.. Enumerable.Range(0, 40), 7])).Failure);
        Assert.Equal(0, One(database, "SELECT count(*) FROM v"));
        Insert([1, 2, 3]);
        Assert.Equal(6, One(database, "SELECT sum(id) FROM v"));

        void Insert(IReadOnlyList<int> ids) => database.Write(() =>
        {
            insert.Begin(ids.Count);
            foreach (var id in ids) insert.Add(id);
        });
    }
}
