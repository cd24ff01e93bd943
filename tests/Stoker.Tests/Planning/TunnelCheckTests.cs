using Stoker.Estates;
using Stoker.Planning;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class TunnelCheckTests
{
    private static readonly EstateBuilder Estate = new EstateBuilder().Service("kafka", s => s.Command("ssh", "-N", "bastion").With(s.Spec with
    {
        Command = ["ssh", "-N", "bastion"],
        Tunnel = new TunnelSpec("bastion", 2222, EstateBuilder.At(11)) { Identity = new Positioned<string>("/keys/id", EstateBuilder.At(12)), KnownHosts = new Positioned<string>("/keys/hosts", EstateBuilder.At(13)) },
    }));

    [Fact]
    public void An_identity_that_others_may_read_is_refused()
    {
        var refused = Plans.Plan(Estate, null, With("which others may read, so that ssh refuses it", true)).Only(PlanDiagnostics.TunnelIdentity);
        Assert.Equal("stoker.yaml:12:5: error PLN080: tunnel `kafka` has the identity `/keys/id`, which others may read, so that ssh refuses it", refused.ToString());
        Assert.Equal("`chmod 600 /keys/id`, or name another", refused.Hint);
    }

    [Fact]
    public void A_host_key_that_is_not_known_is_refused_with_the_way_to_add_it()
    {
        var refused = Plans.Plan(Estate, null, With(null, false)).Only(PlanDiagnostics.UnknownHostKey);
        Assert.Equal("stoker.yaml:13:5: error PLN081: the host key of `bastion`, to which tunnel `kafka` leads, is not in `/keys/hosts`", refused.ToString());
        Assert.Equal("`ssh-keyscan -p 2222 bastion >> /keys/hosts`, then compare `ssh-keygen -lf /keys/hosts` with what its owner says", refused.Hint);
    }

    [Fact]
    public void In_a_rehearsal_a_tunnel_that_cannot_be_made_is_stood_in_for()
    {
        var service = Plans.Plan(Estate, new PlanRequest { Rehearse = true }, With(null, false)).Of("kafka");
        Assert.Equal((RuntimeKind.StandIn, "the host key of bastion is not known"), (service.Runtime, service.StandIn));
        Assert.Equal(RuntimeKind.Process, Plans.Plan(Estate, new PlanRequest { Rehearse = true }, With(null, true)).Of("kafka").Runtime);
    }

    [Theory]
    [InlineData("bastion ssh-ed25519 AAAA", "bastion", 22, true)]
    [InlineData("bastion ssh-ed25519 AAAA", "bastion", 2222, false)]
    [InlineData("[bastion]:2222 ssh-ed25519 AAAA", "Bastion", 2222, true)]
    [InlineData("# bastion\n\nother,10.0.0.?,*.example.org ssh-ed25519 AAAA me@box", "10.0.0.7", 22, true)]
    [InlineData("*.example.org,!bad.example.org ssh-ed25519 AAAA", "bad.example.org", 22, false)]
    [InlineData("@cert-authority *.example.org ssh-ed25519 AAAA", "a.example.org", 22, true)]
    [InlineData("@revoked bastion ssh-ed25519 AAAA", "bastion", 22, false)]
    [InlineData("bastion ssh-ed25519", "bastion", 22, false)]
    [InlineData("|1|bm90IGJhc2U2NA==|x ssh-ed25519 AAAA", "bastion", 22, false)]
    // By `ssh-keygen -H`.
    [InlineData("|1|y9FEsNaimeqUqGqkuPlbXwCOW8E=|7tW3GOBck8aU+1bL9B5qxKF/Eq4= ssh-ed25519 AAAA", "bastion", 22, true)]
    [InlineData("|1|y9FEsNaimeqUqGqkuPlbXwCOW8E=|7tW3GOBck8aU+1bL9B5qxKF/Eq4= ssh-ed25519 AAAA", "bastion", 2222, false)]
    [InlineData("|1|aWdTFwXELHHdai2c8ArqyrDZgcM=|/37h1nC1kx42pGqUJWithrKUd70= ssh-ed25519 AAAA", "bastion", 2222, true)]
    public void Files_of_host_keys_are_read_as_ssh_reads_them(string text, string host, int port, bool has) => Assert.Equal(has, KnownHosts.Has(text, host, port));

    private static Func<Observed, Observed> With(string? identity, bool knows) =>
        o => o with { Tunnels = new Dictionary<ServiceName, TunnelFacts> { [new("kafka")] = new(identity, knows) } };
}
