using System.Collections.Concurrent;
using Stoker.Platform.Sqlite;

namespace Stoker.Keys;

/// <summary>
/// Keeps a gateway's keys current: what a verb, the daemon or anybody else commits to <c>gateway.db</c> is in <see cref="Ring"/> within
/// <see cref="Interval"/>, without a restart; at once where the one who committed it says so.
/// <code>
/// key create, key revoke, an apply ── commit ──► gateway.db
///                                                   │ PRAGMA data_version, five times a second
/// requests ──► Ring.Find ◄── another KeyRing ───────┘
///     └ last use ──── every half minute ──► gateway.db
/// </code>
/// It promises that a revoked key is refused within a second. It refuses to begin without a readable database; if the database cannot be read later, the
/// keys known last stay in force, and that is said once.
/// </summary>
internal sealed class KeyWatch : IDisposable
{
    private static readonly TimeSpan UseInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _access = new();
    private readonly KeyStore _store;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private readonly ITimer _timer;
    private readonly ConcurrentDictionary<KeyId, KeyUse> _uses = new();
    private readonly Dictionary<KeyId, long> _saved = [];
    private volatile KeyRing _ring = KeyRing.Empty;
    private long _version;
    private DateTimeOffset _savedAt;
    private bool _failing;
    private bool _disposed;

    /// <param name="say">Lines for the gateway's log.</param>
    /// <exception cref="SqliteFailedException">The database cannot be read.</exception>
    public KeyWatch(string path, TimeProvider clock, Action<string> say)
    {
        _store = KeyStore.Open(path);
        _clock = clock;
        _say = say;
        _savedAt = clock.GetUtcNow();
        try
        {
            Load();
        }
        catch
        {
            _store.Dispose();
            throw;
        }

        _timer = clock.CreateTimer(static watch => ((KeyWatch)watch!).Poll(), this, Interval, Interval);
    }

    public static TimeSpan Interval { get; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The keys now. To be taken anew for every request.</summary>
    public KeyRing Ring => _ring;

    /// <summary>Called after another ring is in force, on a thread of the pool.</summary>
    public Action<KeyRing>? Changed { get; set; }

    /// <summary>Looks now whether something has changed; what was committed before the call is in force at its end, unless the database cannot be read.</summary>
    public void Look()
    {
        _access.Enter();
        LookAndExit();
    }

    /// <summary>Saves last uses.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_access)
        {
            if (_disposed) return;
            _disposed = true;
            try
            {
                SaveUses();
            }
            catch (SqliteFailedException e)
            {
                _say($"keys: {e.Message}; when keys were used last is not saved");
            }

            _store.Dispose();
        }
    }

    /// <summary>The timer's look.</summary>
    private void Poll()
    {
        // A slow disk must not pile up threads.
        if (_access.TryEnter()) LookAndExit();
    }

    private void LookAndExit()
    {
        KeyRing? changed = null;
        try
        {
            if (_disposed) return;
            if (_store.DataVersion != _version)
            {
                Load();
                changed = _ring;
            }

            if (_clock.GetUtcNow() - _savedAt >= UseInterval) SaveUses();
            if (_failing) _say("keys: the database can be read again");
            _failing = false;
        }
        catch (SqliteFailedException e)
        {
            if (!_failing) _say($"keys: {e.Message}; the keys known last stay in force");
            _failing = true;
        }
        finally
        {
            _access.Exit();
        }

        if (changed is not null) Changed?.Invoke(changed);
    }

    private void Load()
    {
        // Read before the keys: what is committed between the two is found at the next look. Kept after them: what could not be read is tried again.
        var version = _store.DataVersion;
        _ring = _store.ReadRing(id => _uses.GetOrAdd(id, static _ => new KeyUse()));
        _version = version;
    }

    private void SaveUses()
    {
        _savedAt = _clock.GetUtcNow();
        var news = _uses.Select(use => (use.Key, use.Value.Last)).Where(use => use.Last > _saved.GetValueOrDefault(use.Key)).ToList();
        if (news.Count == 0) return;
        _store.Touch(news.Select(use => (use.Key, new DateTimeOffset(use.Last, TimeSpan.Zero))));
        foreach (var (id, last) in news) _saved[id] = last;
    }
}
