using System.Security.Cryptography;
using Stoker.Planning;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class DigestTests
{
    [Fact]
    public void It_is_what_the_standard_says_of_abc() =>
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Convert.ToHexStringLower(Digest.Of("abc"u8)));

    [Fact]
    public void It_is_the_frameworks_own_for_every_length_around_its_blocks()
    {
        var random = new Random(1);
        for (var length = 0; length < 300; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            Assert.Equal(SHA256.HashData(bytes), Digest.Of(bytes));
        }
    }
}
