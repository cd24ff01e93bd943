using System.Diagnostics;
using System.Runtime.CompilerServices;
using Stoker.Gateway.Ledger;

namespace Stoker.Tests.Gateway.Ledger;

/// <summary>
/// A writer in a process of its own, so that it can be killed: the test program started again with a variable that says so. It says <c>writing</c>
/// after the first commit and writes as fast as it can until its end.
/// </summary>
internal static class LedgerProcess
{
    private const string Variable = "STOKER_TEST_LEDGER";

    public static Process Start(string path)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet") start.ArgumentList.Add(typeof(LedgerProcess).Assembly.Location);
        start.Environment[Variable] = path;
        return Process.Start(start)!;
    }

    [ModuleInitializer]
    internal static void BecomeTheWriterWhenAskedTo()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } path) return;
        using var writer = new LedgerWriter(path, TimeSpan.FromDays(30), TimeProvider.System, Console.Error.WriteLine);
        for (var i = 0; ; i++)
        {
            writer.Add(Rows.Row(TimeProvider.System.GetUtcNow(), key: $"key_{i % 5}", model: $"m{i % 3}", prompt: 3, completion: 4));
            if (i % 997 == 0) writer.Flush();
            if (i == 0) Console.WriteLine("writing");
        }
    }
}
