using Stoker.Keys;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Tests.Gateway;

/// <summary>Who is not let in is counted, whatever was asked for.</summary>
public sealed class RefusalCountTests
{
    [Fact]
    public async Task Each_refusal_for_want_of_a_key_or_a_scope_is_one_in_the_metrics()
    {
        await using var bench = GatewayBench.Start(GatewayBench.Plan() with { RequiresKeys = true });
        var key = await bench.KeyAsync("prometheus", new KeyTerms { Scopes = KeyScopes.Metrics });
        foreach (var (path, method, secret, status) in ((string, HttpMethod, string?, int)[])
        [
            ("/v1/models", HttpMethod.Get, null, 401), ("/v1/models/m", HttpMethod.Get, "nobody's", 401), (Sse.Path, HttpMethod.Post, null, 401),
            ("/v1/models", HttpMethod.Get, key, 403), (Sse.Path, HttpMethod.Post, key, 403),
        ])
        {
            using var request = new HttpRequestMessage(method, path);
            if (method == HttpMethod.Post) request.Content = new StringContent(Sse.Chat("x"));
            if (secret is not null) request.Headers.Authorization = new("Bearer", secret);
            using var answer = await bench.Client.SendAsync(request);
            Assert.Equal(status, (int)answer.StatusCode);
        }

        var page = await bench.Client.GetStringAsync("/metrics");
        Assert.Contains("\nstoker_gateway_refused_total{status=\"401\"} 3\n", page);
        Assert.Contains("\nstoker_gateway_refused_total{status=\"403\"} 2\n", page);
    }
}
