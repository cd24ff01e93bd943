using System.ClientModel;
using System.Text;
using OpenAI.Chat;
using Stoker.Drills.Shared;
using Stoker.Tests.Gateway.Shared;
using Xunit;

namespace Stoker.Drills.Gateway;

/// <summary>The estate <c>citadel</c> as it is shipped, rehearsed, and the official client in a dialogue with its models.</summary>
public sealed class DialogueDrills
{
    private static readonly string[] Processes = ["gateway", "phi-3-mini", "imp-v1-3b", "qwen-coder", "hermes-mixtral"];

    [Fact]
    public async Task A_dialogue_goes_on_while_the_daemon_is_killed_and_the_next_one_adopts_all_of_it()
    {
        using var machine = Citadel(out var address);
        machine.Up("--rehearse");
        var pids = Pids(machine);
        var dialogue = new Dialogue(address, NewKey(machine, "ada"));

        Assert.Superset(
            new HashSet<string>(["phi-3-mini", "small", "imp-v1-3b", "Qwen-Coder-DeepSeek-R1-14B", "coder", "NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO", "large"]),
            (await dialogue.ModelsAsync()).ToHashSet());
        await dialogue.SayAsync("small", "Hello, my name is Ada.");
        Assert.Contains("Ada", await dialogue.SayAsync("small", "What is my name?"));

        // Killed while an answer comes: the answer is whole.
        var daemon = machine.DaemonPid;
        await dialogue.SayAsync("small", "Tell me about the scheduler. My office is in Zürich.", amid: () => Machine.Kill(daemon));
        Assert.Equal(5, machine.Run("status").Code);

        Assert.Contains("Zürich", await dialogue.SayAsync("small", "What is my office?"));
        Assert.Contains("Ada", await dialogue.SayAsync("coder", "What is my name?"));
        var errors = await ErrorsAsync(address, NewKey(machine, "guest", "--model", "phi-*"));
        Assert.Equal([(400, "context_length_exceeded"), (401, "invalid_api_key"), (404, "model_not_found"), (404, "model_not_found")], errors);
        Assert.Contains("Ada", await dialogue.SayAsync("large", "Who am I?"));

        machine.Up("--rehearse");
        Assert.Equal(pids, Pids(machine));
        Assert.All(machine.Services(), service => Assert.Equal(0, (int)service!["restarts"]!));
        Assert.Contains("Ada", await dialogue.SayAsync("vision", "What is my name?"));
        machine.Until("the ledger has all of it", () => Requests(machine, "good") == 7 && Requests(machine, "refused") == 3);
    }

    private static Machine Citadel(out string address)
    {
        var ports = FreePorts.Take(5);
        address = $"127.0.0.1:{ports[0]}";
        var machine = new Machine("name: citadel\nservices: {}\n");
        var estate = File.ReadAllText(Path.Combine(Machine.Repository, "estates", "citadel", "stoker.yaml"));
        (string Shipped, string Here)[] changes =
        [
            ("127.0.0.1:8000", address), ("port: 11400", $"port: {ports[1]}"), ("port: 11420", $"port: {ports[2]}"), ("port: 11440", $"port: {ports[3]}"), ("port: 11460", $"port: {ports[4]}"),
            ("HF_HUB_OFFLINE:", $"DRILL: \"{machine.Directory}\"\n    HF_HUB_OFFLINE:"),
        ];
        foreach (var (shipped, here) in changes)
        {
            Assert.Contains(shipped, estate);
            estate = estate.Replace(shipped, here, StringComparison.Ordinal);
        }

        machine.Write("stoker.yaml", estate);
        return machine;
    }

    private static string NewKey(Machine machine, string name, params string[] more) => machine.Run(["key", "create", name, .. more]).Succeeded().Output.Trim();

    private static List<int> Pids(Machine machine) => [.. Processes.Select(machine.PidOf)];

    private static long Requests(Machine machine, string outcome) =>
        machine.Run("model", "usage", "--by", "outcome", "--json").Succeeded().Json["rows"]!.AsArray().Where(row => (string)row!["name"]! == outcome).Sum(row => (long)row!["requests"]!);

    /// <summary>What a client is told that asks for too much, with the wrong key, for nobody's model, and for one that its key may not use.</summary>
    private static async Task<List<(int Status, string? Code)>> ErrorsAsync(string address, string key)
    {
        (string Key, string Model, string Text)[] asked =
            [(key, "small", string.Concat(Enumerable.Repeat("word ", 20_000))), ("sk-stoker-nobody", "small", "x"), (key, "nobody", "x"), (key, "coder", "x")];
        var told = new List<(int, string?)>();
        foreach (var (secret, model, text) in asked)
        {
            var refused = await Assert.ThrowsAsync<ClientResultException>(() => OfficialClient.Of(address, secret).GetChatClient(model).CompleteChatAsync(text));
            told.Add((refused.Status, (string?)System.Text.Json.Nodes.JsonNode.Parse(refused.GetRawResponse()!.Content)!["error"]!["code"]));
        }

        return told;
    }

    /// <summary>One person's side: every turn is sent with all that was said before, and heard as a stream to its end.</summary>
    private sealed class Dialogue(string address, string key)
    {
        private readonly OpenAI.OpenAIClient _client = OfficialClient.Of(address, key);
        private readonly List<ChatMessage> _said = [new SystemChatMessage("You are short and kind.")];

        public async Task<IEnumerable<string>> ModelsAsync() => (await _client.GetOpenAIModelClient().GetModelsAsync()).Value.Select(model => model.Id);

        /// <param name="amid">Done when the answer has begun.</param>
        public async Task<string> SayAsync(string model, string text, Action? amid = null)
        {
            _said.Add(new UserChatMessage(text));
            var (answer, finish) = (new StringBuilder(), (ChatFinishReason?)null);
            await foreach (var piece in _client.GetChatClient(model).CompleteChatStreamingAsync(_said))
            {
                amid?.Invoke();
                amid = null;
                foreach (var part in piece.ContentUpdate) answer.Append(part.Text);
                finish = piece.FinishReason ?? finish;
            }

            Assert.Equal(ChatFinishReason.Stop, finish);
            _said.Add(new AssistantChatMessage(answer.ToString()));
            return answer.ToString();
        }
    }
}
