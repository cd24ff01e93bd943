using Stoker.Platform;
using Xunit;

namespace Stoker.Tests.Platform;

public sealed class KernelLogTests
{
    [Fact]
    public void What_is_there_is_read_to_its_end_without_waiting_for_more()
    {
        var all = KernelLog.Read(_ => true);
        // Where the log may be read it begins with the kernel's own first words or, once these were overwritten, somewhere behind.
        Assert.SkipWhen(all.Count == 0, "the kernel's log may not be read here");
        Assert.All(all, line => Assert.DoesNotContain('\n', line));
        Assert.Empty(KernelLog.Read(_ => false));
    }
}
