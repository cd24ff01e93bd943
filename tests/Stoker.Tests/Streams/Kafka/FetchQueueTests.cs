using Stoker.Streams.Kafka;
using Xunit;

namespace Stoker.Tests.Streams.Kafka;

public sealed class FetchQueueTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_is_taken_once_in_its_order_by_whoever_looks_all_the_time()
    {
        const int Many = 300_000;
        using var queue = new FetchQueue<int>(most: 50, mostBytes: 1000);
        var putting = Task.Factory.StartNew(
            () =>
            {
                for (var each = 0; each < Many; each++) queue.Put(each, bytes: each % 40);
            },
            Cancellation,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        var next = 0;
        while (next < Many)
        {
            if (queue.Take().Items is not { } items) continue;
            foreach (var item in items) Assert.Equal(next++, item);
        }

        await putting;
        Assert.Null(queue.Take().Items);
    }

    [Fact]
    public async Task Whoever_puts_waits_for_room_and_is_let_go_when_it_is_closed()
    {
        using var queue = new FetchQueue<string>(most: 2, mostBytes: 100);
        queue.Put("small", 1);
        queue.Put("large", 100);
        var putting = Task.Run(() => queue.Put("third", 1), Cancellation);
        Assert.Equal(["small", "large"], queue.Take().Items!);
        await putting;
        queue.Put("fourth", 1);
        var last = Task.Run(() => queue.Put("fifth", 1), Cancellation);
        queue.Close();
        await last;
        Assert.Equal(["third", "fourth", "fifth"], queue.Take().Items!);
    }

    [Fact]
    public async Task A_failure_is_told_once_and_after_what_came_before_it()
    {
        using var queue = new FetchQueue<string>(most: 2, mostBytes: 100);
        var waiting = queue.WaitAsync(Cancellation);
        Assert.False(waiting.IsCompleted);
        queue.Put("first", 1);
        queue.PutFailure("no broker");
        queue.PutEnd(7);
        await waiting;
        Assert.Equal((1, null, 7UL), queue.Take() is var taken ? (taken.Items!.Count, taken.Failure, taken.End) : default);
        await queue.WaitAsync(Cancellation);
        Assert.Equal(new Fetched<string>(null, "no broker", 7), queue.Take());
        Assert.Equal(new Fetched<string>(null, null, 7), queue.Take());
        Assert.False(queue.WaitAsync(Cancellation).IsCompleted);
    }
}
