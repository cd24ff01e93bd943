using System.Text;
using Stoker.Streams.Stores.Queries;
using Xunit;

namespace Stoker.Tests.Streams.Stores;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{"b":1,"a":[true,null]}""", """ { "a" : [ true , null ] , "b" : 1.0e0 } """)]
    [InlineData("1500", "1.50e3")]
    [InlineData("-0", "0.000")]
    [InlineData("0.001", "1E-3")]
    [InlineData("100000000000000000000", "1e20")]
    [InlineData("\"\\u0041\\/\\n\"", "\"A/\\u000a\"")]
    public void The_same_meaning_has_the_same_form(string one, string other) => Assert.Equal(Of(one), Of(other));

    [Theory]
    [InlineData("1", "\"1\"")]
    [InlineData("1", "-1")]
    [InlineData("10", "1")]
    [InlineData("9007199254740993", "9007199254740992")]
    [InlineData("[1,[2]]", "[[1],2]")]
    [InlineData("""["a","b"]""", """["a\",\"b"]""")]
    [InlineData("""{"a":1}""", """{"a":null}""")]
    [InlineData("[]", "{}")]
    public void Another_meaning_has_another_form(string one, string other) => Assert.NotEqual(Of(one), Of(other));

    private static string Of(string json) => Encoding.UTF8.GetString(CanonicalJson.Of(Encoding.UTF8.GetBytes(json)));
}
