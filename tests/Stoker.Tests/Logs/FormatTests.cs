using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Logs;
using Xunit;

namespace Stoker.Tests.Logs;

public sealed class FormatTests
{
    private static readonly DateTimeOffset Time = new DateTimeOffset(2026, 11, 21, 6, 28, 1, TimeSpan.Zero).AddTicks(1234567);

    // Bytes over a tiny alphabet, so that newlines and secrets are everywhere.
    private static readonly Gen<byte[]> Raw = Gen.Elements((byte)'a', (byte)'b', (byte)'c', (byte)'\n').ArrayOf();

    private static Gen<byte[]> Secret => from length in Gen.Choose(4, 7) from value in Gen.Elements((byte)'a', (byte)'b').ArrayOf(length) select value;

    [Fact]
    public void A_record_is_the_time_in_nanoseconds_the_stream_the_tag_and_the_message()
    {
        (Formatted batch, byte[] text) = Format("one\n\ntwo", CriFormat.Piece);
        Assert.Equal(
            "2026-11-21T06:28:01.123456700Z stderr F one\n"
            + "2026-11-21T06:28:01.123456700Z stderr F \n"
            + "2026-11-21T06:28:01.123456700Z stderr P two\n", Encoding.ASCII.GetString(text));
        Assert.Equal(new Formatted(8, text.Length, 3, false), batch);
        Assert.Equal(new Formatted(5, 85, 2, false), Format("one\n\ntwo", CriFormat.Nothing).Batch);
    }

