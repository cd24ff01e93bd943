using System.Text;
using Stoker.Drills.Shared;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Drills.Gateway;

/// <summary>A model that is loaded when somebody asks for it and unloaded when nobody does, by the real daemon and the real gateway.</summary>
public sealed class LoadOnRequestDrills
{
    [Fact]
    public async Task A_model_is_loaded_by_the_first_request_unloaded_when_idle_and_loaded_again_and_no_request_is_lost()
    {
        using var machine = Sleepy("load: {policy: on_request}\n    idle: {unload_after: 2s}", out var client);
        machine.Up();
        Assert.Equal("stopped", machine.StateOf("small"));
        Assert.Equal("ok", (string?)System.Text.Json.Nodes.JsonNode.Parse(await client.GetStringAsync("/ready"))!["status"]);

        // Ten at once while it sleeps: one load, and all are answered.
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => AskAsync(client, Sse.Chat("x", model: "s")))), told => Assert.True(told.Status == 200, told.Text));
        Assert.Equal(1, Starts(machine));
        machine.Until("it is unloaded", () => machine.StateOf("small") == "stopped");

        // A stream that lasts longer than it may be idle keeps it.
        var (status, text) = await AskAsync(client, Sse.Stream("x", "\"max_tokens\":40,\"ignore_eos\":true", "small"));
        Assert.True(status == 200, $"{status}: {text}\n{machine.Run("events").Output}");
        Assert.EndsWith(Sse.Done, text);
        Assert.Equal(40, Sse.Count(text, "\"content\":") - Sse.Count(text, "\"content\":\"\""));
        Assert.Equal(2, Starts(machine));
        machine.Until("it is unloaded again", () => machine.StateOf("small") == "stopped");
    }

    [Fact]
    public async Task Who_asks_while_it_is_being_unloaded_waits_until_it_is_loaded_again()
    {
        using var machine = Sleepy("load: {policy: on_request}", out var client);
        machine.Up();
        // Ten seconds of an answer hold its end up, for as long as it may take to see all that follows; meanwhile it is neither there nor gone.
        var stream = AskAsync(client, Sse.Stream("x", "\"max_tokens\":100,\"ignore_eos\":true", "small"));
        machine.UntilState("small", "healthy");
        machine.Until("the stream is under way", () => (int?)machine.Run("model", "list", "--json").Succeeded().Json["models"]![0]!["in_flight"] == 1);
        using var stop = machine.Start("stop", "small");
        machine.UntilState("small", "stopping");
        var (status, text) = await AskAsync(client, Sse.Chat("x", model: "small"));
        Assert.True(status == 200, $"{status}: {text}\n{machine.Run("events").Output}");
        Assert.EndsWith(Sse.Done, (await stream).Text);
        Assert.Equal(2, Starts(machine));
    }

    [Fact]
    public async Task Without_a_daemon_what_sleeps_stays_asleep_and_that_is_said_with_a_time_to_come_again()
    {
        using var machine = Sleepy("load: {policy: on_request, timeout: 2s}", out var client);
        machine.Up();
        machine.KillDaemon();
        using (var answer = await client.PostAsync(Sse.Path, Body(Sse.Chat("x", model: "small"))))
        {
            Assert.Equal(503, (int)answer.StatusCode);
            Assert.Contains("it is being loaded, and was not ready in time", await answer.Content.ReadAsStringAsync());
        }

        machine.Up();
        machine.Until("it is loaded", () => AskAsync(client, Sse.Chat("x", model: "small")).GetAwaiter().GetResult().Status == 200);
    }

    private static Machine Sleepy(string policy, out HttpClient client)
    {
        var ports = FreePorts.Take(2);
        var machine = new Machine("name: sleepy\nservices: {}\n");
        machine.Write("stoker.yaml", $$"""
            name: sleepy
            models:
              small:
                engine: simulator
                port: {{ports[1]}}
                aliases: [s]
                {{policy}}
                args: [--load-time, 300ms, --itl, 100ms]
                environment: {DRILL: "{{machine.Directory}}"}
            gateway: {listen: "127.0.0.1:{{ports[0]}}", auth: none}
            """);
        client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{ports[0]}"), Timeout = TimeSpan.FromSeconds(60) };
        return machine;
    }

    private static async Task<(int Status, string Text)> AskAsync(HttpClient client, string body)
    {
        using var answer = await client.PostAsync(Sse.Path, Body(body));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static StringContent Body(string json) => new(json, Encoding.UTF8, "application/json");

    private static int Starts(Machine machine) =>
        machine.Run("events", "--json").Output.Split('\n').Count(line => line.Contains("\"small\"", StringComparison.Ordinal) && line.Contains("\"started\"", StringComparison.Ordinal));
}
