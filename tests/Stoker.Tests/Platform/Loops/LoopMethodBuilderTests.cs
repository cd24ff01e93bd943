using System.Runtime.CompilerServices;
using Stoker.Platform.Loops;
using Xunit;

namespace Stoker.Tests.Platform.Loops;

public sealed class LoopMethodBuilderTests
{
    [Fact]
    public async Task What_needs_no_waiting_is_answered_at_once()
    {
        var sum = SumAsync(Task.FromResult(1), Task.FromResult(2));
        Assert.True(sum.IsCompletedSuccessfully);
        Assert.Equal(3, await sum);
    }

    [Fact]
    public async Task Calls_that_wait_at_the_same_time_have_each_their_own_answer()
    {
        // Several rounds: those of the second wait in what the first has left.
        for (var round = 0; round < 3; round++)
        {
            var (first, second) = (Enumerable.Range(0, 50).Select(_ => new TaskCompletionSource<int>()).ToArray(), new TaskCompletionSource<int>());
            var sums = first.Select(one => SumAsync(one.Task, second.Task).AsTask()).ToArray();
            for (var i = 0; i < first.Length; i++) first[i].SetResult(i);
            Assert.DoesNotContain(sums, sum => sum.IsCompleted);
            second.SetResult(100);
            Assert.Equal(Enumerable.Range(100, 50), await Task.WhenAll(sums));
        }
    }

    [Fact]
    public async Task It_goes_on_where_what_it_waited_for_ended()
    {
        var wait = new TaskCompletionSource<int>();
        // A task, so that this method itself does not go on there, where it could not wait for the thread.
        var thread = ThreadAfterAsync(wait.Task).AsTask();
        var ending = new Thread(() => wait.SetResult(0));
        ending.Start();
        ending.Join();
        Assert.Equal(ending.ManagedThreadId, await thread);
    }

    [Fact]
    public async Task What_throws_is_the_callers_before_and_after_a_wait()
    {
        var wait = new TaskCompletionSource<int>();
        var before = SumAsync(Task.FromException<int>(new IOException("before")), wait.Task).AsTask();
        var after = SumAsync(wait.Task, Task.FromException<int>(new IOException("after"))).AsTask();
        Assert.True(before.IsFaulted);
        wait.SetResult(1);
        Assert.Equal("before", (await Assert.ThrowsAsync<IOException>(() => before)).Message);
        Assert.Equal("after", (await Assert.ThrowsAsync<IOException>(() => after)).Message);
        Assert.Equal(3, await SumAsync(wait.Task, Task.FromResult(2)));
    }

    [Fact]
    public async Task An_answer_is_had_once()
    {
        var wait = new TaskCompletionSource<int>();
        var sum = SumAsync(wait.Task, wait.Task);
        wait.SetResult(2);
        Assert.Equal(4, await sum);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await sum);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<int> SumAsync(Task<int> one, Task<int> other)
    {
        var first = await one;
        return first + await other;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private static async ValueTask<int> ThreadAfterAsync(Task wait)
    {
        await wait;
        return Environment.CurrentManagedThreadId;
    }
}
