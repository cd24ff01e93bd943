using Stoker.Http;
using Xunit;

namespace Stoker.Tests.Http;

public sealed class PrometheusPageTests
{
    [Fact]
    public void A_family_is_announced_and_its_lines_have_their_labels_in_braces()
    {
        using var page = new PrometheusPage();
        page.Family("up", "gauge", "Whether it is.");
        page.Line("up", "", 1);
        page.Line("up", $"path=\"{PrometheusPage.Escaped("a\\b\"c\nd")}\"", 0.25);
        page.Single("taken_total", "counter", "All of them.", long.MaxValue);
        Assert.Equal(
            """
            # HELP up Whether it is.
            # TYPE up gauge
            up 1
            up{path="a\\b\"c\nd"} 0.25
            # HELP taken_total All of them.
            # TYPE taken_total counter
            taken_total 9223372036854775807

            """,
            page.ToString());
    }

    [Fact]
    public void A_page_grows_past_the_memory_that_it_began_with_and_keeps_what_it_has()
    {
        using var page = new PrometheusPage();
        for (var i = 0; i < 10_000; i++) page.Line("x", $"i=\"{i}\"", (long)i);
        var lines = page.ToString().Split('\n');
        Assert.Equal(10_001, lines.Length);
        Assert.All(lines.SkipLast(1).Index(), line => Assert.Equal($"x{{i=\"{line.Index}\"}} {line.Index}", line.Item));
    }
}
