namespace Stoker.Streams.Archive;

/// <summary>
/// A place for objects with names such as <c>a/b/c.json</c>. Callers may be several. Whatever cannot be done for want of the place throws
/// <see cref="ArchiveUnavailableException"/>, and may be tried again.
/// </summary>
internal interface IArchiveStore : IDisposable
{
    /// <summary>Durable, as a whole and as its sum says, when it returns; replaces what has the name.</summary>
    /// <param name="content">Read from its beginning, perhaps more than once.</param>
    /// <param name="sha256">Of the content.</param>
    Task PutAsync(string name, Stream content, ReadOnlyMemory<byte> sha256, CancellationToken cancellation);

    /// <summary>Null: there is none of this name.</summary>
    Task<Stream?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>The names that begin so, in no order that is promised.</summary>
    /// <param name="prefix">Ends with a slash.</param>
    IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellation);
}

/// <summary>An archive that cannot be reached, or refuses to work; the message tells which and why, without secrets.</summary>
internal sealed class ArchiveUnavailableException(string message, Exception? cause = null) : IOException(message, cause);

/// <summary>Something in an archive that is not as it was put there.</summary>
internal sealed class ArchiveDamagedException(string message, Exception? cause = null) : IOException(message, cause);
