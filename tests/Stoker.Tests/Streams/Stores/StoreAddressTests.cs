using Stoker.Streams.Stores;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

public sealed class StoreAddressTests
{
    [Theory]
    [InlineData("sqlite:metadata.db", "sqlite:metadata.db")]
    [InlineData("sqlite:/var/lib/a b.db", "sqlite:/var/lib/a b.db")]
    [InlineData("postgres://me@db.example:6000/meta?sslmode=verify-full", "postgres://db.example:6000/meta")]
    [InlineData("postgresql://db.example/meta", "postgres://db.example:5432/meta")]
    [InlineData("postgres:///meta?host=/run/postgresql", "postgres:///run/postgresql/meta")]
    [InlineData("mongodb://me@docdb.example/meta?tls=true&authSource=admin", "mongodb://docdb.example:27017/meta")]
    public void An_address_is_read_and_shown(string text, string shown)
    {
        Assert.Null(StoreAddress.Parse(text, out var address));
        Assert.Equal(shown, address?.ToString());
    }

    [Theory]
    [InlineData("sqlite:", "a file has to follow")]
    [InlineData("metadata.db", "expected `sqlite:FILE`")]
    [InlineData("mysql://a/b", "expected `sqlite:FILE`")]
    [InlineData("postgres://me:secret@db/meta", "a password does not belong")]
    [InlineData("postgres://me@db/meta?password=secret", "a password does not belong")]
    [InlineData("postgres://me@db", "the name of a database")]
    [InlineData("postgres://me@db/meta?sslmod=require", "`sslmod` is not known")]
    [InlineData("mongodb://db/meta?retryWrites=true", "`retryWrites` is not known")]
    public void What_is_not_an_address_is_told(string text, string said)
    {
        var problem = StoreAddress.Parse(text, out var address);
        Assert.Null(address);
        Assert.StartsWith(said, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("secret@", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpu-metadata", true)]
    [InlineData("a", true)]
    [InlineData("", false)]
    [InlineData("Metadata", false)]
    [InlineData("1st", false)]
    [InlineData("a\"b", false)]
    [InlineData("stoker_positions", false)]
    [InlineData("sqlite_x", false)]
    public void A_collection_is_named_by_the_rule(string name, bool isOne) => Assert.Equal(isOne, StoreSpec.ProblemOf(name) is null);
}
