namespace Stoker.Http;

/// <summary>
/// HTTP/1.1 on the wire, for servers that face clients and for the connections they hold to upstreams.
/// <code>
/// socket → HttpInput (bytes) → MessageHead (a request's or an answer's head, in place) → BodyFraming (which bytes are body)
/// OutputBuffer (heads and chunks as they are written) → socket
/// </code>
/// Promises: heads are parsed where they lie, without an allocation per request; a message means the same to us as to the server
/// behind us, because what could be read in two ways (both lengths, bare CR, folded lines, spaces before a colon) is refused.
/// Refuses: HTTP/2 and upgrades, which no model server needs.
/// </summary>
internal static class HttpModule
{
    /// <summary>A head longer than this is refused with 431.</summary>
    public const int MaxHead = 32 * 1024;

    /// <summary>A head with more fields than this is refused with 431.</summary>
    public const int MaxFields = 128;
}
