using System.Text;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Tests.Gateway;
using Stoker.Tests.Logs;
using Xunit;

namespace Stoker.Tests.Keys;

public sealed class KeyStoreTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly Scratch _scratch = new();
    private readonly Chance _chance = new();
    private readonly ManualTime _time = new(Noon);
    private readonly List<string> _said = [];

    private string Path => _scratch.At("gateway.db");

    public void Dispose() => _scratch.Dispose();

    private static KeyVerdict Verdict(KeyWatch watch, string secret, DateTimeOffset at) => watch.Ring.Find(Encoding.ASCII.GetBytes(secret), at.UtcTicks, out _);

    private KeyCreation.Created Create(KeyStore store, string name, KeyTerms? terms = null, DateTimeOffset? expires = null) =>
        Assert.IsType<KeyCreation.Created>(store.Create(name, terms ?? new KeyTerms(), expires, Noon, _chance.Fill));

    private KeyWatch Watch() => new(Path, _time, _said.Add);

    [Fact]
    public void A_key_comes_back_with_all_that_it_grants_and_its_secret_is_nowhere_in_the_files()
    {
        var terms = new KeyTerms
        {
            Scopes = KeyScopes.Inference | KeyScopes.Explain,
            Models = ["phi-*", "qwen"],
            Limits = new KeyLimits(new LimitSpec(60, 20_000, 4), [new ModelLimit("b", new LimitSpec(1, null, null)), new ModelLimit("a", new LimitSpec(null, 5, 2))], new BudgetSpec(5_000_000, BudgetPeriod.Day)),
            Priority = KeyPriority.High,
            Weight = 7,
        };
        string secret;
        using (var store = KeyStore.Open(Path))
        {
            secret = Create(store, "ci", terms, Noon.AddDays(30)).Secret;
            var found = Assert.Single(store.List());
            Assert.Equal(("ci", Noon, Noon.AddDays(30), null, null), (found.Name, found.Created, found.Expires, found.Revoked, found.LastUsed));
            Assert.Equal(KeyTermsDocument.Of(terms).ModelLimits, KeyTermsDocument.Of(found.Terms).ModelLimits);
            Assert.Equal(["b", "a"], found.Terms.Limits.Models.Select(m => m.Pattern));
            Assert.Equal((terms.Scopes, terms.Limits.Overall, terms.Limits.Budget, KeyPriority.High, 7), (found.Terms.Scopes, found.Terms.Limits.Overall, found.Terms.Limits.Budget, found.Terms.Priority, found.Terms.Weight));
            Assert.Equal(terms.Models, found.Terms.Models);
            foreach (var file in Directory.GetFiles(_scratch.Directory))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
                using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                if (file.EndsWith("-shm", StringComparison.Ordinal)) continue;
                var bytes = new byte[open.Length];
                open.ReadExactly(bytes);
                Assert.DoesNotContain(secret[12..40], Encoding.Latin1.GetString(bytes));
            }
        }

        using var watch = Watch();
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, secret, Noon));
    }

    [Fact]
    public void A_name_is_taken_until_its_key_is_revoked()
    {
        using var store = KeyStore.Open(Path);
        var first = Create(store, "ci");
        Assert.Equal(first.Key.Id, Assert.IsType<KeyCreation.NameTaken>(store.Create("ci", new KeyTerms(), null, Noon, _chance.Fill)).By.Id);
        store.Revoke(first.Key.Id, Noon.AddHours(1));
        store.Revoke(first.Key.Id, Noon.AddHours(2));
        Assert.Equal(Noon.AddHours(1), store.Find("ci")!.Revoked);
        var second = Create(store, "ci");
        Assert.Equal(second.Key.Id, store.Find("ci")!.Id);
        Assert.Equal(first.Key.Id, store.Find(first.Key.Id.Value)!.Id);
    }

    [Fact]
    public void A_key_that_is_revoked_by_another_process_is_refused_at_the_next_look()
    {
        using var store = KeyStore.Open(Path);
        var secret = Create(store, "ci").Secret;
        using var watch = Watch();
        var changes = 0;
        watch.Changed = _ => changes++;
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, secret, Noon));
        var ring = watch.Ring;
        _time.Advance(KeyWatch.Interval);
        Assert.Same(ring, watch.Ring);

        store.Revoke(store.Find("ci")!.Id, Noon);
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, secret, Noon));
        _time.Advance(KeyWatch.Interval);
        Assert.Equal(KeyVerdict.Revoked, Verdict(watch, secret, Noon));
        Assert.Equal(1, changes);

        var other = Create(store, "later").Secret;
        Assert.Equal(KeyVerdict.Unknown, Verdict(watch, other, Noon));
        _time.Advance(KeyWatch.Interval);
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, other, Noon));
        Assert.Empty(_said);
    }

    [Fact]
    public void A_secret_that_was_rotated_away_is_taken_until_its_grace_is_over()
    {
        using var store = KeyStore.Open(Path);
        var (key, first) = (Create(store, "ci") is var created ? created.Key : null!, created.Secret);
        var second = store.Rotate(key.Id, TimeSpan.FromHours(24), Noon, _chance.Fill);
        var third = store.Rotate(key.Id, TimeSpan.FromHours(1), Noon.AddHours(2), _chance.Fill);
        using var watch = Watch();
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, first, Noon.AddHours(3).AddTicks(-1)));
        // The shorter grace of the second rotation ends the first secret earlier too.
        Assert.Equal(KeyVerdict.Rotated, Verdict(watch, first, Noon.AddHours(3)));
        Assert.Equal(KeyVerdict.Rotated, Verdict(watch, second, Noon.AddHours(3)));
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, third, Noon.AddYears(50)));
        watch.Ring.Find(Encoding.ASCII.GetBytes(second), Noon.UtcTicks, out var state);
        Assert.Equal(key.Id, state!.Id);
    }

    [Fact]
    public void A_key_ends_at_the_moment_it_expires()
    {
        using var store = KeyStore.Open(Path);
        var secret = Create(store, "ci", expires: Noon.AddDays(1)).Secret;
        using var watch = Watch();
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, secret, Noon.AddDays(1).AddTicks(-1)));
        Assert.Equal(KeyVerdict.Expired, Verdict(watch, secret, Noon.AddDays(1)));
    }

    [Fact]
    public void When_a_key_was_used_last_is_remembered_now_and_then_and_at_the_end()
    {
        using var store = KeyStore.Open(Path);
        var secret = Create(store, "ci").Secret;
        using (var watch = Watch())
        {
            Assert.Equal(KeyVerdict.Valid, Verdict(watch, secret, Noon.AddSeconds(1)));
            _time.Advance(TimeSpan.FromSeconds(29));
            Assert.Null(store.Find("ci")!.LastUsed);
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(Noon.AddSeconds(1), store.Find("ci")!.LastUsed);
            Verdict(watch, secret, Noon.AddSeconds(31));
        }

        Assert.Equal(Noon.AddSeconds(31), store.Find("ci")!.LastUsed);
    }

    [Fact]
    public void Declared_keys_become_what_the_file_says_and_end_with_it()
    {
        using var store = KeyStore.Open(Path);
        Create(store, "made");
        var (a, b) = (SecretHash.Of("declared-secret-number-one"), SecretHash.Of("declared-secret-number-two"));
        Assert.Empty(store.Declare([new DeclaredKey("ci", a, null, new KeyTerms())], Noon, _chance.Fill));
        var id = store.Find("ci")!.Id;
        using var watch = Watch();
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, "declared-secret-number-one", Noon));

        Assert.Empty(store.Declare([new DeclaredKey("ci", b, null, new KeyTerms { Weight = 3 })], Noon, _chance.Fill));
        watch.Look();
        Assert.Equal((id, 3), (store.Find("ci")!.Id, store.Find("ci")!.Terms.Weight));
        Assert.Equal(KeyVerdict.Unknown, Verdict(watch, "declared-secret-number-one", Noon));
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, "declared-secret-number-two", Noon));

        var clashes = store.Declare([new DeclaredKey("made", a, null, new KeyTerms()), new DeclaredKey("ci", b, null, new KeyTerms()), new DeclaredKey("other", b, null, new KeyTerms())], Noon, _chance.Fill);
        Assert.Equal([("made", DeclaredKeyRefusal.Cause.NameTaken), ("other", DeclaredKeyRefusal.Cause.SecretTaken)], clashes.Select(c => (c.Name, c.Because)));

        Assert.Empty(store.Declare([], Noon, _chance.Fill));
        watch.Look();
        Assert.Equal(KeyVerdict.Revoked, Verdict(watch, "declared-secret-number-two", Noon));
        Assert.Null(store.Find("made")!.Revoked);
    }

    [Fact]
    public void A_declared_key_that_comes_back_to_the_file_is_taken_again()
    {
        using var store = KeyStore.Open(Path);
        var key = new DeclaredKey("ci", SecretHash.Of("declared-secret-number-one"), null, new KeyTerms());
        store.Declare([key], Noon, _chance.Fill);
        var id = store.Find("ci")!.Id;
        store.Declare([], Noon, _chance.Fill);
        Assert.Empty(store.Declare([key], Noon.AddDays(1), _chance.Fill));
        using var watch = Watch();
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, "declared-secret-number-one", Noon));
        Assert.Equal(id, store.Find("ci")!.Id);
    }

    [Fact]
    public void A_database_that_breaks_leaves_the_keys_in_force_and_that_is_said_once()
    {
        string secret;
        using (var store = KeyStore.Open(Path)) secret = Create(store, "ci").Secret;
        using var watch = Watch();
        using (var breaking = Stoker.Platform.Sqlite.SqliteDatabase.Open(Path, KeySchemaAsItIs)) breaking.Execute("ALTER TABLE secrets RENAME TO lost");
        for (var i = 0; i < 3; i++) watch.Look();
        Assert.Equal(KeyVerdict.Valid, Verdict(watch, secret, Noon));
        Assert.Contains("the keys known last stay in force", Assert.Single(_said));
        using (var mending = Stoker.Platform.Sqlite.SqliteDatabase.Open(Path, KeySchemaAsItIs)) mending.Execute("ALTER TABLE lost RENAME TO secrets");
        watch.Look();
        Assert.Equal(2, _said.Count);
    }

    /// <summary>Of one step, which has been done.</summary>
    private static readonly Stoker.Platform.Sqlite.SqliteSchema KeySchemaAsItIs = new("SELECT 1");
}
