using System.Text;
using FsCheck.Fluent;
using FsCheck;
using Stoker.Keys;
using Stoker.Tests.Gateway;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Keys;

public sealed class SecretTests
{
    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);

    [Fact]
    public void A_secret_is_made_of_256_random_bits_and_recognises_itself() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var secret = SecretText.Make(new Chance(seed).Fill);
            Assert.Equal(SecretText.Length, secret.Length);
            Assert.Matches("^sk-stoker-[0-9A-Za-z]{49}$", secret);
            Assert.Equal(SecretForm.Ours, SecretText.Judge(Bytes(secret)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void All_bits_of_chance_are_in_it()
    {
        Assert.Equal("sk-stoker-" + new string('0', 43), SecretText.Make(bytes => bytes.Clear())[..^6]);
        // 62^43 is above 2^256, so that even the greatest number has its own text.
        Assert.NotEqual(SecretText.Make(bytes => bytes.Fill(0xFF)), SecretText.Make(bytes =>
        {
            bytes.Fill(0xFF);
            bytes[0] = 0xFE;
        }));
    }

    [Fact]
    public void One_wrong_character_or_a_swap_of_two_is_a_slip_and_not_an_unknown_key() =>
        Prop.ForAll(
            (from seed in Gen.Choose(0, int.MaxValue) from at in Gen.Choose(SecretText.Prefix.Length, SecretText.Length - 2) from to in Gen.Elements("0123456789abcXYZ-".ToCharArray()) select (seed, at, to)).ToArbitrary(),
            slip =>
            {
                var secret = SecretText.Make(new Chance(slip.seed).Fill);
                var wrong = Bytes(secret);
                wrong[slip.at] = (byte)slip.to;
                if (secret[slip.at] != slip.to) Assert.Equal(SecretForm.Mistyped, SecretText.Judge(wrong));
                var swapped = Bytes(secret);
                (swapped[slip.at], swapped[slip.at + 1]) = (swapped[slip.at + 1], swapped[slip.at]);
                if (secret[slip.at] != secret[slip.at + 1]) Assert.Equal(SecretForm.Mistyped, SecretText.Judge(swapped));
                Assert.Equal(SecretForm.Mistyped, SecretText.Judge(Bytes(secret[..slip.at])));
            }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("sk-proj-0123456789abcdefghij", "sk-***ghij")]
    [InlineData("short", "***")]
    [InlineData("sk-stoker-0000000000abcd", "sk-stoker-***abcd")]
    [InlineData("a\rb\nc-0123456789abcdefgh\x1b\x7f", "a?b***gh??")]
    public void A_message_shows_the_ends_of_a_secret_only(string secret, string shown) => Assert.Equal(shown, SecretText.Masked(Bytes(secret)));

    [Theory]
    [InlineData("Bearer abc", "abc")]
    [InlineData("bearer  abc ", "abc")]
    [InlineData("BEARER abc", "abc")]
    [InlineData("Basic abc", "")]
    [InlineData("Bearer", "")]
    [InlineData("Bearer ", "")]
    [InlineData("", "")]
    public void The_secret_is_what_follows_bearer(string header, string secret) => Assert.Equal(secret, Encoding.ASCII.GetString(KeyRing.Bearer(Bytes(header))));

    [Fact]
    public void What_is_not_in_the_ring_is_told_apart()
    {
        var ours = SecretText.Make(new Chance().Fill);
        Assert.Equal(KeyVerdict.Missing, KeyRing.Empty.Find([], 0, out _));
        Assert.Equal(KeyVerdict.Unknown, KeyRing.Empty.Find(Bytes(ours), 0, out _));
        Assert.Equal(KeyVerdict.Mistyped, KeyRing.Empty.Find(Bytes(ours[..^1]), 0, out _));
        Assert.Equal(KeyVerdict.Unknown, KeyRing.Empty.Find("sk-something-else"u8, 0, out _));
    }

    [Fact]
    public void A_look_up_allocates_nothing()
    {
        var secret = Bytes(SecretText.Make(new Chance().Fill));
        var key = new KeyState(new KeyId("key_a"), "a", new KeyTerms { Models = ["phi-*"] }, long.MaxValue, false, new KeyUse());
        var ring = new KeyRing([key], [(SecretHash.Of(secret), key, long.MaxValue)]);
        var last = 0L;
        Assert.Equal(0, Allocations.Least(() => Assert.True(ring.Find(secret, ++last, out var found) == KeyVerdict.Valid && found!.Terms.Allows("alias", "phi-3"))));
        Assert.Equal(last, key.Use.Last);
    }

    [Fact]
    public void A_key_may_use_the_models_that_its_list_names_by_name_alias_or_pattern()
    {
        var terms = new KeyTerms { Models = ["fast", "microsoft/*"] };
        Assert.True(terms.Allows("fast", "phi-3"));
        Assert.True(terms.Allows("mini", "microsoft/phi-3"));
        Assert.False(terms.Allows("phi-3", "phi-3"));
        Assert.True(new KeyTerms().Allows("anything", "anything"));
        Assert.True(new KeyTerms { Scopes = KeyScopes.Inference | KeyScopes.Metrics }.Has(KeyScopes.Metrics));
        Assert.False(new KeyTerms().Has(KeyScopes.Explain));
    }
}
