namespace Stoker.Keys;

/// <summary>What a secret turned out to be.</summary>
internal enum KeyVerdict
{
    Valid,

    /// <summary>No secret was sent.</summary>
    Missing,

    /// <summary>Begins like a key of this gateway, and its checksum is wrong.</summary>
    Mistyped,

    /// <summary>Nobody's; also a secret that was rotated away, when its key has since gone.</summary>
    Unknown,

    Expired,

    Revoked,

    /// <summary>The secret was replaced, and its grace is over.</summary>
    Rotated,
}

/// <summary>
/// All keys at one moment, by the hash of their secrets. Immutable; a request takes the current one from <see cref="KeyWatch"/> and asks it from any
/// thread, without a lock and without allocation: one SHA-256, one look-up. A connection that sends the same bytes again may keep the answer
/// for as long as the ring is the same object and the moment is before the answer's <see cref="KeyState.Expires"/>.
/// </summary>
internal sealed class KeyRing
{
    private readonly Dictionary<SecretHash, (KeyState Key, long Ends)> _secrets;

    /// <param name="secrets">Each with the ticks of UTC at which it ends; <see cref="long.MaxValue"/>: it does not.</param>
    public KeyRing(IReadOnlyList<KeyState> keys, IEnumerable<(SecretHash Hash, KeyState Key, long Ends)> secrets)
    {
        Keys = keys;
        _secrets = secrets.ToDictionary(secret => secret.Hash, secret => (secret.Key, secret.Ends));
    }

    public static KeyRing Empty { get; } = new([], []);

    /// <summary>Revoked and expired ones too.</summary>
    public IReadOnlyList<KeyState> Keys { get; }

    /// <summary>The secret in a header <c>authorization: Bearer SECRET</c>; empty when it is none. The scheme's case does not matter.</summary>
    public static ReadOnlySpan<byte> Bearer(ReadOnlySpan<byte> authorization)
    {
        const int scheme = 7;
        if (authorization.Length <= scheme || !System.Text.Ascii.EqualsIgnoreCase(authorization[..scheme], "bearer "u8)) return [];
        return authorization[scheme..].Trim((byte)' ');
    }

    /// <param name="now">Ticks of UTC.</param>
    /// <param name="key">Null only when the secret belongs to none; for an expired or revoked one it is told, for the log.</param>
    public KeyVerdict Find(ReadOnlySpan<byte> secret, long now, out KeyState? key)
    {
        key = null;
        if (secret.IsEmpty) return KeyVerdict.Missing;
        if (!_secrets.TryGetValue(SecretHash.Of(secret), out var found))
            return SecretText.Judge(secret) == SecretForm.Mistyped ? KeyVerdict.Mistyped : KeyVerdict.Unknown;
        key = found.Key;
        if (key.IsRevoked) return KeyVerdict.Revoked;
        if (now >= key.Expires) return KeyVerdict.Expired;
        if (now >= found.Ends) return KeyVerdict.Rotated;
        key.Use.Touch(now);
        return KeyVerdict.Valid;
    }
}

/// <summary>One key as requests see it.</summary>
/// <param name="Expires">Ticks of UTC; <see cref="long.MaxValue"/>: never.</param>
/// <param name="Use">The same object in every ring.</param>
internal sealed record KeyState(KeyId Id, string Name, KeyTerms Terms, long Expires, bool IsRevoked, KeyUse Use)
{
    /// <summary>The name as bytes, for what is written down of each request.</summary>
    public ReadOnlyMemory<byte> NameBytes { get; } = System.Text.Encoding.UTF8.GetBytes(Name);

    /// <summary>Stands for requests without a key, where the gateway lets them.</summary>
    public static KeyState Anonymous { get; } = new(KeyId.Anonymous, "anonymous", KeyTerms.Open, long.MaxValue, false, new KeyUse());
}

/// <summary>When a key was used last, as this process knows.</summary>
internal sealed class KeyUse
{
    private long _last;

    /// <summary>Ticks of UTC; 0: not yet.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Two threads may differ by their few microseconds; nobody minds.</summary>
    public void Touch(long now) => Volatile.Write(ref _last, now);
}
