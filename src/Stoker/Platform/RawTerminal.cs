using System.Runtime.InteropServices;
using System.Text;

namespace Stoker.Platform;

/// <summary>What a raw terminal has to tell; called on its own threads.</summary>
internal interface ITerminalListener
{
    void Typed(ReadOnlySpan<byte> bytes);

    void Resized();

    /// <summary>The terminal is gone.</summary>
    void Closed();
}

/// <summary>Key by key and on the alternate screen. The terminal gets its settings back however this ends, short of SIGKILL.</summary>
internal sealed unsafe partial class RawTerminal : IDisposable
{
    // Generous: struct termios has 60 bytes on Linux.
    private const int SettingsSize = 256;
    private const int Now = 0;
    private const string Enter = "\e[?1049h\e[?25l\e[2J";
    private const string Leave = "\e[?25h\e[?1049l";

    private readonly byte[] _settings;
    private readonly ITerminalListener _listener;
    private readonly Stream _output = StandardStreams.Open(StandardStreams.Output);
    private readonly PosixSignalRegistration _resize;
    private readonly EventHandler _atExit;
    private int _restored;

    private RawTerminal(byte[] settings, ITerminalListener listener)
    {
        _settings = settings;
        _listener = listener;
        _resize = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => listener.Resized());
        _atExit = (_, _) => Restore();
        AppDomain.CurrentDomain.ProcessExit += _atExit;
    }

    /// <summary>Null when input is no terminal.</summary>
    public static RawTerminal? Open(ITerminalListener listener)
    {
        var settings = new byte[SettingsSize];
        var raw = new byte[SettingsSize];
        fixed (byte* before = settings, after = raw)
        {
            if (GetAttributes(TerminalDevice.Input, before) != 0) return null;
            settings.CopyTo(raw, 0);
            // Ctrl-C comes as a key, and Ctrl-Z does nothing: a full-screen view that is stopped leaves the terminal unusable.
            MakeRaw(after);
            if (SetAttributes(TerminalDevice.Input, Now, after) != 0) return null;
        }

        var terminal = new RawTerminal(settings, listener);
        terminal.Write(Enter);
        new Thread(terminal.Read) { IsBackground = true, Name = "keyboard" }.Start();
        return terminal;
    }

    public void Write(string frame)
    {
        _output.Write(Encoding.UTF8.GetBytes(frame));
        _output.Flush();
    }

    /// <summary>The thread that reads stays in its read until the process ends; what it still reads goes nowhere.</summary>
    public void Dispose()
    {
        _resize.Dispose();
        AppDomain.CurrentDomain.ProcessExit -= _atExit;
        Restore();
    }

    private void Restore()
    {
        if (Interlocked.Exchange(ref _restored, 1) != 0) return;
        try
        {
            Write(Leave);
        }
        catch (IOException)
        {
            // The terminal is gone; there is nobody to restore it for.
        }

        fixed (byte* before = _settings) _ = SetAttributes(TerminalDevice.Input, Now, before);
    }

    private void Read()
    {
        var buffer = stackalloc byte[256];
        while (true)
        {
            var count = Libc.Read(TerminalDevice.Input, buffer, 256);
            if (count < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted) continue;
            if (count <= 0)
            {
                _listener.Closed();
                return;
            }

            _listener.Typed(new ReadOnlySpan<byte>(buffer, (int)count));
        }
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    private static partial int GetAttributes(int descriptor, byte* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    private static partial int SetAttributes(int descriptor, int when, byte* settings);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw(byte* settings);
}
