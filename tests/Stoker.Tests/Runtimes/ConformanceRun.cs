using System.Text;
using Stoker.Platform;
using Stoker.Runtimes;
using Stoker.Tests.Platform;

namespace Stoker.Tests.Runtimes;

/// <summary>A started run with readers at both of its pipes.</summary>
internal sealed class ConformanceRun : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _end = new();
    private readonly StringBuilder _output = new(), _errors = new();
    private readonly Task _reading;

    public ConformanceRun(RunHandle handle, FifoReader output, FifoReader errors)
    {
        Handle = handle;
        _reading = Task.Run(async () =>
        {
            using (output)
            using (errors)
            {
                while (!_end.IsCancellationRequested)
                {
                    if (!Take(output, _output) && !Take(errors, _errors)) await Task.Delay(2);
                }
            }
        });
    }

    public RunHandle Handle { get; }

    public string Output => TextOf(_output);

    public string Errors => TextOf(_errors);

    public Task UntilOutputAsync(string text) => UntilAsync(_output, text);

    public Task UntilErrorAsync(string text) => UntilAsync(_errors, text);

    public async Task<ExitStatus> EndAsync()
    {
        try
        {
            return await Handle.Main.Exit.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"it did not end; output: {Output}; errors: {Errors}");
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _reading.Wait(Patience);
    }

    private async Task UntilAsync(StringBuilder text, string wanted)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!TextOf(text).Contains(wanted, StringComparison.Ordinal))
        {
            if (limit.IsCancellationRequested) throw new TimeoutException($"`{wanted}` did not come; output: {Output}; errors: {Errors}");
            await Task.Delay(5);
        }
    }

    private static string TextOf(StringBuilder text)
    {
        lock (text) return text.ToString();
    }

    private static bool Take(FifoReader pipe, StringBuilder text)
    {
        Span<byte> buffer = stackalloc byte[8192];
        var count = pipe.Read(buffer);
        lock (text) text.Append(Encoding.UTF8.GetString(buffer[..count]));
        return count > 0;
    }
}
