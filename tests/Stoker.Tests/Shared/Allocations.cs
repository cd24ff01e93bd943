namespace Stoker.Tests.Shared;

/// <summary>What a piece of work allocates. The runtime allocates at times on the same thread (a method is compiled anew, a type is loaded), which is not the work's.</summary>
internal static class Allocations
{
    private const int Rounds = 20, Times = 200;

    /// <summary>In bytes, by 200 times of the work, of several rounds the one with the least. What the first times grow does not count.</summary>
    public static long Least(Action work)
    {
        work();
        var least = long.MaxValue;
        for (var round = 0; round < Rounds && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var time = 0; time < Times; time++) work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
