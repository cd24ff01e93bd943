using Stoker.Diagnostics;
using Stoker.Estates.Keys;
using Stoker.Estates.Yaml;
using Stoker.Estates;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Tests.Gateway;
using Xunit;

namespace Stoker.Tests.Keys;

public sealed class DeclaredKeyTests
{
    private readonly DiagnosticBag _bag = [];

    private string Said => string.Join('\n', _bag.Sorted().Select(d => d.Hint is null ? $"{d}" : $"{d} ({d.Hint})"));

    private MappingNode Parse(string yaml)
    {
        var root = Assert.IsType<ParsedFile>(NodeParser.Parse(yaml, "stoker.yaml", _bag)).Root;
        new ShapeCheck(_bag).Check(root, DeclaredKeyTables.Shape, KeyPath.Root.Key("gateway").Key("keys"));
        return root;
    }

    private IReadOnlyList<DeclaredKeySpec> Read(string yaml) => DeclaredKeyReader.Read(Parse(yaml), "/srv/estate", _bag);

    [Fact]
    public void A_declared_key_is_read_with_all_that_it_grants()
    {
        var key = Assert.Single(Read(
            """
            ci:
              file: secrets/ci.key
              scopes: [inference, explain]
              models: [phi-*, qwen]
              limits:
                requests_per_minute: 60
                tokens_per_minute: 20k
                concurrent: 4
                models:
                  phi-3: {requests_per_minute: 10}
              budget: {tokens: 5M, period: day}
              priority: high
              weight: 3
              expires: 2027-01-31
            """));
        Assert.Equal("", Said);
        Assert.Equal(("ci", "/srv/estate/secrets/ci.key", null, new DateTimeOffset(2027, 1, 31, 0, 0, 0, TimeSpan.Zero)), (key.Name, key.File, key.Variable, key.Expires));
        Assert.Equal((KeyScopes.Inference | KeyScopes.Explain, KeyPriority.High, 3), (key.Terms.Scopes, key.Terms.Priority, key.Terms.Weight));
        Assert.Equal((new LimitSpec(60, 20_000, 4), new BudgetSpec(5_000_000, BudgetPeriod.Day)), (key.Terms.Limits.Overall, key.Terms.Limits.Budget));
        Assert.Equal([new ModelLimit("phi-3", new LimitSpec(10, null, null))], key.Terms.Limits.Models);
    }

    [Fact]
    public void A_key_that_says_nothing_more_may_ask_every_model_without_limit()
    {
        var key = Assert.Single(Read("ci: {environment: CI_KEY}"));
        Assert.Equal("", Said);
        Assert.Equal(("CI_KEY", KeyScopes.Inference, KeyLimits.None.Overall, 1), (key.Variable, key.Terms.Scopes, key.Terms.Limits.Overall, key.Terms.Weight));
        Assert.Empty(key.Terms.Models);
    }

    [Fact]
    public void Every_mistake_is_told_with_its_place_and_a_way_out()
    {
        Read(
            """
            none: {}
            both: {file: a, environment: B}
            counts:
              file: a
              limits: {tokens_per_minute: many, models: {phi: {requests_per_minute: 0}}}
              budget: {tokens: 1.5, period: week}
              expires: soon
              scopes: [everything]
              weigth: 2
            """);
        Assert.Equal(
            """
            stoker.yaml:1:1: error KEY001: `gateway.keys.none` does not say where its secret is (one of `file: PATH` and `environment: VARIABLE`; `stoker key create` makes keys that need neither)
            stoker.yaml:2:1: error KEY001: `gateway.keys.both` names both a `file` and an `environment` (one of `file: PATH` and `environment: VARIABLE`; `stoker key create` makes keys that need neither)
            stoker.yaml:5:31: error KEY002: `gateway.keys.counts.limits.tokens_per_minute` must be a whole number from 1 on, as in `500`, `20k` or `5M`, found `many`
            stoker.yaml:5:73: error KEY002: `gateway.keys.counts.limits.models.phi.requests_per_minute` must be a whole number from 1 on, as in `500`, `20k` or `5M`, found `0`
            stoker.yaml:6:20: error KEY002: `gateway.keys.counts.budget.tokens` must be a whole number from 1 on, as in `500`, `20k` or `5M`, found `1.5`
            stoker.yaml:6:33: error EST054: `gateway.keys.counts.budget.period` must be `day`, `month` or `total`, found `week`
            stoker.yaml:7:12: error KEY003: `gateway.keys.counts.expires` must be a date or a time, found `soon` (`2027-01-31`, or `2027-01-31T18:00:00Z`)
            stoker.yaml:8:12: error EST054: `gateway.keys.counts.scopes[0]` must be `inference`, `explain`, `metrics` or `ingest`, found `everything`
            stoker.yaml:9:3: error EST050: unknown key `weigth` in `gateway.keys.counts` (did you mean `weight`?)
            """, Said);
    }

