using System.Net;
using System.Net.Sockets;
using Stoker.Gateway;
using Xunit;

namespace Stoker.Tests.Gateway;

public sealed class HostAddressesTests
{
    private static readonly IPAddress One = IPAddress.Parse("10.0.0.1"), Two = IPAddress.Parse("10.0.0.2"), Three = IPAddress.Parse("10.0.0.3");

    private readonly MovedClock _clock = new();
    private readonly List<string> _said = [];
    private readonly List<string> _asked = [];
    private readonly HostAddresses _addresses;
    private Func<string, Task<IPAddress[]>> _answer = _ => Task.FromResult<IPAddress[]>([One]);
    private bool _isWell = true;

    public HostAddressesTests() => _addresses = new HostAddresses(name =>
    {
        _asked.Add(name);
        return _answer(name);
    }, _clock, _said.Add);

    [Fact]
    public void A_name_has_its_address_when_it_has_been_answered_and_an_address_is_itself_and_never_asked()
    {
        Assert.Equal(IPAddress.None, _addresses.Of("gpu.lan"));
        Assert.True(Look("gpu.lan", "10.9.9.9", "fd00::7"));
        Assert.Equal((One, IPAddress.Parse("10.9.9.9"), IPAddress.Parse("fd00::7")), (_addresses.Of("gpu.lan"), _addresses.Of("10.9.9.9"), _addresses.Of("fd00::7")));
        Assert.Equal(["gpu.lan"], _asked);
        Assert.Equal(["`gpu.lan` is at 10.0.0.1"], _said);
    }

    [Fact]
    public void An_answer_holds_for_30_seconds_and_a_host_that_moved_is_told()
    {
        Look("gpu.lan");
        _answer = _ => Task.FromResult<IPAddress[]>([Two]);
        Pass(29.9);
        Assert.False(Look("gpu.lan"));
        Pass(0.1);
        Assert.True(Look("gpu.lan"));
        Assert.Equal(Two, _addresses.Of("gpu.lan"));
        Assert.Equal("`gpu.lan` is at 10.0.0.2 now, and no longer at 10.0.0.1", _said[^1]);
        Assert.Equal(2, _asked.Count);
    }

    [Fact]
    public void While_nobody_answers_there_it_is_asked_for_every_2_seconds_and_of_several_addresses_the_next_is_taken()
    {
        _answer = _ => Task.FromResult<IPAddress[]>([One, Two, Three]);
        Look("gpu.lan");
        _isWell = false;
        List<IPAddress> taken = [];
        for (var look = 0; look < 4; look++)
        {
            Pass(2);
            Assert.True(Look("gpu.lan"));
            taken.Add(_addresses.Of("gpu.lan"));
        }

        Assert.Equal([Two, Three, One, Two], taken);
        // To try another one is not to move.
        Assert.Single(_said);
        _isWell = true;
        Pass(30);
        Assert.False(Look("gpu.lan"));
        Assert.Equal(Two, _addresses.Of("gpu.lan"));
    }

    [Fact]
    public void The_only_address_stays_though_nobody_answers_and_an_answer_in_another_order_is_the_same()
    {
        Look("gpu.lan");
        _isWell = false;
        Pass(2);
        Assert.False(Look("gpu.lan"));
        (_isWell, _answer) = (true, _ => Task.FromResult<IPAddress[]>([Three, One]));
        Pass(30);
        Assert.False(Look("gpu.lan"));
        Assert.Equal(One, _addresses.Of("gpu.lan"));
    }

    [Fact]
    public void A_resolver_that_fails_takes_no_address_away_is_told_once_and_asked_again()
    {
        _answer = _ => Task.FromException<IPAddress[]>(new SocketException((int)SocketError.TryAgain));
        Assert.False(Look("gpu.lan"));
        Pass(2);
        Assert.False(Look("gpu.lan"));
        Assert.Matches("^warning: the name `gpu.lan` cannot be resolved: [^;]+$", Assert.Single(_said));
        Assert.Equal(IPAddress.None, _addresses.Of("gpu.lan"));

        (_answer, var failing) = (_ => Task.FromResult<IPAddress[]>([One]), _answer);
        Pass(2);
        Assert.True(Look("gpu.lan"));
        _answer = failing;
        Pass(30);
        Assert.False(Look("gpu.lan"));
        Assert.Equal(One, _addresses.Of("gpu.lan"));
        Assert.EndsWith("; 10.0.0.1 stays in use", _said[^1], StringComparison.Ordinal);
        _answer = _ => Task.FromResult<IPAddress[]>([]);
        Pass(30);
        Assert.False(Look("gpu.lan"));
        Assert.Contains("it has no address", _said[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_question_that_is_not_answered_yet_is_not_asked_again_and_keeps_nobody_else_waiting()
    {
        var slow = new TaskCompletionSource<IPAddress[]>();
        _answer = name => name == "slow.lan" ? slow.Task : Task.FromResult<IPAddress[]>([One]);
        Assert.True(Look("slow.lan", "gpu.lan"));
        Assert.False(_addresses.Answered.IsCompleted);
        Pass(60);
        Look("slow.lan", "gpu.lan");
        Assert.Single(_asked, "slow.lan");
        slow.SetResult([Two]);
        Assert.True(Look("slow.lan", "gpu.lan"));
        Assert.Equal((Two, One), (_addresses.Of("slow.lan"), _addresses.Of("gpu.lan")));
    }

    [Fact]
    public void What_is_declared_no_more_is_forgotten()
    {
        Look("gpu.lan");
        Look("other.lan");
        Assert.Equal(IPAddress.None, _addresses.Of("gpu.lan"));
        Pass(30);
        Look("other.lan");
        Assert.Equal(["gpu.lan", "other.lan", "other.lan"], _asked);
    }

    private bool Look(params string[] hosts)
    {
        _addresses.Ask(hosts.ToHashSet(), _ => _isWell);
        return _addresses.Take();
    }

    private void Pass(double seconds) => _clock.Now += (long)(seconds * TimeSpan.TicksPerSecond);

    private sealed class MovedClock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
