using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoker.Daemon.Protocol;
using Stoker.Platform;

namespace Stoker.Daemon;

/// <summary>
/// The control socket: HTTP and JSON over a Unix socket that only its owner may open (0600 in a directory of 0700). The paths are in
/// <see cref="ControlRoutes"/>, each capability maps its own. Between hosts the same paths will be served over mTLS.
/// </summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly ControlSocket _socket;

    private ControlServer(WebApplication web, ControlSocket socket)
    {
        _web = web;
        _socket = socket;
    }

    public static async Task<ControlServer> StartAsync(RunningDaemon daemon)
    {
        var socket = ControlSocket.Of(daemon.Options.State) ?? throw new IOException($"the state directory {daemon.Options.State.Path} cannot be entered");
        // The lock is held: a socket file that is there belongs to a daemon that was killed.
        Files.Delete(daemon.Options.State.ControlSocket);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenUnixSocket(socket.Path);
        });
        builder.Services.AddRoutingCore();
        var web = builder.Build();
        web.Use(AnswerErrorsAsync);
        web.UseRouting();
        DaemonEndpoints.Map(web, daemon);
        ServiceEndpoints.Map(web, daemon);
        StreamEndpoints.Map(web, daemon);
        ModelEndpoints.Map(web, daemon);
        web.MapFallback(context => AnswerAsync(context, 404, ErrorCodes.UnknownPath, $"there is no `{context.Request.Path}` here", "docs/control-api.md lists the paths"));
        await web.StartAsync();
        Files.SetMode(daemon.Options.State.ControlSocket, Files.PrivateFile);
        return new ControlServer(web, socket);
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        try
        {
            await _web.StopAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // Followers hold their connections until the process ends.
        }

        await _web.DisposeAsync();
        _socket.Dispose();
    }

    public static Task AnswerAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, document, type, context.RequestAborted);
    }

    public static Task AnswerAsync(HttpContext context, int status, string code, string message, string? hint = null)
    {
        context.Response.StatusCode = status;
        return AnswerAsync(context, new ErrorDocument(new ErrorBody(code, message, hint)), ControlJson.Readable.ErrorDocument);
    }

    /// <summary>The body, or null after it has been answered that it is not what it should be.</summary>
    public static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } document) return document;
            await AnswerAsync(context, 422, ErrorCodes.Invalid, "the body is empty");
        }
        catch (JsonException wrong)
        {
            await AnswerAsync(context, 422, ErrorCodes.Invalid, $"the body is not what it should be: {wrong.Message}");
        }

        return null;
    }

    /// <summary>A bug or a broken machine is told to the caller and survived by the daemon.</summary>
    private static async Task AnswerErrorsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has left.
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, 500, ErrorCodes.Internal, $"{fault.GetType().Name}: {fault.Message}", "this is a fault of Stoker or of this machine; the daemon goes on");
        }
    }
}
