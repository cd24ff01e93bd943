using Stoker.Platform.Loops;

namespace Stoker.Http;

/// <summary>The connections of a server that are on one of its loops. On the loop's thread, except <see cref="DrainAsync"/>.</summary>
internal sealed class ServerConnections(EventLoop events)
{
    private readonly HashSet<ServerConnection> _open = [];
    private TaskCompletionSource? _drained;

    /// <summary>Serves a client until one side ends it; one that comes while the server ends is told so at once.</summary>
    public void Add(ServerConnection connection)
    {
        if (_drained is not null) connection.IsClosing = true;
        _open.Add(connection);
        _ = ServeAsync(connection);
    }

    /// <summary>Ends idle connections now and busy ones after their answer; from any thread.</summary>
    /// <returns>Completes when none is left.</returns>
    public Task DrainAsync()
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        events.Post(() =>
        {
            _drained = drained;
            foreach (var connection in _open.ToList()) connection.CloseSoon();
            if (_open.Count == 0) drained.TrySetResult();
        });
        return drained.Task;
    }

    private async Task ServeAsync(ServerConnection connection)
    {
        await connection.RunAsync();
        _open.Remove(connection);
        if (_open.Count == 0) _drained?.TrySetResult();
    }
}
