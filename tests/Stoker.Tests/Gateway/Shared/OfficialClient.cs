using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;

namespace Stoker.Tests.Gateway.Shared;

/// <summary>The official .NET client, pointed at a gateway and otherwise as it comes.</summary>
internal static class OfficialClient
{
    /// <param name="address">The gateway's, without a path.</param>
    /// <param name="retries">How often it tries again by itself; its own default is 3.</param>
    public static OpenAIClient Of(string address, string key = "none", int retries = 0, string? simulate = null)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        if (simulate is not null) http.DefaultRequestHeaders.Add("X-Simulate", simulate);
        return new OpenAIClient(new ApiKeyCredential(key), new OpenAIClientOptions
        {
            Endpoint = new Uri($"http://{address}/v1"),
            RetryPolicy = new ClientRetryPolicy(retries),
            Transport = new HttpClientPipelineTransport(http),
        });
    }
}
