namespace Stoker.Keys;

/// <summary>
/// The key that a connection showed last: a client shows the same again with each request, and need not be hashed again for it. Holds for a second,
/// and only while the ring is the same, so that a revoked key is refused as fast as one that is looked up.
/// </summary>
internal struct KnownKey
{
    private const long Lasts = TimeSpan.TicksPerSecond;

    private byte[]? _authorization;
    private KeyRing? _ring;
    private KeyState? _key;
    private long _until;

    /// <summary>Null: it has to be looked up.</summary>
    public readonly KeyState? Find(ReadOnlySpan<byte> authorization, KeyRing ring, long now) =>
        _ring == ring && now < _until && authorization.SequenceEqual(_authorization) ? _key : null;

    public void Learn(ReadOnlySpan<byte> authorization, KeyRing ring, KeyState key, long now)
    {
        if (_authorization is null || !authorization.SequenceEqual(_authorization)) _authorization = authorization.ToArray();
        (_ring, _key, _until) = (ring, key, Math.Min(key.Expires, now + Lasts));
    }
}
