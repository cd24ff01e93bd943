using System.Text;
using Stoker.Streams.Stores;

namespace Stoker.Streams.Work;

/// <summary>What a replay found or did.</summary>
internal sealed class ReplaySums
{
    private const int MostExamples = 20;

    private readonly List<ReplayExample> _examples = [];
    private readonly SortedDictionary<string, long> _fields = new(StringComparer.Ordinal);

    /// <summary>Events that were read.</summary>
    public long Events { get; set; }

    /// <summary>Documents that the store has just so. Of a comparison only, as the next two.</summary>
    public long Same { get; private set; }

    /// <summary>Documents that the store had otherwise.</summary>
    public long Different { get; private set; }

    /// <summary>Documents that the store did not have.</summary>
    public long Missing { get; private set; }

    /// <summary>Documents that the store took.</summary>
    public long Stored { get; set; }

    /// <summary>Events whose document is there: of a dry run those that came again, where the first counts.</summary>
    public long Duplicates { get; set; }

    /// <summary>Events that become no document.</summary>
    public long Poison { get; set; }

    public string? FirstPoison { get; set; }

    /// <summary>Left alone, because somebody has to decide, or has decided.</summary>
    public long DeadLetters { get; set; }

    /// <summary>Damaged once, and taken out of the log.</summary>
    public long Gone { get; set; }

    /// <summary>Not stored yet, and the worker's.</summary>
    public long Waiting { get; set; }

    /// <summary>How many documents differ in a field.</summary>
    public IReadOnlyDictionary<string, long> Fields => _fields;

    /// <summary>The first that differ or are missing.</summary>
    public IReadOnlyList<ReplayExample> Examples => _examples;

    /// <returns>It is to be written.</returns>
    public bool AddMissing(in StoredDocument document)
    {
        Missing++;
        AddExample(document, []);
        return true;
    }

    /// <returns>It is to be written: never.</returns>
    public bool AddDuplicate()
    {
        Duplicates++;
        return false;
    }

    /// <returns>It is to be written.</returns>
    public bool AddCompared(in StoredDocument document, List<string> differences)
    {
        if (differences.Count == 0)
        {
            Same++;
            return false;
        }

        Different++;
        foreach (var field in differences) _fields[field] = _fields.GetValueOrDefault(field) + 1;
        AddExample(document, differences);
        return true;
    }

    private void AddExample(in StoredDocument document, List<string> fields)
    {
        if (_examples.Count < MostExamples) _examples.Add(new ReplayExample(Encoding.UTF8.GetString(document.Id.Span), Encoding.UTF8.GetString(document.Source.Span), document.Sequence, fields));
    }
}

/// <param name="Fields">In which it differs; empty: it is missing.</param>
internal sealed record ReplayExample(string Id, string Source, long Offset, IReadOnlyList<string> Fields);
