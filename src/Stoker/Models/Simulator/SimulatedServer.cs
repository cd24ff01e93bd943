using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Stoker.Models.Simulator.Answers;
using Stoker.Models.Simulator.Endpoints;
using Stoker.Models.Simulator.Engine;
using Stoker.Models.Simulator.Faults;
using Stoker.Models.Simulator.Wire;

namespace Stoker.Models.Simulator;

/// <summary>One simulated model server: listens, and gives each request to the endpoint of its path.</summary>
internal sealed class SimulatedServer : IAsyncDisposable
{
    private readonly byte[] _commonHeaders;
    private readonly Dictionary<string, Func<Call, ValueTask>> _modelRoutes, _sideRoutes;
    private readonly HashSet<string> _keys;
    private WireServer? _wire;

    private SimulatedServer(SimulatorOptions options, TimeProvider clock)
    {
        Options = options;
        Clock = clock;
        Engine = new ModelEngine(options, clock);
        Faults = new FaultRules(options.Seed);
        Requests = new RequestLog(options.RequestsKept, clock);
        Began = clock.GetUtcNow().ToUnixTimeSeconds();
        _keys = [.. options.Keys];
        _modelRoutes = ModelRoutes.All().ToDictionary(route => route.Key, route => route.Value, StringComparer.Ordinal);
        _sideRoutes = SideRoutes.All(this).ToDictionary(route => route.Key, route => route.Value, StringComparer.Ordinal);
        _commonHeaders = Encoding.UTF8.GetBytes($"server: stoker-simulator\r\n{SimulatorModule.NameHeader}: {options.Label ?? options.Listen.ToString()}\r\n");
    }

    public SimulatorOptions Options { get; }

    public TimeProvider Clock { get; }

    public ModelEngine Engine { get; }

    public FaultRules Faults { get; }

    public RequestLog Requests { get; }

    /// <summary>Unix time of the start, which `created` says of the model.</summary>
    public long Began { get; }

    public IPEndPoint Address => _wire!.Address;

    /// <exception cref="IOException">It cannot listen there.</exception>
    public static SimulatedServer Start(SimulatorOptions options, TimeProvider clock)
    {
        var server = new SimulatedServer(options, clock);
        try
        {
            server._wire = WireServer.Start(options.Listen, server.HandleAsync, clock);
        }
        catch
        {
            server.Engine.Dispose();
            throw;
        }

        return server;
    }

    /// <summary>Accepts no more, finishes what is under way within the grace, ends the rest.</summary>
    public Task StopAsync(TimeSpan grace, CancellationToken impatient) => _wire!.StopAsync(grace, impatient);

    public async ValueTask DisposeAsync()
    {
        await _wire!.DisposeAsync();
        Engine.Dispose();
    }

    public bool Serves(string model) => Options.Names.Contains(model);

    private async ValueTask HandleAsync(Exchange exchange)
    {
        exchange.CommonHeaders = _commonHeaders;
        var path = Encoding.UTF8.GetString(exchange.Head.Path);
        var call = new Call(this, exchange);
        if (_sideRoutes.TryGetValue(path, out var side))
        {
            await SideAsync(call, path, side);
            return;
        }

        var began = Clock.GetTimestamp();
        call.Record = Requests.Begin(exchange);
        try
        {
            await ModelAsync(call, path);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException && exchange.Status == 0)
        {
            // InvalidOperationException: a text that is no Unicode, as JSON's reader has it.
            await call.RefuseAsync(Refusal.Bad(e.Message));
        }
        catch (SocketException)
        {
            exchange.Leave();
        }
        finally
        {
            Finish(call, began);
        }
    }

    private async ValueTask SideAsync(Call call, string path, Func<Call, ValueTask> side)
    {
        try
        {
            if (!Faults.IsEmpty && Faults.For(call.Exchange.Head.Path, null) is { Status: not null } fault) call.Fault = fault;
            if (call.Fault is not null && !path.StartsWith("/admin/", StringComparison.Ordinal)) await call.FailAsync();
            else await side(call);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            await call.RefuseAsync(Refusal.Bad(e.Message));
        }
    }

    private async ValueTask ModelAsync(Call call, string path)
    {
        var exchange = call.Exchange;
        if (exchange.Head.AsksForFaults && exchange.Head.Header(SimulatorModule.FaultHeader) is { } header)
        {
            if (!FaultReader.TryRead(FaultReader.OfHeader(header), out var rule, out var problem)) throw new FormatException($"{SimulatorModule.FaultHeader}: {problem}");
            call.Fault = rule.Fault;
        }

        if (call.Fault is { ResetBeforeHeaders: true })
        {
            exchange.Reset();
            return;
        }

        if (_keys.Count > 0 && !IsOpen(exchange))
        {
            await call.RefuseAsync(EngineDialect.Unauthorized(Options.Engine));
            return;
        }

        if (!Find(path, out var route))
        {
            await call.RefuseAsync(new Refusal(404, "NotFoundError", "Not Found"));
        }
        else if (!exchange.Head.Method.SequenceEqual(path.StartsWith("/v1/models", StringComparison.Ordinal) ? "GET"u8 : "POST"u8))
        {
            await call.RefuseAsync(new Refusal(405, "BadRequestError", "Method Not Allowed"));
        }
        else if (!Engine.IsLoaded)
        {
            await call.RefuseAsync(EngineDialect.Loading(Options.Engine));
        }
        else
        {
            await route!(call);
        }
    }

    private bool Find(string path, out Func<Call, ValueTask>? route) =>
        _modelRoutes.TryGetValue(path, out route)
        || (path.StartsWith("/v1/models/", StringComparison.Ordinal) && _modelRoutes.TryGetValue("/v1/models/", out route));

    private bool IsOpen(Exchange exchange) =>
        !exchange.Head.Path.StartsWith("/v1/"u8)
        || (exchange.Head.Header("authorization") is { } given && given.StartsWith("Bearer ", StringComparison.Ordinal) && _keys.Contains(given[7..]));

    private void Finish(Call call, long began)
    {
        if (call.Record is not { } record) return;
        record.Status = call.Exchange.Status;
        record.Took = Clock.GetElapsedTime(began);
        if (record.Outcome != RequestOutcome.Running) return;
        record.Outcome = call.Exchange.HasLeft ? RequestOutcome.Cancelled
            : call.WasCut ? RequestOutcome.Faulted
            : call.Exchange.Status is >= 400 or 0 ? RequestOutcome.Refused : RequestOutcome.Completed;
        if (call.Exchange.HasLeft) record.Noticed = Clock.GetElapsedTime(call.Exchange.LeftAt);
    }
}
