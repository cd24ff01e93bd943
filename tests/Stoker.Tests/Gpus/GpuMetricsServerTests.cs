using System.Net;
using System.Text;
using Stoker.Gpus;
using Xunit;

namespace Stoker.Tests.Gpus;

public sealed class GpuMetricsServerTests
{
    [Fact]
    public async Task The_page_is_made_anew_for_each_scrape_and_nothing_else_is_served()
    {
        var scrapes = 0;
        using var server = new GpuMetricsServer(new IPEndPoint(IPAddress.Loopback, 0), () => Task.FromResult(new MetricsAnswer(200, Encoding.ASCII.GetBytes($"stoker_gpu_up {++scrapes}\n"))), _ => { });
        using var client = new HttpClient { BaseAddress = new Uri($"http://{server.Address}") };
        Assert.Equal("stoker_gpu_up 1\n", await client.GetStringAsync("/metrics"));
        using var second = await client.GetAsync("/metrics?x=1");
        Assert.Equal("stoker_gpu_up 2\n", await second.Content.ReadAsStringAsync());
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", second.Content.Headers.ContentType!.ToString());
        using var other = await client.GetAsync("/");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task A_page_that_cannot_be_made_ends_the_connection_and_is_told()
    {
        var told = new TaskCompletionSource<string>();
        using var server = new GpuMetricsServer(new IPEndPoint(IPAddress.Loopback, 0), () => Task.FromException<MetricsAnswer>(new InvalidDataException("no page")), problem => told.TrySetResult(problem));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{server.Address}") };
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/metrics"));
        Assert.Contains("no page", await told.Task, StringComparison.Ordinal);
    }
}
