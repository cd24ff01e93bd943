using System.Text.Json;
using Stoker.Platform.Sqlite;

namespace Stoker.Keys;

/// <summary>
/// The keys in <c>gateway.db</c>, of which any process may have its own connection: verbs make and revoke while a gateway serves. Every change
/// is one transaction and durable on return. Times are kept in milliseconds. One thread at a time.
/// </summary>
internal sealed class KeyStore(SqliteDatabase database) : IDisposable
{
    /// <summary>In the state directory; the gateway's and the streams' alike.</summary>
    public const string FileName = "gateway.db";

    private const string Columns = "id, name, declared, created, expires, revoked, last_used, terms";

    private static readonly SqliteSchema Schema = new(
        """
        CREATE TABLE keys (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, declared INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER, revoked INTEGER,
          last_used INTEGER, terms TEXT NOT NULL);
        CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked IS NULL;
        CREATE TABLE secrets (hash BLOB PRIMARY KEY, key TEXT NOT NULL REFERENCES keys (id), created INTEGER NOT NULL, ends INTEGER);
        CREATE INDEX secrets_by_key ON secrets (key);
        """);

    public long DataVersion => database.DataVersion;

    /// <summary>Made when absent; its directory has to be there.</summary>
    public static KeyStore Open(string path) => new(SqliteDatabase.Open(path, Schema));

    public KeyCreation Create(string name, KeyTerms terms, DateTimeOffset? expires, DateTimeOffset now, SecretSource chance)
    {
        var secret = SecretText.Make(chance);
        return database.Write<KeyCreation>(() =>
        {
            if (Find("name = ?1 AND revoked IS NULL", name) is { } taken) return new KeyCreation.NameTaken(taken);
            var key = new KeyRecord(SecretText.MakeId(chance), name, false, now, expires, null, null, terms);
            Insert(key);
            AddSecret(SecretHash.Of(secret), key.Id, now);
            return new KeyCreation.Created(key, secret);
        });
    }

    /// <summary>In the order they were made.</summary>
    public IReadOnlyList<KeyRecord> List() => Read($"SELECT {Columns} FROM keys ORDER BY created, id");

    /// <param name="nameOrId">Of several with one name the living one, else the last revoked.</param>
    public KeyRecord? Find(string nameOrId) =>
        Find("id = ?1", nameOrId) ?? Find("name = ?1 ORDER BY revoked IS NOT NULL, revoked DESC LIMIT 1", nameOrId);

    /// <summary>The key is worthless from now on, with all its secrets. What was revoked stays so, with its first time.</summary>
    public void Revoke(KeyId id, DateTimeOffset now) => database.Write(() => SetRevoked(id, now));

    /// <summary>Gives a key another secret.</summary>
    /// <param name="grace">How long its secrets so far are still taken.</param>
    /// <returns>The new one.</returns>
    public string Rotate(KeyId id, TimeSpan grace, DateTimeOffset now, SecretSource chance)
    {
        var secret = SecretText.Make(chance);
        database.Write(() =>
        {
            // One that is to end earlier already stays so.
            using var ending = database.Prepare("UPDATE secrets SET ends = ?2 WHERE key = ?1 AND (ends IS NULL OR ends > ?2)");
            ending.Bind(1, id.Value).Bind(2, (now + grace).ToUnixTimeMilliseconds()).Run();
            AddSecret(SecretHash.Of(secret), id, now);
        });
        return secret;
    }

    /// <summary>Makes the declared keys those given: new ones are added, changed ones changed at once, and those not declared any more revoked.</summary>
    /// <returns>What could not be: the rest is done.</returns>
    public IReadOnlyList<DeclaredKeyRefusal> Declare(IReadOnlyList<DeclaredKey> keys, DateTimeOffset now, SecretSource chance) => database.Write(() =>
    {
        var refused = new List<DeclaredKeyRefusal>();
        var before = Read($"SELECT {Columns} FROM keys WHERE revoked IS NULL").ToDictionary(key => key.Name);
        foreach (var gone in before.Values.Where(key => key.IsDeclared && !keys.Any(declared => declared.Name == key.Name))) SetRevoked(gone.Id, now);
        foreach (var key in keys)
        {
            // One that was declared before and comes back is the same key, with what it has used.
            var known = before.GetValueOrDefault(key.Name) ?? Find("name = ?1 AND declared = 1 ORDER BY revoked DESC LIMIT 1", key.Name);
            var owner = OwnerOf(key.Hash);
            if (known is { IsDeclared: false }) refused.Add(new DeclaredKeyRefusal(key.Name, DeclaredKeyRefusal.Cause.NameTaken));
            else if (owner is not null && owner != known?.Id) refused.Add(new DeclaredKeyRefusal(key.Name, DeclaredKeyRefusal.Cause.SecretTaken));
            else Declare(key, known, now, chance);
        }

        return (IReadOnlyList<DeclaredKeyRefusal>)refused;
    });

    /// <summary>Remembers when keys were used; never sets one back.</summary>
    public void Touch(IEnumerable<(KeyId Id, DateTimeOffset At)> uses) => database.Write(() =>
    {
        using var statement = database.Prepare("UPDATE keys SET last_used = ?2 WHERE id = ?1 AND coalesce(last_used, 0) < ?2");
        foreach (var (id, at) in uses) statement.Bind(1, id.Value).Bind(2, at.ToUnixTimeMilliseconds()).Run();
    });

