using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Stoker.Cli.Watching;

/// <summary>What the parts of a live view (keys, documents, answers) tell its one loop, in order.</summary>
internal sealed class ViewFacts<T>
    where T : class
{
    private readonly Channel<T> _facts = Channel.CreateUnbounded<T>(new UnboundedChannelOptions { SingleReader = true });

    public void Post(T fact) => _facts.Writer.TryWrite(fact);

    /// <summary>A part that fails ends the view with its reason, not in silence.</summary>
    public void Watch(Task part) => part.ContinueWith(
        failed => _facts.Writer.TryComplete(failed.Exception!.GetBaseException()), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>Tells of each key and each change of the screen, until that is closed.</summary>
    public void WatchScreen(IScreen screen, Func<ScreenInput, T> told, CancellationToken cancel) => Watch(ReadAsync(screen, told, cancel));

    /// <exception cref="InvalidOperationException">A part failed; what it met is inside.</exception>
    public async ValueTask<T> NextAsync(CancellationToken cancel)
    {
        try
        {
            return await _facts.Reader.ReadAsync(cancel);
        }
        catch (ChannelClosedException closed)
        {
            throw new InvalidOperationException("a part of the view failed", closed.InnerException);
        }
    }

    /// <summary>What has come meanwhile.</summary>
    public bool TryNext([NotNullWhen(true)] out T? fact) => _facts.Reader.TryRead(out fact);

    private async Task ReadAsync(IScreen screen, Func<ScreenInput, T> told, CancellationToken cancel)
    {
        ScreenInput input;
        do
        {
            input = await screen.NextAsync(cancel);
            Post(told(input));
        }
        while (input is not ScreenInput.Closed);
    }
}
