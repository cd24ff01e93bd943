using System.Collections.Concurrent;
using System.Text;
using Stoker.Keys;
using Stoker.Platform;

namespace Stoker.Streams.Serving;

/// <summary>
/// Who may speak to a stream that asks for keys: those of <c>gateway.db</c> that <see cref="KeyWatch"/> keeps current, and the owner, whose secret lies beside the log
/// for verbs on this machine: whoever can read it could make keys as well. Asked by all loops without a lock.
/// </summary>
internal sealed class ProducerKeys : IDisposable
{
    /// <summary>No key can be called so by anybody else: a colon stands in no name.</summary>
    private const string OwnerName = "stoker:owner";

    private readonly KeyWatch _watch;
    private readonly string _stream;
    private readonly SecretHash _ownerSecret;
    private readonly KeyState _owner = new(new KeyId("owner"), OwnerName, new KeyTerms { Scopes = KeyScopes.Ingest | KeyScopes.Metrics }, long.MaxValue, false, new KeyUse());
    private readonly ConcurrentDictionary<KeyId, ProducerMeter> _meters = new();

    /// <param name="ownerSecret">As it is shown.</param>
    public ProducerKeys(KeyWatch watch, string stream, string ownerSecret) => (_watch, _stream, _ownerSecret) = (watch, stream, SecretHash.Of(ownerSecret));

    public KeyRing Ring => _watch.Ring;

    /// <summary>The secret in a file of the state directory; made where there is none.</summary>
    /// <exception cref="IOException"/>
    public static string OwnerSecret(string path)
    {
        if (Files.ReadIfPresent(path) is { Length: > 0 } known) return Encoding.UTF8.GetString(known).Trim();
        var made = SecretText.Make(SecureRandomness.Fill);
        Files.AtomicWrite(path, made + "\n");
        return made;
    }

    /// <param name="now">Ticks of UTC.</param>
    public KeyVerdict Find(ReadOnlySpan<byte> secret, KeyRing ring, long now, out KeyState? key)
    {
        var verdict = ring.Find(secret, now, out key);
        if (verdict != KeyVerdict.Unknown || !SecretHash.Of(secret).Equals(_ownerSecret)) return verdict;
        key = _owner;
        return KeyVerdict.Valid;
    }

    public bool Admits(KeyState key) => key.Terms.AllowsStream(_stream);

    /// <summary>What a key has used of its limits; null: it has none.</summary>
    public ProducerMeter? MeterOf(KeyState key) => key.Terms.Limits.Overall.IsNone ? null : _meters.GetOrAdd(key.Id, static _ => new ProducerMeter());

    /// <summary>Takes what was committed until now, so that a key is good as soon as it was made.</summary>
    /// <returns>The keys then.</returns>
    public KeyRing Look()
    {
        _watch.Look();
        return _watch.Ring;
    }

    public void Dispose() => _watch.Dispose();
}
