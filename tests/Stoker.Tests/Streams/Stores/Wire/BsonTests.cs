using System.Text;
using Stoker.Streams.Stores.Mongo;
using Stoker.Streams.Stores.Queries;
using Xunit;

namespace Stoker.Tests.Streams.Stores.Wire;

public sealed class BsonTests
{
    // From https://bsonspec.org/faq.html.
    [Fact]
    public void The_example_of_the_specification_is_written_and_read_as_it_says()
    {
        var bytes = Convert.FromHexString("310000000442534f4e002600000002300008000000617765736f6d65000131003333333333331440103200c20700000000");
        var map = new BsonMap { { "BSON", new List<object?> { "awesome", 5.05, 1986 } } };
        var writer = new BsonWriter();
        writer.Map(map);
        Assert.Equal(bytes, writer.Written.ToArray());
        Assert.Equal("""{"BSON":["awesome",5.05,1986]}""", Encoding.UTF8.GetString(BsonJson.ToJson(new BsonReader(bytes).Map())));
    }

    [Theory]
    [InlineData("""{"a":1,"b":[true,null,"x"],"c":{"d":-9223372036854775808}}""", true)]
    [InlineData("""{"n":[0.1,1.5e3,123456.789,9007199254740993]}""", true)]
    [InlineData("""{"n":123456789012345678901234567890}""", false)]
    [InlineData("""{"n":0.1234567890123456789}""", false)]
    [InlineData("""{"n":1e999}""", false)]
    [InlineData("""{"a.b":1}""", false)]
    [InlineData("""{"$set":1}""", false)]
    [InlineData("""{"":1}""", false)]
    [InlineData("""{"a":"\ud800"}""", false)]
    [InlineData("""{"a":"\u0000 \ud83d\ude00"}""", true)]
    public void What_BSON_holds_comes_back_and_what_it_does_not_is_told(string json, bool isHeld)
    {
        var writer = new BsonWriter();
        Assert.Equal(isHeld, BsonJson.TryWrite(Encoding.UTF8.GetBytes(json), writer));
        var back = BsonJson.ToJson(new BsonReader(writer.Written).Map());
        if (isHeld) Assert.Equal(CanonicalJson.Of(Encoding.UTF8.GetBytes(json)), CanonicalJson.Of(back));
    }

    [Fact]
    public void Whatever_bytes_come_are_read_or_refused()
    {
        var writer = new BsonWriter();
        writer.Map(new BsonMap { { "a", new BsonMap { { "b", "text" }, { "c", new byte[] { 1, 2, 3 } } } }, { "d", new List<object?> { 1, 2L, 3.0, true, null } } });
        var whole = writer.Written.ToArray();
        var random = new Random(1);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = whole.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Assert.True(IsReadOrRefused(bytes));
        }

        Assert.All(Enumerable.Range(0, whole.Length - 1), length => Assert.True(IsReadOrRefused(whole[..length])));
    }

    private static bool IsReadOrRefused(byte[] bytes)
    {
        try
        {
            _ = new BsonReader(bytes).Map();
        }
        catch (InvalidDataException)
        {
        }

        return true;
    }
}
