namespace Stoker.Bench;

/// <summary>
/// What the parts that every request passes cost the processor: `dotnet run -c Release --project bench/gateway/costs [ledger|calls]`.
/// Processor time of the whole process, kernel included, so that other work on the machine does not count.
/// </summary>
internal static class Program
{
    private static void Main(string[] args)
    {
        var which = args is [var first, ..] ? first : "all";
        if (which is "all" or "ledger") LedgerCosts.Run();
        if (which is "all" or "calls") CallCosts.Run();
    }
}
