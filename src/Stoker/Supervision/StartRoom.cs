using Stoker.Estates;

namespace Stoker.Supervision;

/// <summary>Whether a replica can have what it needs of its GPUs now. Asked before each start, and again each second while it is not so.</summary>
internal delegate ValueTask<StartRoom> AskRoom(ServiceName service, int replica);

/// <summary>Reasons are in words, as what it waits for: <c>6 GiB on GPU 0 (…): 2 GiB are free</c>.</summary>
internal abstract record StartRoom
{
    private StartRoom()
    {
    }

    internal sealed record There : StartRoom;

    internal sealed record NotNow(string Why) : StartRoom;

    /// <summary>Waiting cannot help.</summary>
    internal sealed record Never(string Why) : StartRoom;
}
