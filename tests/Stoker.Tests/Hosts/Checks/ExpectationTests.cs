using FsCheck;
using FsCheck.Fluent;
using Stoker.Hosts.Checks;
using Xunit;

namespace Stoker.Tests.Hosts.Checks;

public sealed class ExpectationTests
{
    [Theory]
    [InlineData("1.2", "1.2", true)]
    [InlineData("1.2", "1.20", false)]
    [InlineData("!down", "up", true)]
    [InlineData("!down", "down", false)]
    [InlineData("/^5\\.[0-9]+$/", "5.10", true)]
    [InlineData("!/fail/", "all is well", true)]
    [InlineData(">=550", "550.54.14", true)]
    [InlineData(">=550.60", "550.54.14", false)]
    [InlineData(">=535 <560", "550.54.14", true)]
    [InlineData(">=535, <550", "550.54.14", false)]
    [InlineData(">= 64 GiB", "68719476736", true)]
    [InlineData(">=64GiB", "68719476735", false)]
    [InlineData(">5.9", "5.10", true)]
    [InlineData("<=10", "9", true)]
    [InlineData("<=10", "60", false)]
    [InlineData(">=2", "16", true)]
    [InlineData("=64GiB", "68719476736", true)]
    [InlineData("64GiB", "68719476736", true)]
    [InlineData("!=3", "3", false)]
    [InlineData(">=1.0", "1.0~rc1", false)]
    [InlineData(">=2.4", "2.4.0+cu121", true)]
    [InlineData("<2:1.0", "1:9.0", true)]
    public void A_value_is_held_to_what_is_written(string expectation, string found, bool isMet)
    {
        var parsed = Expectation.Parse(expectation, out var problem);
        Assert.Equal("", problem);
        Assert.Equal(isMet, parsed!.IsMetBy(found));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData(">=")]
    [InlineData(">=1 <")]
    [InlineData("!")]
    [InlineData("/(/")]
    public void What_nothing_can_be_held_against_is_refused(string expectation)
    {
        Assert.Null(Expectation.Parse(expectation, out var problem));
        Assert.NotEqual("", problem);
    }

    [Theory]
    [InlineData("PermitRootLogin no", true)]
    [InlineData("/^PasswordAuthentication +no$/", true)]
    [InlineData("!PermitEmptyPasswords yes", true)]
    [InlineData("!/^PermitRootLogin/", false)]
    public void A_text_is_searched_line_by_line(string expectation, bool isMet) =>
        Assert.Equal(isMet, Expectation.Parse(expectation, out _)!.IsIn("Port 22\nPermitRootLogin no\nPasswordAuthentication   no\n"));

    /// <summary>The pairs of dpkg's own test of its comparison, https://git.dpkg.org/cgit/dpkg/dpkg.git/tree/lib/dpkg/t/t-version.c</summary>
    [Theory]
    [InlineData("0", "0", 0)]
    [InlineData("0:0-0", "0-0", 0)]
    [InlineData("0:0-0-0", "0-0-0", 0)]
    [InlineData("1:0", "0:1", 1)]
    [InlineData("0:a", "0:b", -1)]
    [InlineData("1.0~rc1", "1.0", -1)]
    [InlineData("1.0~~", "1.0~", -1)]
    [InlineData("1.0", "1.0-1", -1)]
    [InlineData("1.2.10", "1.2.9", 1)]
    [InlineData("001", "1", 0)]
    [InlineData("1.0a", "1.0+", -1)]
    [InlineData("6.8.0-45-generic", "5.10", 1)]
    public void Versions_are_ordered_as_Debian_orders_them(string a, string b, int order)
    {
        Assert.Equal(order, Math.Sign(VersionOrder.Compare(a, b)));
        Assert.Equal(-order, Math.Sign(VersionOrder.Compare(b, a)));
    }

    [Fact]
    public void The_order_of_versions_is_one_whatever_they_are_made_of()
    {
        var version = Gen.ArrayOf(Gen.Elements('0', '1', '9', '.', '-', '+', '~', 'a', 'Z', ':')).Select(c => new string(c));
        Prop.ForAll(Arb.From(Gen.Three(version)), three =>
        {
            var (a, b, c) = three;
            var antisymmetric = Math.Sign(VersionOrder.Compare(a, b)) == -Math.Sign(VersionOrder.Compare(b, a));
            var transitive = !(VersionOrder.Compare(a, b) <= 0 && VersionOrder.Compare(b, c) <= 0) || VersionOrder.Compare(a, c) <= 0;
            return VersionOrder.Compare(a, a) == 0 && antisymmetric && transitive;
        }).QuickCheckThrowOnFailure();
    }
}
