using Stoker.Http;
using Stoker.Keys;
using Stoker.Limits;
using Stoker.Platform;
using Stoker.Streams.Serving;
using Stoker.Tests.Gateway;
using Stoker.Tests.Shared;
using Xunit;

namespace Stoker.Tests.Streams.Serving;

public sealed class ProducerMeterTests
{
    private static readonly long Noon = new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc).Ticks;

    private static readonly LimitSpec Limits = new(3, null, 2) { EventsPerMinute = 10 };

    [Fact]
    public void What_was_not_taken_after_all_is_given_back()
    {
        var meter = new ProducerMeter();
        Assert.Null(meter.Take(Limits, 8, Noon, out var second));
        Assert.Equal((10, 8, 3), Numbers(meter.Take(Limits, 3, Noon, out _)));
        meter.GiveBack(8, second, Noon);
        Assert.Null(meter.Take(Limits, 10, Noon, out _));
    }

    [Fact]
    public void A_minute_later_as_much_may_be_sent_again()
    {
        var meter = new ProducerMeter();
        Assert.Null(meter.Take(Limits, 10, Noon, out _));
        var refused = meter.Take(Limits, 1, Noon, out _);
        Assert.Equal((LimitKind.Events, TimeSpan.FromSeconds(61)), (refused!.Value.Kind, refused.Value.RetryAfter));
        Assert.Null(meter.Take(Limits, 10, Noon + refused.Value.RetryAfter!.Value.Ticks, out _));
    }

    [Fact]
    public void A_request_is_refused_for_what_is_in_its_way_and_counts_for_nothing()
    {
        var meter = new ProducerMeter();
        Assert.Null(meter.Begin(Limits, Noon));
        Assert.Null(meter.Begin(Limits, Noon));
        Assert.Equal(LimitKind.Concurrent, meter.Begin(Limits, Noon)!.Value.Kind);
        meter.End();
        Assert.Null(meter.Begin(Limits, Noon));
        meter.End();
        Assert.Equal(LimitKind.Requests, meter.Begin(Limits, Noon)!.Value.Kind);
        var other = new ProducerMeter();
        Assert.Null(other.Take(Limits, 10, Noon, out _));
        Assert.Equal(LimitKind.Events, other.Begin(Limits, Noon)!.Value.Kind);
    }

    [Fact]
    public void However_many_threads_ask_at_once_no_event_too_many_is_taken()
    {
        var meter = new ProducerMeter();
        var limits = LimitSpec.None with { EventsPerMinute = 1000 };
        var taken = 0;
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 300; i++)
            {
                if (meter.Take(limits, 3, Noon, out var _) is null) Interlocked.Add(ref taken, 3);
            }
        });
        Assert.Equal(999, taken);
    }

    [Fact]
    public void A_request_of_a_key_that_is_known_allocates_nothing()
    {
        using var scratch = new Scratch();
        using var store = KeyStore.Open(scratch.At(KeyStore.FileName));
        var made = Assert.IsType<KeyCreation.Created>(store.Create("colab", new KeyTerms { Scopes = KeyScopes.Ingest, Limits = KeyLimits.None with { Overall = LimitSpec.None with { EventsPerMinute = 1_000_000 } } }, null, DateTimeOffset.UtcNow, SecureRandomness.Fill));
        using var keys = new ProducerKeys(new KeyWatch(scratch.At(KeyStore.FileName), TimeProvider.System, _ => { }), "facts", "the-owners-secret-of-some-length");
        var authorization = System.Text.Encoding.ASCII.GetBytes($"Bearer {made.Secret}");
        var known = default(KnownKey);
        var output = new OutputBuffer();
        Assert.Equal(0, Allocations.Least(Ask));
        output.Release();

        void Ask()
        {
            var ring = keys.Ring;
            if (known.Find(authorization, ring, Noon) is not { } key)
            {
                Assert.Equal(KeyVerdict.Valid, keys.Find(KeyRing.Bearer(authorization), ring, Noon, out var found));
                known.Learn(authorization, ring, key = found!, Noon);
            }

            var meter = keys.MeterOf(key)!;
            if (meter.Begin(key.Terms.Limits.Overall, Noon) is not null || meter.Take(key.Terms.Limits.Overall, 2, Noon, out _) is not null) throw new InvalidOperationException("refused");
            output.Clear();
            meter.Write(key.Terms.Limits.Overall, Noon, output);
            meter.End();
        }
    }

    private static (long Limit, long Used, long Requested) Numbers(Refusal? refusal) => (refusal!.Value.Limit, refusal.Value.Used, refusal.Value.Requested);
}
