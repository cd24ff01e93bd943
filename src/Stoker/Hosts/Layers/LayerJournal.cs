using System.Text;
using System.Text.Json;
using Stoker.Platform;

namespace Stoker.Hosts.Layers;

/// <summary>
/// What layers changed on this machine, in order, and what was there before: <c>layers/journal.ndjson</c> in the state directory, and <c>layers/kept/HASH</c> for contents.
/// A change is on the disk before it is made, and again when it is done: after a crash it is known which one was under way.
/// </summary>
internal sealed class LayerJournal(string directory, TimeProvider clock)
{
    private readonly string _path = Path.Combine(directory, "journal.ndjson");
    private readonly string _kept = Path.Combine(directory, "kept");
    private readonly List<LayerChange> _standing = [];
    private readonly HashSet<long> _underWay = [];
    private readonly Dictionary<string, LayerLine> _layers = new(StringComparer.Ordinal);
    private long _last;

    /// <summary>Changes that were made and not taken back, in order.</summary>
    public IReadOnlyList<LayerChange> Standing => _standing;

    /// <summary>Begun, and nobody knows whether it was made.</summary>
    public IReadOnlyList<LayerChange> UnderWay => [.. _standing.Where(c => _underWay.Contains(c.Number))];

    /// <summary>What was last said of a layer; null: nothing.</summary>
    public LayerLine? StateOf(string layer) => _layers.GetValueOrDefault(layer);

    /// <summary>It was begun, and not brought to its end.</summary>
    public bool IsUnfinished(string layer) => StateOf(layer) is not { State: "applied" } && _standing.Exists(c => c.Layer == layer);

    /// <exception cref="IOException">A line cannot be read: nothing may be changed then.</exception>
    public static LayerJournal Open(string directory, TimeProvider clock)
    {
        var journal = new LayerJournal(directory, clock);
        var bytes = Files.ReadIfPresent(journal._path) ?? [];
        var lines = Encoding.UTF8.GetString(bytes).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Length == 0) continue;
            LayerLine? line;
            try
            {
                line = JsonSerializer.Deserialize(lines[i], LayerJson.Default.LayerLine);
            }
            catch (JsonException) when (i == lines.Length - 1)
            {
                // Cut off by a crash while it was written: what it would have said was not begun, because a change begins after its line.
                Files.AtomicWrite(journal._path, string.Concat(lines[..^1].Select(l => l + "\n")));
                break;
            }
            catch (JsonException e)
            {
                throw new IOException($"`{journal._path}` is damaged at line {i + 1}: {e.Message}");
            }

            journal.Take(line!);
        }

        return journal;
    }

    public string Keep(byte[] content)
    {
        var hash = FileImage.Hash(content);
        Files.CreateDirectory(_kept);
        var path = Path.Combine(_kept, hash);
        if (!Files.Exists(path)) Files.AtomicWrite(path, content);
        return hash;
    }

    public byte[] Kept(string hash) => Files.ReadAllBytes(Path.Combine(_kept, hash));

    public LayerChange Begin(LayerChange change)
    {
        var numbered = change with { Number = _last + 1, At = clock.GetUtcNow() };
        Write(new LayerLine("begin", numbered.At) { Change = numbered });
        return numbered;
    }

    /// <param name="change">With what is known now that it is done.</param>
    public void Done(LayerChange change) => Write(new LayerLine("done", clock.GetUtcNow()) { Change = change, Number = change.Number });

    public void Undone(LayerChange change) => Write(new LayerLine("undone", clock.GetUtcNow()) { Number = change.Number });

    public void Say(string layer, string state, string? why = null) => Write(new LayerLine("layer", clock.GetUtcNow()) { Layer = layer, State = state, Why = why });

    private void Write(LayerLine line)
    {
        Files.CreateDirectory(directory);
        Files.AppendDurably(_path, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, LayerJson.Default.LayerLine) + "\n"));
        Take(line);
    }

    private void Take(LayerLine line)
    {
        switch (line)
        {
            case { Event: "begin", Change: { } change }:
                _standing.Add(change);
                _underWay.Add(change.Number);
                _last = Math.Max(_last, change.Number);
                break;
            case { Event: "done", Change: { } change }:
                _underWay.Remove(change.Number);
                _standing[_standing.FindIndex(c => c.Number == change.Number)] = change;
                break;
            case { Event: "undone", Number: { } number }:
                _underWay.Remove(number);
                _standing.RemoveAll(c => c.Number == number);
                break;
            case { Event: "layer", Layer: { } layer }:
                _layers[layer] = line;
                break;
        }
    }
}
