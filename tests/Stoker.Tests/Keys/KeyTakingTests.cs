using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Stoker.Cli;
using Stoker.Gateway;
using Stoker.Keys;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Routing;
using Stoker.Tests.Cli;
using Stoker.Tests.Logs;
using Xunit;

namespace Stoker.Tests.Keys;

/// <summary>The verbs that make and revoke keys, beside a gateway whose own looks are never due: what it knows, it was told.</summary>
public sealed class KeyTakingTests
{
    private const string Unanswered = "warning: the gateway did not answer within a second: until it goes on, it takes keys as they were before";

    [Fact]
    public async Task A_key_is_in_force_when_the_verb_that_made_it_ends_and_worthless_when_the_one_that_revoked_it_does()
    {
        using var world = new FakeWorld();
        Directory.CreateDirectory(world.State.Path);
        var time = new ManualTime(FrozenClock.Noon);
        using var state = new GatewayState(
            new Router(RouterOptions.Default, 1), new KeyWatch(world.State.GatewayDatabase, time, _ => { }), new LedgerWriter(world.State.Ledger, TimeSpan.FromDays(1), time, _ => { }), FrozenClock.Noon, _ => { });
        using var stop = new CancellationTokenSource();
        var socket = new GatewayAdmin(state, world.State.Path).RunAsync(stop.Token);
        var patience = DateTime.UtcNow.AddSeconds(30);
        while (await GatewayStatus.AskAsync(world.State, stop.Token) is null) Assert.True(DateTime.UtcNow < patience && !socket.IsFaulted);

        // Beside a gateway that does not answer for a second, as none does on a machine that stands still for as long, a verb ends without having promised anything.
        JsonElement Run(params string[] words)
        {
            var said = Said(world, words);
            if (world.Error.ToString().Contains(Unanswered, StringComparison.Ordinal)) state.Keys.Look();
            return said;
        }

        var first = Run("create", "ci").GetProperty("key").GetString()!;
        Assert.Equal(KeyVerdict.Valid, Verdict(first));
        var second = Run("rotate", "ci", "--grace", "0").GetProperty("key").GetString()!;
        Assert.Equal((KeyVerdict.Rotated, KeyVerdict.Valid), (Verdict(first), Verdict(second)));
        Run("revoke", "ci");
        Assert.Equal(KeyVerdict.Revoked, Verdict(second));

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => socket);

        KeyVerdict Verdict(string secret) => state.Keys.Ring.Find(Encoding.ASCII.GetBytes(secret), FrozenClock.Noon.UtcTicks, out _);
    }

    [Fact]
    public void A_verb_beside_a_gateway_that_does_not_answer_says_that_it_is_not_in_force_yet()
    {
        using var world = new FakeWorld();
        Directory.CreateDirectory(world.State.Path);
        Said(world, "create", "ci");
        Assert.DoesNotContain(Unanswered, world.Error.ToString(), StringComparison.Ordinal);

        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Bind(new UnixDomainSocketEndPoint(world.State.GatewaySocket));
        silent.Listen();
        Said(world, "revoke", "ci");
        Assert.Contains(Unanswered, world.Error.ToString(), StringComparison.Ordinal);
    }

    private static JsonElement Said(FakeWorld world, params string[] words)
    {
        world.Output.GetStringBuilder().Clear();
        Assert.Equal(ExitCode.Done, world.Run(["key", .. words, "--json"]));
        return JsonDocument.Parse(world.Output.ToString()).RootElement;
    }
}
