using Stoker.Cli.Watching;
using Stoker.Daemon.Protocol;
using Stoker.Gpus;
using Stoker.Platform;

namespace Stoker.Cli.GpuVerbs;

/// <summary><c>stoker gpu top</c>: the loop between documents, keys and the screen.</summary>
internal sealed class GpuTop : IDisposable
{
    private readonly Invocation _run;
    private readonly IScreen? _screen;
    private readonly ViewFacts<Fact> _facts = new();
    private readonly ScreenPainter _painter = new();
    private readonly CancellationTokenSource _end;
    private GpuTopModel _model = new();
    private MachineLoad? _load;

    private GpuTop(Invocation run, IScreen? screen, CancellationToken interrupt)
    {
        (_run, _screen, _end) = (run, screen, CancellationTokenSource.CreateLinkedTokenSource(interrupt));
    }

    public static Verb Create() => new Verb("top", "a live view of GPUs, the processes on them and the services that own these, with processors and memory")
    {
        Example = "stoker gpu top",
        Remarks =
        [
            "Keys: m, g, c and r sort by GPU memory, GPU, CPU and RAM; arrows scroll; q ends. A star behind a model marks a card that is simulated. "
            + "With --json, or where output is no terminal: one document, or one table, each second.",
        ],
        ExitCodes = [ExitCode.NoDaemon, ExitCode.Interrupted],
    }.Does(RunAsync);

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private static async Task<ExitCode> RunAsync(Invocation run)
    {
        var screen = run.Json ? null : run.World.Terminal.OpenScreen();
        try
        {
            using var interrupts = run.World.Interrupts();
            using var top = new GpuTop(run, screen, screen is null ? interrupts.First : CancellationToken.None);
            return await top.RunAsync();
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        finally
        {
            screen?.Dispose();
        }
    }

    private async Task<ExitCode> RunAsync()
    {
        _facts.Watch(FollowAsync(_end.Token));
        if (_screen is not null) _facts.WatchScreen(_screen, input => new Fact.Input(input), _end.Token);
        while (true)
        {
            if (Take(await _facts.NextAsync(_end.Token)) is { } code) return code;
            if (_screen is null) continue;
            var frame = _painter.Paint(GpuTopView.Lay(_model, _run.World.Terminal.Size, _run.World.Clock, _run.Style));
            if (frame.Length > 0) _screen.Write(frame);
        }
    }

    /// <summary>Null to go on.</summary>
    private ExitCode? Take(Fact fact)
    {
        switch (fact)
        {
            case Fact.Seen seen:
                var load = MachineLoad.Read();
                _model = _model with { Gpus = seen.Gpus, Cpu = load.PercentSince(_load), Load = load, Now = _run.World.Clock.GetUtcNow() };
                _load = load;
                if (_screen is null) Print(seen.Gpus);
                return null;
            case Fact.Ended:
                if (_screen is null) _run.Report.Say("the daemon ended");
                return ExitCode.NoDaemon;
            case Fact.Input { What: ScreenInput.Closed }:
                return ExitCode.Interrupted;
            case Fact.Input { What: ScreenInput.Resized }:
                _screen!.Write(_painter.Clear());
                return null;
            case Fact.Input { What: ScreenInput.Pressed { Key: var key } }:
                if (key.Kind == KeyKind.Interrupt) return ExitCode.Interrupted;
                if (key.Kind == KeyKind.Escape || key.Is('q')) return ExitCode.Done;
                _model = GpuTopModel.Press(_model, key);
                return null;
            default:
                return null;
        }
    }

    private void Print(GpusDocument gpus)
    {
        if (_run.Json)
        {
            _run.PrintJson(gpus, GpuJson.Readable.GpusDocument);
        }
        else
        {
            foreach (var line in GpuTables.List(gpus, _run.Width, _run.Style)) _run.Output.WriteLine(line);
            _run.Output.WriteLine();
        }

        _run.Output.Flush();
    }

    /// <summary>From the daemon where one answers, else from the driver.</summary>
    private async Task FollowAsync(CancellationToken cancel)
    {
        if (_run.Quiet().State is { } state && await _run.World.Control(state).FollowGpusAsync(cancel) is ControlReply<ControlStream<GpusDocument>>.Answered { Document: var stream })
        {
            using (stream)
            {
                while (await stream.NextAsync(cancel) is { } gpus) _facts.Post(new Fact.Seen(gpus));
            }

            _facts.Post(new Fact.Ended());
            return;
        }

        using var local = new LocalGpus(_run);
        while (!cancel.IsCancellationRequested)
        {
            _facts.Post(new Fact.Seen(await local.LookAsync()));
            await Task.Delay(GpusModule.Pace, _run.World.Clock, cancel);
        }
    }

    private abstract record Fact
    {
        internal sealed record Seen(GpusDocument Gpus) : Fact;

        internal sealed record Ended : Fact;

        internal sealed record Input(ScreenInput What) : Fact;
    }
}