    [Fact]
    public void Whatever_room_there_is_records_are_whole_and_what_is_left_comes_next()
    {
        var cases = from raw in Raw from room in Gen.Choose(0, 400) from final in Gen.Elements(CriFormat.Nothing, CriFormat.Whole) select (raw, room, final);
        Prop.ForAll(cases.ToArbitrary(), static one =>
        {
            byte[] header = new byte[CriFormat.HeaderLength], text = new byte[one.room];
            CriFormat.WriteHeader(header, Time, LogStream.Output);
            Formatted batch = CriFormat.Format(one.raw, text, header, Redaction.None, one.final);
            string told = string.Concat(Encoding.ASCII.GetString(text, 0, batch.Written).Split('\n').SkipLast(1).Select(static record => record[40..] + "\n"));
            string expected = Encoding.ASCII.GetString(one.raw, 0, batch.Consumed);
            bool ended = batch.Consumed > 0 && expected[^1] != '\n';
            Assert.Equal(ended ? expected + "\n" : expected, told);
            Assert.False(ended && (one.final == CriFormat.Nothing || batch.Consumed < one.raw.Length));

            // What stays behind is an unfinished line, or there was no room for the next record.
            ReadOnlySpan<byte> rest = one.raw.AsSpan(batch.Consumed);
            int next = rest.IndexOf((byte)'\n') is >= 0 and int end ? end : rest.Length;
            Assert.True(rest.IsEmpty || (next == rest.Length && one.final == CriFormat.Nothing) || batch.Written + 40 + next + 1 > one.room);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void A_record_is_read_as_it_was_written_and_nothing_else_is_a_record()
    {
        Prop.ForAll((from ticks in Gen.Choose(0, int.MaxValue) from stream in Gen.Elements(LogStream.Output, LogStream.Error) select (ticks, stream)).ToArbitrary(), static one =>
        {
            byte[] header = new byte[CriFormat.HeaderLength];
            DateTimeOffset time = Time.AddTicks(one.ticks * 1_000_003L);
            CriFormat.WriteHeader(header, time, one.stream);
            Assert.True(CriFormat.TryParse(header, out DateTimeOffset parsed, out LogStream stream, out bool partial));
            Assert.Equal((time, one.stream, false), (parsed, stream, partial));
        }).QuickCheckThrowOnFailure();

        foreach (string text in (string[])["", "hello", "2026-13-21T06:28:01.123456789Z stdout F x", "2026-02-30T06:28:01.123456789Z stdout F x",
            "2026-11-21T06:28:01.123456789Z stdin_ F x", "2026-11-21T06:28:01.123456789Z stdout Q x", "2026-11-21T06:28:01.1234567x9Z stdout F x"])
        {
            Assert.False(CriFormat.TryParse(Encoding.ASCII.GetBytes(text), out _, out _, out _));
        }
    }

    [Fact]
    public void A_line_cut_where_it_is_safe_is_redacted_as_if_it_had_not_been_cut()
    {
        var cases = from secrets in Secret.NonEmptyListOf() from head in Raw from tail in Raw select (secrets, head, tail);
        Prop.ForAll(cases.ToArbitrary(), static one =>
        {
            Redaction redaction = Redaction.Of(one.secrets);
            byte[] head = [.. one.head.Where(static value => value != '\n')];
            int cut = redaction.SafeCut(head);
            if (cut == head.Length && head.Length < 8)
            {
                // A piece that is all the beginning of a secret cannot be cut; pieces are longer than secrets.
                return;
            }

            byte[] whole = [.. head, .. one.tail];
            byte[] parts = [.. Redact(redaction, whole[..cut]), .. Redact(redaction, whole[cut..])];
            Assert.Equal(Redact(redaction, whole), parts);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public void Short_values_are_left_alone_and_the_longer_of_two_values_wins()
    {
        Redaction redaction = Redaction.Of([.. new[] { "abc", "pass", "password\n" }.Select(Encoding.ASCII.GetBytes)]);
        Assert.Equal("abc *** ***!", Encoding.ASCII.GetString(Redact(redaction, "abc password pass!"u8.ToArray())));
        Assert.True(Redaction.Of([]).IsEmpty);
    }

    [Fact]
    public void A_cursor_is_read_as_it_was_written_and_a_damaged_one_is_none()
    {
        var numbers = Gen.Choose(0, int.MaxValue).ArrayOf(6);
        Prop.ForAll((from n in numbers from at in Gen.Choose(0, LogCursor.Size - 1) select (n, at)).ToArbitrary(), static one =>
        {
            int[] n = one.n;
            var cursor = new LogCursor((ulong)n[0], n[1], n[2], (LogStream)(n[3] % 2), CriFormat.Piece, n[3], n[4], n[5], Time);
            byte[] bytes = new byte[LogCursor.Size];
            cursor.Write(bytes);
            Assert.Equal(cursor, LogCursor.Read(bytes));
            bytes[one.at] ^= 0x10;
            Assert.Null(LogCursor.Read(bytes));
            Assert.Null(LogCursor.Read(bytes.AsSpan(0, one.at)));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(150, 100, 200, 7, 0, "Rewrite { Start = 100 }")] // killed inside the write
    [InlineData(100, 100, 200, 7, 0, "Rewrite { Start = 100 }")] // killed before it
    [InlineData(200, 100, 200, 7, 0, "Complete { Whole = True }")]
    [InlineData(250, 100, 200, 7, 0, "Complete { Whole = False }")] // a power failure kept more of the log than of the cursor
    [InlineData(50, 100, 200, 7, 0, "Complete { Whole = False }")] // somebody cut the log
    [InlineData(150, 100, 200, 8, 0, "Complete { Whole = False }")] // rotated since
    [InlineData(150, 100, 200, 7, 11, "Complete { Whole = False }")] // the spool has gone on
    [InlineData(150, 0, 0, 7, 0, "Empty { }")] // the only file was about to be emptied
    public void A_log_left_behind_is_gone_on_with_by_its_length_and_inode(long length, long start, long end, long inode, long spoolBase, string expected)
    {
        var cursor = new LogCursor(7, start, end, LogStream.Output, CriFormat.Nothing, 10, 90, 0, Time);
        Assert.Equal(expected, LogRecovery.Decide(cursor, (ulong)inode, length, spoolBase).ToString());
    }

    private static byte[] Redact(Redaction redaction, byte[] message)
    {
        byte[] target = new byte[message.Length];
        redaction.Apply(message, target, out int written);
        return target[..written];
    }

    private static (Formatted Batch, byte[] Text) Format(string raw, byte tailTag)
    {
        byte[] header = new byte[CriFormat.HeaderLength], text = new byte[1000];
        CriFormat.WriteHeader(header, Time, LogStream.Error);
        Formatted batch = CriFormat.Format(Encoding.ASCII.GetBytes(raw), text, header, Redaction.None, tailTag);
        return (batch, text[..batch.Written]);
    }
}
