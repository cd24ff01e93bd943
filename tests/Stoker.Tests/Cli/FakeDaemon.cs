using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Tests.Cli;

/// <summary>A daemon that says what it is told to, over a real control socket, and remembers what it was asked.</summary>
internal sealed class FakeDaemon : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly ControlSocket _socket;
    private readonly Lock _lock = new();
    private readonly List<string> _asked = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StatusDocument _status;
    private bool _ended;

    private FakeDaemon(StateDirectory state, StatusDocument status)
    {
        _status = status;
        Directory.CreateDirectory(state.Path);
        File.Delete(state.ControlSocket);
        _socket = ControlSocket.Of(state)!;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(_socket.Path));
        builder.Services.AddRoutingCore();
        _web = builder.Build();
        _web.Run(AnswerAsync);
    }

    /// <summary>Method, path and body of every request, in order.</summary>
    public IReadOnlyList<string> Asked
    {
        get
        {
            lock (_lock) return [.. _asked];
        }
    }

    /// <summary>Answers by method and path; a status and a body.</summary>
    public Dictionary<string, (int Status, string Body)> Answers { get; } = [];

    /// <summary>Called before a request is answered.</summary>
    public Action<string> OnAsked { get; set; } = _ => { };

    /// <param name="teach">What it says, for where it may be asked as soon as it is there.</param>
    public static async Task<FakeDaemon> StartAsync(StateDirectory state, StatusDocument status, Action<FakeDaemon>? teach = null)
    {
        var daemon = new FakeDaemon(state, status);
        teach?.Invoke(daemon);
        await daemon._web.StartAsync();
        return daemon;
    }

    public StatusDocument Status
    {
        get
        {
            lock (_lock) return _status;
        }
    }

    public void Become(StatusDocument status) => Change(() => _status = status);

    /// <summary>Streams end well, as when a daemon ends.</summary>
    public void End() => Change(() => _ended = true);

    public async ValueTask DisposeAsync()
    {
        End();
        await _web.DisposeAsync();
        _socket.Dispose();
    }

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            change();
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
        var asked = $"{context.Request.Method} {context.Request.Path}";
        lock (_lock) _asked.Add($"{asked}{context.Request.QueryString} {body}".TrimEnd());
        OnAsked(asked);
        if (asked == "GET /v1/status" && context.Request.Query["follow"] == "true")
        {
            await FollowAsync(context);
            return;
        }

        var (status, answer) = Answers.TryGetValue(asked, out var given) ? given : asked == "GET /v1/status"
            ? (200, JsonSerializer.Serialize(Status, ControlJson.Readable.StatusDocument))
            : (404, """{"error":{"code":"unknown_path","message":"there is nothing here","hint":null}}""");
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(answer);
    }

    private async Task FollowAsync(HttpContext context)
    {
        while (true)
        {
            Task next;
            StatusDocument status;
            bool ended;
            lock (_lock) (next, status, ended) = (_changed.Task, _status, _ended);
            if (ended) return;
            await context.Response.WriteAsync(JsonSerializer.Serialize(status, ControlJson.Readable.StatusDocument) + "\n");
            await context.Response.Body.FlushAsync();
            await next.WaitAsync(context.RequestAborted);
        }
    }
}
