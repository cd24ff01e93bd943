using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Stoker.Hosts.Facts;
using Stoker.Platform;
using Stoker.Tests.Logs;

namespace Stoker.Tests.Hosts.Facts;

/// <summary>
/// A machine that was written down in <c>Machines/NAME.txt</c>: parts that begin with <c>== PATH</c> and hold the file; <c>== link PATH</c> with what it leads to, <c>== refused PATH</c> with
/// why, <c>== space PATH</c> with total and free bytes, <c>== address LINK</c>, <c>== hypervisor</c>, <c>== run COMMAND</c> with its output. A path with <c>[0-15,32-47]</c> stands for
/// as many; <c>{n}</c>, <c>{n+32}</c> and <c>{n-32}</c> in what follows is each number.
/// </summary>
internal sealed partial class CapturedMachine : ISystemTree
{
    private readonly Dictionary<string, string> _files = [];
    private readonly Dictionary<string, byte[]> _bytes = [];
    private readonly Dictionary<string, string> _links = [];
    private readonly Dictionary<string, string> _refused = [];
    private readonly Dictionary<string, FileSystemSpace> _space = [];
    private readonly Dictionary<string, string> _commands = [];
    private readonly List<LinkAddress> _addresses = [];
    private readonly Dictionary<string, SortedSet<string>> _directories = [];
    private string? _hypervisor;

    public NvmlAnswer Nvml { get; set; } = new NvmlAnswer.NotThere();

    public List<string> Ran { get; } = [];

    public static CapturedMachine Load(string name) => Parse(Source(name));

    public static string Source(string name) => File.ReadAllText(Path.Combine(Here(), "Machines", $"{name}.txt"));

    /// <param name="isDamaged">Sizes and addresses, which are no files, may be unreadable and are left out then.</param>
    public static CapturedMachine Parse(string text, bool isDamaged = false)
    {
        var machine = new CapturedMachine();
        foreach (var part in ("\n" + text).Split("\n== ").Skip(1))
        {
            var end = part.IndexOf('\n');
            var (head, content) = end < 0 ? (part, "") : (part[..end], part[(end + 1)..]);
            if (!isDamaged || !(head.StartsWith("space ", StringComparison.Ordinal) || head.StartsWith("address ", StringComparison.Ordinal))) machine.Add(head.Trim(), content.TrimEnd('\n'));
        }

        return machine;
    }

    public CapturedMachine With(string path, byte[] content)
    {
        _bytes[path] = content;
        AddNames(path);
        return this;
    }

    public FactDoors Doors => new()
    {
        Files = this,
        Space = path => _space.GetValueOrDefault(path),
        Addresses = () => _addresses,
        Hypervisor = () => _hypervisor,
        Nvml = () => Nvml,
        Find = command => _commands.Keys.Any(c => c.Split(' ')[0] == command) ? $"/opt/tools/{command}" : null,
        Run = (tool, arguments, _) =>
        {
            var command = $"{Path.GetFileName(tool)} {string.Join(' ', arguments)}".Trim();
            lock (Ran) Ran.Add(command);
            return Task.FromResult<ShortCommandOutcome>(_commands.TryGetValue(command, out var output)
                ? new ShortCommandOutcome.Ended(new ExitStatus(0, null), output, null)
                : new ShortCommandOutcome.Ended(new ExitStatus(1, null), "", $"nobody wrote down what `{command}` says"));
        },
        // Whoever is asked has an answer: nobody is waited for in vain, however late he comes to say it.
        Clock = new ManualTime(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero)),
        Homes = ["/home/ada"],
    };

    public HostFacts Facts => FactsReader.ReadAsync(Doors, []).GetAwaiter().GetResult();

    public TreeFile Read(string path) =>
        _bytes.TryGetValue(path, out var bytes) ? new TreeFile.Found(bytes)
        : _files.TryGetValue(path, out var text) ? new TreeFile.Found(Encoding.UTF8.GetBytes(text + "\n"))
        : _refused.TryGetValue(path, out var why) ? new TreeFile.Refused(why)
        : new TreeFile.Absent();

    public IReadOnlyList<string> List(string directory) => _directories.TryGetValue(directory, out var names) ? [.. names] : [];

    public string? Follow(string path) =>
        _links.TryGetValue(path, out var target) ? target : _files.ContainsKey(path) || _bytes.ContainsKey(path) || _refused.ContainsKey(path) || _directories.ContainsKey(path) ? path : null;

    private void Add(string head, string content)
    {
        var (word, rest) = head.Split(' ', 2) is [var first, var second] ? (first, second) : (head, "");
        switch (word)
        {
            case "link":
                foreach (var (path, target) in Expand(rest, content)) Add(_links, path, target);
                break;
            case "refused":
                Add(_refused, rest, content);
                break;
            case "space":
                var sizes = content.Split(' ').Select(s => long.Parse(s, CultureInfo.InvariantCulture)).ToArray();
                _space[rest] = new FileSystemSpace(sizes[0], sizes[1]);
                break;
            case "address":
                _addresses.AddRange(content.Split('\n').Select(a => new LinkAddress(rest, a.Split('/')[0], int.Parse(a.Split('/')[1], CultureInfo.InvariantCulture))));
                break;
            case "hypervisor":
                _hypervisor = content;
                break;
            case "run":
                _commands[rest] = content;
                break;
            default:
                foreach (var (path, text) in Expand(head, content)) Add(_files, path, text);
                break;
        }
    }

    private void Add(Dictionary<string, string> entries, string path, string content)
    {
        entries[path] = content;
        AddNames(path);
    }

    private void AddNames(string path)
    {
        for (var at = path; Path.GetDirectoryName(at) is { } directory; at = directory)
        {
            if (!_directories.TryGetValue(directory, out var names)) _directories[directory] = names = new SortedSet<string>(StringComparer.Ordinal);
            names.Add(Path.GetFileName(at));
        }
    }

    private static IEnumerable<(string Path, string Content)> Expand(string path, string content)
    {
        if (Range().Match(path) is not { Success: true } range) return [(path, content)];
        return range.Groups[1].Value.Split(',').SelectMany(part => part.Split('-') is [var first, var last] ? Enumerable.Range(int.Parse(first), int.Parse(last) - int.Parse(first) + 1) : [int.Parse(part)])
            .Select(n => (path.Replace(range.Value, $"{n}"), Number().Replace(content, m => $"{n + (m.Groups[1].Length > 0 ? int.Parse(m.Groups[1].Value) : 0)}")));
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"\[([0-9,-]+)\]")]
    private static partial Regex Range();

    [GeneratedRegex(@"\{n([+-][0-9]+)?\}")]
    private static partial Regex Number();
}
