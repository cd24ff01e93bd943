using System.Text;
using Stoker.Planning;
using Xunit;

namespace Stoker.Tests.Planning;

public sealed class FnvTests
{
    // The vectors that its authors publish.
    [Theory]
    [InlineData("", 0xcbf29ce484222325UL)]
    [InlineData("a", 0xaf63dc4c8601ec8cUL)]
    [InlineData("foobar", 0x85944171f73967e8UL)]
    public void It_is_what_its_authors_say(string text, ulong hash) => Assert.Equal(hash, Fnv.Of(Encoding.UTF8.GetBytes(text)));
}
