using System.Globalization;
using Stoker.Drills.Shared;
using Stoker.Gateway;
using Stoker.Gateway.Ledger;
using Stoker.Tests.Gateway.Shared;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Drills.Gateway;

/// <summary>A full disk under the gateway's state directory: nobody's request waits for it, and no row is lost.</summary>
public sealed class GatewayDiskDrills
{
    [Fact]
    public async Task Requests_are_answered_while_the_disk_is_full_and_the_ledger_has_them_all_when_there_is_room_again()
    {
        using var disk = SmallDisk.Mount("8m");
        await using var model = RawServer.Saying(Sse.Json(Sse.Answer("x")));
        await using var gateway = await RunningGateway.StartAsync(GatewayBench.Plan(model.Address), Path.Combine(disk.Path, "state"));
        var asked = 0;
        await AskAsync(10);
        var ballast = disk.Fill(leaving: 0);

        // What room there is in the files that are there is used up first.
        while (!gateway.Said.Any(line => line.StartsWith("ledger: ", StringComparison.Ordinal))) await AskAsync(50);
        Assert.Contains("rows wait in memory", gateway.Said.Single(line => line.StartsWith("ledger: ", StringComparison.Ordinal)));
        await AskAsync(500);
        Assert.InRange(await MetricAsync("stoker_gateway_ledger_waiting"), 500, asked);

        File.Delete(ballast);
        await gateway.SaysAsync("ledger: it can be written again");
        await AskAsync(10);
        gateway.Terminate();
        Assert.Equal(0, await gateway.EndedAsync());
        using var ledger = LedgerReader.OpenIfPresent(Path.Combine(gateway.State, GatewayProcess.LedgerFile))!;
        var sums = Assert.Single(ledger.Usage(UsageBy.Outcome, null));
        Assert.Equal(("good", asked, asked * 5L), (sums.Name, sums.Requests, sums.Tokens));
        Assert.DoesNotContain(gateway.Said, line => line.Contains("lost", StringComparison.Ordinal));

        async Task AskAsync(int count)
        {
            for (var i = 0; i < count; i++, asked++)
            {
                using var answer = await gateway.Client.PostAsync(Sse.Path, new StringContent(Sse.Chat("x")));
                Assert.Equal(200, (int)answer.StatusCode);
            }
        }

        async Task<double> MetricAsync(string name) =>
            double.Parse((await gateway.Client.GetStringAsync("/metrics")).Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