    /// <summary>All keys as requests see them.</summary>
    /// <param name="use">The living part of a key, kept from ring to ring.</param>
    public KeyRing ReadRing(Func<KeyId, KeyUse> use)
    {
        var keys = List().Select(key => new KeyState(key.Id, key.Name, key.Terms, key.Expires?.UtcTicks ?? long.MaxValue, key.Revoked is not null, use(key.Id)))
            .ToDictionary(key => key.Id.Value);
        var secrets = new List<(SecretHash, KeyState, long)>();
        using var statement = database.Prepare("SELECT hash, key, ends FROM secrets");
        using var rows = statement.Query();
        while (rows.Next())
        {
            if (!keys.TryGetValue(rows.Text(1), out var key)) continue;
            secrets.Add((SecretHash.From(rows.Blob(0)), key, rows.LongOrNull(2) is { } ends ? Time(ends).UtcTicks : long.MaxValue));
        }

        return new KeyRing([.. keys.Values], secrets);
    }

    public void Dispose() => database.Dispose();

    private void Declare(DeclaredKey key, KeyRecord? known, DateTimeOffset now, SecretSource chance)
    {
        var record = known is null
            ? new KeyRecord(SecretText.MakeId(chance), key.Name, true, now, key.Expires, null, null, key.Terms)
            : known with { Terms = key.Terms, Expires = key.Expires };
        if (known is null) Insert(record);
        else Update(record);
        Span<byte> hash = stackalloc byte[SecretHash.Bytes];
        key.Hash.CopyTo(hash);
        // A declared key has one secret, the declared one: who changes it has changed it.
        using (var others = database.Prepare("DELETE FROM secrets WHERE key = ?1 AND hash <> ?2")) others.Bind(1, record.Id.Value).Bind(2, hash).Run();
        if (OwnerOf(key.Hash) is null) AddSecret(key.Hash, record.Id, now);
    }

    private void Insert(KeyRecord key)
    {
        using var statement = database.Prepare("INSERT INTO keys (id, name, declared, created, expires, terms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        statement.Bind(1, key.Id.Value).Bind(2, key.Name).Bind(3, key.IsDeclared ? 1 : 0).Bind(4, key.Created.ToUnixTimeMilliseconds())
            .Bind(5, key.Expires?.ToUnixTimeMilliseconds()).Bind(6, Terms(key.Terms)).Run();
    }

    private void Update(KeyRecord key)
    {
        using var statement = database.Prepare("UPDATE keys SET expires = ?2, terms = ?3, revoked = NULL WHERE id = ?1");
        statement.Bind(1, key.Id.Value).Bind(2, key.Expires?.ToUnixTimeMilliseconds()).Bind(3, Terms(key.Terms)).Run();
    }

    private void SetRevoked(KeyId id, DateTimeOffset now)
    {
        using var statement = database.Prepare("UPDATE keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL");
        statement.Bind(1, id.Value).Bind(2, now.ToUnixTimeMilliseconds()).Run();
    }

    private void AddSecret(SecretHash secret, KeyId key, DateTimeOffset now)
    {
        Span<byte> hash = stackalloc byte[SecretHash.Bytes];
        secret.CopyTo(hash);
        using var statement = database.Prepare("INSERT INTO secrets (hash, key, created) VALUES (?1, ?2, ?3)");
        statement.Bind(1, hash).Bind(2, key.Value).Bind(3, now.ToUnixTimeMilliseconds()).Run();
    }

    private KeyId? OwnerOf(SecretHash secret)
    {
        Span<byte> hash = stackalloc byte[SecretHash.Bytes];
        secret.CopyTo(hash);
        using var statement = database.Prepare("SELECT s.key FROM secrets s JOIN keys k ON k.id = s.key WHERE s.hash = ?1");
        using var rows = statement.Bind(1, hash).Query();
        return rows.Next() ? new KeyId(rows.Text(0)) : null;
    }

    private KeyRecord? Find(string condition, string value) => Read($"SELECT {Columns} FROM keys WHERE {condition}", value).FirstOrDefault();

    private List<KeyRecord> Read(string sql, string? value = null)
    {
        var found = new List<KeyRecord>();
        using var statement = database.Prepare(sql);
        if (value is not null) statement.Bind(1, value);
        using var rows = statement.Query();
        while (rows.Next())
        {
            found.Add(new KeyRecord(
                new KeyId(rows.Text(0)), rows.Text(1), rows.Long(2) != 0, Time(rows.Long(3)), TimeOrNull(rows.LongOrNull(4)), TimeOrNull(rows.LongOrNull(5)),
                TimeOrNull(rows.LongOrNull(6)), JsonSerializer.Deserialize(rows.Text(7), KeyJson.Default.KeyTermsDocument)!.ToTerms()));
        }

        return found;
    }

    private static string Terms(KeyTerms terms) => JsonSerializer.Serialize(KeyTermsDocument.Of(terms), KeyJson.Readable.KeyTermsDocument);

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static DateTimeOffset? TimeOrNull(long? milliseconds) => milliseconds is { } known ? Time(known) : null;
}

/// <summary>A key as it is kept, without its secrets.</summary>
internal sealed record KeyRecord(
    KeyId Id, string Name, bool IsDeclared, DateTimeOffset Created, DateTimeOffset? Expires, DateTimeOffset? Revoked, DateTimeOffset? LastUsed, KeyTerms Terms);

internal abstract record KeyCreation
{
    /// <param name="Secret">Not kept anywhere: to be shown now or never.</param>
    internal sealed record Created(KeyRecord Key, string Secret) : KeyCreation;

    internal sealed record NameTaken(KeyRecord By) : KeyCreation;
}
