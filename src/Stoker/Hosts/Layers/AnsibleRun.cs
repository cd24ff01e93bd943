using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>A role or a playbook of Ansible, run on this machine for this machine.</summary>
/// <param name="Role">Its directory; null: a playbook.</param>
internal sealed partial record AnsibleRun(string? Role, string? Playbook, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>Ansible refuses to run where texts are not UTF-8, and remarks on hosts that are this one.</summary>
    private static readonly string[] Settings =
        ["env", "LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1", "ANSIBLE_LOCALHOST_WARNING=False", "ANSIBLE_INVENTORY_UNPARSED_WARNING=False", "ANSIBLE_RETRY_FILES_ENABLED=False", "ANSIBLE_NOCOWS=1"];

    public string Text => Role is not null ? $"role {Role}" : $"playbook {Playbook}";

    /// <summary>The words that run it.</summary>
    /// <param name="directory">Where the playbook of a role is written, which has to stay for an undo.</param>
    public IReadOnlyList<string> Words(string directory, bool check)
    {
        var variables = new JsonObject(Variables.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value)));
        return
        [
            .. Settings, "ansible-playbook", "-i", "localhost,", "-c", "local", .. check ? ["--check"] : Array.Empty<string>(),
            "-e", variables.ToJsonString(), Playbook ?? WriteFor(Role!, directory),
        ];
    }

    /// <summary>How many tasks changed something, or would, by the last lines: <c>localhost : ok=3 changed=1 unreachable=0 failed=0 …</c>; null: it does not say.</summary>
    public static int? Changed(string output) => Recap().Match(output) is { Success: true } match ? int.Parse(match.Groups[1].Value) : null;

    /// <summary>Names of the tasks that changed something, or would, as far as the end of the output tells.</summary>
    public static IReadOnlyList<string> Tasks(string output)
    {
        var tasks = new List<string>();
        string? task = null;
        foreach (var line in output.Split('\n'))
        {
            if (Task().Match(line) is { Success: true } match) task = match.Groups[1].Value;
            else if (line.StartsWith("changed: ", StringComparison.Ordinal) && task is not null && !tasks.Contains(task)) tasks.Add(task);
        }

        return tasks;
    }

    /// <summary>
    /// Why a task failed, of the last line such as <c>fatal: [localhost]: FAILED! =&gt; {"changed": false, "msg": "…"}</c>, with the task's name; null: there is none in the end of the output.
    /// </summary>
    public static string? Fatal(string output)
    {
        string? task = null, fatal = null;
        foreach (var line in output.Split('\n'))
        {
            if (Task().Match(line) is { Success: true } match) task = match.Groups[1].Value;
            else if (line.StartsWith("fatal: ", StringComparison.Ordinal)) fatal = task is null ? line : $"task `{task}`: {line}";
        }

        return fatal;
    }

    /// <summary>A playbook of one role; JSON is YAML.</summary>
    private static string WriteFor(string role, string directory)
    {
        var play = new JsonObject { ["hosts"] = "localhost", ["connection"] = "local", ["roles"] = new JsonArray(new JsonObject { ["role"] = role }) };
        var text = new JsonArray(play).ToJsonString();
        Files.CreateDirectory(directory);
        var path = Path.Combine(directory, $"{FileImage.Hash(System.Text.Encoding.UTF8.GetBytes(text))[..16]}.json");
        if (!Files.Exists(path)) Files.AtomicWrite(path, text);
        return path;
    }

    [GeneratedRegex(@"^localhost\s*: ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=0", RegexOptions.Multiline)]
    private static partial Regex Recap();

    [GeneratedRegex(@"^(?:TASK|RUNNING HANDLER) \[(.*?)\]")]
    private static partial Regex Task();
}
