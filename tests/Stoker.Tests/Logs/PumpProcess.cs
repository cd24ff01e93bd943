using System.Diagnostics;
using System.Runtime.CompilerServices;
using Stoker.Logs;

namespace Stoker.Tests.Logs;

/// <summary>
/// A pump in a process of its own, so that it can be killed: the test program started again with a variable that says so. It
/// says <c>attached</c> on its output and then pumps until its end.
/// </summary>
internal static class PumpProcess
{
    private const string Variable = "STOKER_TEST_PUMP";

    public static Process Start(LogSource source, LogRotation rotation)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
        {
            start.ArgumentList.Add(typeof(PumpProcess).Assembly.Location);
        }

        start.Environment[Variable] = string.Join('|', source.OutputFifo, source.ErrorFifo, source.LogPath, rotation.MaxSize, rotation.MaxFiles);
        return Process.Start(start)!;
    }

    [ModuleInitializer]
    internal static void BecomeThePumpWhenAskedTo()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text)
        {
            return;
        }

        string[] parts = text.Split('|');
        var source = new LogSource("vision", 1, parts[0], parts[1], parts[2], new LogRotation(long.Parse(parts[3]), int.Parse(parts[4])), []);
        var pump = new LogPump(TimeProvider.System, static happened => Console.Error.WriteLine(happened));
        pump.Attach(source);
        Console.WriteLine("attached");
        new ManualResetEvent(false).WaitOne();
    }
}
