using System.Threading.Channels;
using Stoker.Cli.Watching;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>The terminal that the program was started on.</summary>
internal sealed class LocalTerminal : ITerminal
{
    public bool OutputIsTerminal { get; } = TerminalDevice.IsTerminal(TerminalDevice.Output);

    public bool ErrorIsTerminal { get; } = TerminalDevice.IsTerminal(TerminalDevice.Error);

    public TerminalSize Size => TerminalDevice.Size is var (columns, rows) ? new TerminalSize(columns, rows) : new TerminalSize(80, 24);

    public IScreen? OpenScreen()
    {
        if (!OutputIsTerminal) return null;
        var screen = new Screen();
        return screen.Open() ? screen : null;
    }

    private sealed class Screen : IScreen, ITerminalListener
    {
        private readonly Channel<ScreenInput> _inputs = Channel.CreateUnbounded<ScreenInput>();
        private RawTerminal? _raw;

        public bool Open() => (_raw = RawTerminal.Open(this)) is not null;

        public void Write(string frame) => _raw!.Write(frame);

        public ValueTask<ScreenInput> NextAsync(CancellationToken cancel) => _inputs.Reader.ReadAsync(cancel);

        public void Typed(ReadOnlySpan<byte> bytes)
        {
            foreach (var key in KeyDecoder.Decode(bytes)) _inputs.Writer.TryWrite(new ScreenInput.Pressed(key));
        }

        public void Resized() => _inputs.Writer.TryWrite(new ScreenInput.Resized());

        public void Closed() => _inputs.Writer.TryWrite(new ScreenInput.Closed());

        public void Dispose() => _raw?.Dispose();
    }
}
