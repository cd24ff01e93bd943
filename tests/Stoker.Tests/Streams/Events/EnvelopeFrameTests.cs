using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stoker.Streams.Events;
using Xunit;

namespace Stoker.Tests.Streams.Events;

public sealed class EnvelopeFrameTests
{
    [Fact]
    public void What_was_written_is_read()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var envelope = Envelopes.Random(new Random(seed));
            var frame = Write(envelope);
            var read = new EventEnvelope();
            return frame.Length == EnvelopeFrame.Measure(envelope) && EnvelopeFrame.TryRead(frame, read) == FrameFault.None && Envelopes.Show(read) == Envelopes.Show(envelope);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_field_of_a_later_program_is_passed_over()
    {
        var envelope = Envelopes.Random(new Random(1));
        var frame = Write(envelope);
        byte[] later = [.. frame[..1], 99, 3, 1, 2, 3, .. frame[1..], 0xff, 0x7f, 0];
        var read = new EventEnvelope();
        Assert.Equal(FrameFault.None, EnvelopeFrame.TryRead(later, read));
        Assert.Equal(Envelopes.Show(envelope), Envelopes.Show(read));
    }

    [Fact]
    public void Another_version_is_told_from_damage()
    {
        var frame = Write(Envelopes.Random(new Random(1)));
        frame[0] = 2;
        Assert.Equal(FrameFault.OtherVersion, EnvelopeFrame.TryRead(frame, new EventEnvelope()));
        Assert.Equal(FrameFault.Damaged, EnvelopeFrame.TryRead(default, new EventEnvelope()));
        Assert.Equal(FrameFault.Damaged, EnvelopeFrame.TryRead(new byte[] { 1 }, new EventEnvelope()));
    }

    [Fact]
    public void A_frame_that_is_cut_or_changed_is_answered()
    {
        var random = new Random(3);
        var read = new EventEnvelope();
        for (var round = 0; round < 200; round++)
        {
            var frame = Write(Envelopes.Random(random));
            for (var cut = 0; cut < Math.Min(frame.Length, 300); cut++) EnvelopeFrame.TryRead(frame.AsMemory(0, cut), read);
            for (var i = 0; i < 200; i++)
            {
                var changed = (byte[])frame.Clone();
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
                EnvelopeFrame.TryRead(changed, read);
            }
        }
    }

    /// <summary>Frames in logs are read by all later programs: this one must be read for ever.</summary>
    [Fact]
    public void The_first_frame_is_still_read()
    {
        var frame = Convert.FromHexString("0101010202052F686F73740303616263040C6770752E66616374732E76310C0700036B65790A0B0D0800808FBDBA26DF080E0280060F027B7D");
        var read = new EventEnvelope();
        Assert.Equal(FrameFault.None, EnvelopeFrame.TryRead(frame, read));
        Assert.Equal("/host abc gpu.facts.v1", $"{Encoding.UTF8.GetString(read.Source.Span)} {Encoding.UTF8.GetString(read.Id.Span)} {Encoding.UTF8.GetString(read.Type.Span)}");
    }

    private static byte[] Write(EventEnvelope envelope)
    {
        var output = new ArrayBufferWriter<byte>();
        EnvelopeFrame.Write(envelope, output);
        return output.WrittenSpan.ToArray();
    }
}