    [Fact]
    public void A_model_that_does_not_exist_is_told_unless_it_is_a_pattern()
    {
        DeclaredKeyReader.CheckModels(Parse("ci: {file: a, models: [ph, phi, any-*], limits: {models: {quen: {concurrent: 1}}}}"), ["phi", "qwen"], _bag);
        Assert.Equal(
            """
            stoker.yaml:1:24: error KEY004: key `ci` names unknown model `ph` (did you mean `phi`?)
            stoker.yaml:1:59: error KEY004: key `ci` names unknown model `quen` (did you mean `qwen`?)
            """, Said);
    }

    [Fact]
    public void Secrets_are_fetched_where_the_gateway_runs_and_weak_missing_or_shared_ones_are_refused()
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch.At("good"), "0123456789abcdef0123456789abcdef\n");
        File.WriteAllText(scratch.At("short"), "password\n");
        var specs = DeclaredKeyReader.Read(
            Parse("good: {file: good}\ngone: {file: gone}\nshort: {file: short}\nunset: {environment: UNSET}\nshared: {environment: SHARED}\nblank: {environment: BLANK}\n"), scratch.Directory, _bag);
        var variables = new Dictionary<string, string> { ["SHARED"] = "0123456789abcdef0123456789abcdef", ["BLANK"] = "0123456789 abcdef0123456789abcdef" };
        var key = Assert.Single(DeclaredKeyReader.Resolve(specs, variables, _bag));
        Assert.Equal(("good", SecretHash.Of("0123456789abcdef0123456789abcdef")), (key.Name, key.Hash));
        Assert.Equal(
            $"""
            stoker.yaml:2:1: error KEY005: the secret of key `gone` cannot be read: `{scratch.At("gone")}` does not exist
            stoker.yaml:3:1: error KEY006: the secret of key `short` is not 24 or more characters of printable ASCII without blanks (`openssl rand -hex 32` makes one)
            stoker.yaml:4:1: error KEY005: the secret of key `unset` is in `UNSET`, which is not set (set it in the environment that `stoker up` is started with)
            stoker.yaml:5:1: error KEY007: key `shared` has the same secret as another key (give each key a secret of its own)
            stoker.yaml:6:1: error KEY006: the secret of key `blank` is not 24 or more characters of printable ASCII without blanks (`openssl rand -hex 32` makes one)
            """, Said);
    }

    [Fact]
    public void A_clash_with_a_key_that_was_made_is_told_at_the_declaration()
    {
        var specs = Read("ci: {file: a}\nother: {file: b}\n");
        DeclaredKeyReader.Report([new DeclaredKeyRefusal("ci", DeclaredKeyRefusal.Cause.NameTaken), new DeclaredKeyRefusal("other", DeclaredKeyRefusal.Cause.SecretTaken)], specs, _bag);
        Assert.Equal(
            """
            stoker.yaml:1:1: error KEY007: key `ci` was made by `stoker key create` already (`stoker key revoke ci` first, or declare it by another name)
            stoker.yaml:2:1: error KEY007: key `other` has a secret that another key has or had (give each key a secret of its own)
            """, Said);
    }
}
