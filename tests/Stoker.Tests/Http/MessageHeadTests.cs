using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Http;
using Xunit;

namespace Stoker.Tests.Http;

/// <summary>Which heads are taken, and where the message that they begin ends. What could be read in two ways is nobody's.</summary>
public sealed class MessageHeadTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: x\r\n";

    [Theory]
    [InlineData(Get, "None", -1)]
    [InlineData(Get + "Content-Length: 0\r\n", "None", 0)]
    [InlineData(Get + "content-length:5\r\n", "Length", 5)]
    [InlineData(Get + "CONTENT-LENGTH: \t 5 \t\r\n", "Length", 5)]
    [InlineData(Get + "Content-Length: 005\r\n", "Length", 5)]
    [InlineData(Get + "Content-Length: 5\r\nContent-Length: 5\r\n", "Length", 5)]
    [InlineData(Get + "Content-Length: 999999999999999999\r\n", "Length", 999_999_999_999_999_999)]
    [InlineData(Get + "Transfer-Encoding:\tChunked\r\n", "Chunked", -1)]
    [InlineData("POST / HTTP/1.0\r\n", "None", -1)]
    [InlineData("POST / HTTP/1.0\r\nContent-Length: 5\r\n", "Length", 5)]
    [InlineData(Get + "Empty:\r\nTab:\ta\tb\t\r\nObs: \u00e4\u00f6\r\n", "None", -1)]
    public void A_request_says_where_it_ends(string head, string body, long length)
    {
        var read = Request(head, HeadFault.None);
        Assert.Equal((body, length), (read.Body.ToString(), read.ContentLength));
    }

    // RFC 9112, sections 5.1, 5.2, 6.1, 6.3 and 11.2: what two servers in a row could take for two different requests.
    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Malformed")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Malformed")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "Malformed")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n", "Malformed")]
    [InlineData("Content-Length: 5, 5\r\n", "Malformed")]
    [InlineData("Content-Length: +5\r\n", "Malformed")]
    [InlineData("Content-Length: -5\r\n", "Malformed")]
    [InlineData("Content-Length: 0x5\r\n", "Malformed")]
    [InlineData("Content-Length: 5 5\r\n", "Malformed")]
    [InlineData("Content-Length: 5.\r\n", "Malformed")]
    [InlineData("Content-Length:\r\n", "Malformed")]
    [InlineData("Content-Length: \u0665\r\n", "Malformed")]
    [InlineData("Content-Length: 9999999999999999999\r\n", "Malformed")]
    [InlineData("Content-Length : 5\r\n", "Malformed")]
    [InlineData("Content-Length\t: 5\r\n", "Malformed")]
    [InlineData(" Content-Length: 5\r\n", "Malformed")]
    [InlineData("Transfer-Encoding : chunked\r\n", "Malformed")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Malformed")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Malformed")]
    [InlineData("Transfer-Encoding: identity\r\n", "Coding")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n", "Coding")]
    [InlineData("Transfer-Encoding: gzip, chunked\r\n", "Coding")]
    [InlineData("Transfer-Encoding: chunked;q=1\r\n", "Coding")]
    [InlineData("Transfer-Encoding: \u000bchunked\r\n", "Coding")]
    [InlineData("Transfer-Encoding: xchunked\r\n", "Coding")]
    [InlineData("Transfer-Encoding:\r\n", "Coding")]
    [InlineData("A: b\r\n c: d\r\n", "Malformed")]
    [InlineData("A: b\r\n\tc\r\n", "Malformed")]
    [InlineData("A: b\nContent-Length: 5\r\n", "Malformed")]
    [InlineData("A: b\rContent-Length: 5\r\n", "Malformed")]
    [InlineData("A: b\r\r\n", "Malformed")]
    [InlineData("A: \0\r\n", "Malformed")]
    [InlineData("A\0: b\r\n", "Malformed")]
    [InlineData("A b: c\r\n", "Malformed")]
    [InlineData(": b\r\n", "Malformed")]
    [InlineData("b\r\n", "Malformed")]
    [InlineData("\u00e4: b\r\n", "Malformed")]
    [InlineData("A(): b\r\n", "Malformed")]
    [InlineData("Host: y\r\n", "Malformed")]
    [InlineData("host: x\r\n", "Malformed")]
    public void What_could_be_read_in_two_ways_is_refused(string fields, string fault) => Request(Get + fields, Enum.Parse<HeadFault>(fault));

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "Malformed")]
    [InlineData("GET  / HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET /  HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET / a HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET /\t HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET /\u00e4 HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET /\u007f HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData(" GET / HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("G(T / HTTP/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET / http/1.1\r\nHost: x\r\n", "Malformed")]
    [InlineData("GET / HTTP/1.1 \r\nHost: x\r\n", "Malformed")]
    [InlineData("GET /\r\nHost: x\r\n", "Malformed")]
    [InlineData("\r\n", "Malformed")]
    [InlineData("GET / HTTP/1.2\r\nHost: x\r\n", "Version")]
    [InlineData("GET / HTTP/11\r\nHost: x\r\n", "Version")]
    [InlineData("GET / HTTP/2.0\r\nHost: x\r\n", "Version")]
    [InlineData("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", "Malformed")]
    public void A_first_line_is_exact(string head, string fault) => Request(head, Enum.Parse<HeadFault>(fault));

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade , close\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nConnection: keep-alive\r\n", false)]
    [InlineData("GET / HTTP/1.0\r\n", false)]
    [InlineData("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true)]
    public void Whether_another_message_follows_is_the_senders_word(string head, bool stays) => Assert.Equal(stays, Request(head, HeadFault.None).KeepsAlive);

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", 200, "UntilClose", false)]
    [InlineData("HTTP/1.1 200\r\nContent-Length: 5\r\n", 200, "Length", true)]
    [InlineData("HTTP/1.1 200 \r\nContent-Length: 0\r\n", 200, "None", true)]
    [InlineData("HTTP/1.1 200 A b\u00e4\r\nTransfer-Encoding: chunked\r\n", 200, "Chunked", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", 200, "Chunked", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", 200, "Length", false)]
    [InlineData("HTTP/1.1 204 X\r\nContent-Length: 5\r\n", 204, "None", true)]
    [InlineData("HTTP/1.1 304 X\r\nContent-Length: 5\r\n", 304, "None", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n", 100, "None", true)]
    [InlineData("HTTP/1.1 999 X\r\nContent-Length: 5\r\n", 999, "Length", true)]
    public void An_answer_says_where_it_ends(string head, int status, string body, bool stays)
    {
        var read = new MessageHead();
        Assert.Equal(HeadFault.None, read.ReadAnswer(Bytes(head)));
        Assert.Equal((status, body, stays), (read.Status, read.Body.ToString(), read.KeepsAlive));
    }

    [Theory]
    [InlineData("HTTP/1.1 99 X\r\n", "Malformed")]
    [InlineData("HTTP/1.1 099 X\r\n", "Malformed")]
    [InlineData("HTTP/1.1 2x0 X\r\n", "Malformed")]
    [InlineData("HTTP/1.1 2000 X\r\n", "Malformed")]
    [InlineData("HTTP/1.1  200 X\r\n", "Malformed")]
    [InlineData("HTTP/1.1 -10 X\r\n", "Malformed")]
    [InlineData("HTTP/2.0 200 X\r\n", "Version")]
    [InlineData("ICY 200 OK is no HTTP\r\n", "Malformed")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n", "Malformed")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "Coding")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", "Malformed")]
    public void An_answer_that_is_none_is_refused(string head, string fault) => Assert.Equal(Enum.Parse<HeadFault>(fault), new MessageHead().ReadAnswer(Bytes(head)));

    [Fact]
    public void Fields_keep_their_order_and_are_found_whatever_their_case()
    {
        var head = Request(Get + "X-A: 1\r\nx-b:\t two words \r\nX-a: 3\r\nExpect: 100-Continue\r\n", HeadFault.None);
        Assert.Equal(["Host", "X-A", "x-b", "X-a", "Expect"], Enumerable.Range(0, head.Count).Select(i => Encoding.ASCII.GetString(head.NameOf(i))));
        Assert.Equal(["x", "1", "two words", "3", "100-Continue"], Enumerable.Range(0, head.Count).Select(i => Encoding.ASCII.GetString(head.ValueOf(i))));
        Assert.Equal("1", Encoding.ASCII.GetString(head.Find("x-a"u8)));
        Assert.True(head.Find("x-c"u8).IsEmpty);
        Assert.True(head.ExpectsContinue);
    }

    [Fact]
    public void Nothing_of_an_earlier_message_is_left()
    {
        var head = new MessageHead();
        Assert.Equal(HeadFault.None, head.ReadRequest(Bytes("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 5\r\n")));
        Assert.Equal(HeadFault.Malformed, head.ReadRequest(Bytes(Get + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")));
        Assert.Equal(HeadFault.None, head.ReadRequest(Bytes(Get)));
        Assert.Equal((BodyKind.None, -1L, true, false, 1), (head.Body, head.ContentLength, head.KeepsAlive, head.ExpectsContinue, head.Count));
    }

    [Fact]
    public void One_field_more_than_the_most_is_too_many()
    {
        var most = Get + string.Concat(Enumerable.Repeat("a: b\r\n", HttpModule.MaxFields - 1));
        Request(most, HeadFault.None);
        Request(most + "a: b\r\n", HeadFault.TooLarge);
    }

    /// <summary>Whatever comes is taken or refused, never an exception: a head of random pieces of what heads are made of.</summary>
    [Fact]
    public void No_head_is_beyond_it()
    {
        string[] pieces = ["GET", " ", "/", "HTTP/1.1", "HTTP/1.", "\r\n", "\r", "\n", "\t", "\0", ":", "Host", "x", "Content-Length", "Transfer-Encoding", "chunked", "5", ",", "\u00ff", "200", "Connection", "close"];
        var heads = from count in Gen.Choose(0, 30)
                    from parts in Gen.Elements(pieces).ArrayOf(count)
                    from starts in Gen.Elements("", Get, "HTTP/1.1 200 OK\r\n")
                    select starts + string.Concat(parts) + "\r\n";
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(heads.ToArbitrary(), text =>
        {
            var head = new MessageHead();
            _ = head.ReadRequest(Bytes(text));
            _ = head.ReadAnswer(Bytes(text));
        }));
    }

    private static MessageHead Request(string head, HeadFault fault)
    {
        var read = new MessageHead();
        Assert.Equal(fault, read.ReadRequest(Bytes(head)));
        return read;
    }

    /// <summary>With the empty line.</summary>
    private static byte[] Bytes(string head) => Encoding.Latin1.GetBytes(head.Replace("\u0665", "\u00d9\u00a5", StringComparison.Ordinal) + "\r\n");
}
