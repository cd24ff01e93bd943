using Stoker.Daemon.Protocol;
using Stoker.Supervision;

namespace Stoker.Cli.Watching;

internal enum WatchPane
{
    Services,
    Logs,
    Why,
    Help,
}

/// <summary>All that the view shows, and nothing that it shows is kept anywhere else.</summary>
internal sealed record WatchModel
{
    /// <summary>Only these services; empty: all.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>The view belongs to the process that is the daemon: leaving it ends everything, which is asked first.</summary>
    public bool IsOwner { get; init; }

    public StatusDocument? Status { get; init; }

    public DateTimeOffset Now { get; init; }

    /// <summary>Name of the service that the keys act on.</summary>
    public string? Selected { get; init; }

    /// <summary>Services whose name, group or state holds this text.</summary>
    public string Filter { get; init; } = "";

    public bool IsFiltering { get; init; }

    public WatchPane Pane { get; init; } = WatchPane.Services;

    /// <summary>Content of the panes other than the services.</summary>
    public IReadOnlyList<string> Text { get; init; } = [];

    /// <summary>Lines scrolled: from the end in logs, which follow as long as it is 0; from the start elsewhere.</summary>
    public int Scroll { get; init; }

    /// <summary>What a key asked for, to be confirmed.</summary>
    public WatchCommand? Asked { get; init; }

    /// <summary>How the last command went.</summary>
    public string? Message { get; init; }

    public List<ServiceDocument> Shown => Status is null
        ? []
        : [.. Status.Services.Where(s => Names.Count == 0 || Names.Contains(s.Name)).Where(Matches)];

    private bool Matches(ServiceDocument service) =>
        Filter.Length == 0
        || service.Name.Contains(Filter, StringComparison.OrdinalIgnoreCase)
        || StateWords.Of(service.State).Contains(Filter, StringComparison.OrdinalIgnoreCase)
        || (service.Group?.Contains(Filter, StringComparison.OrdinalIgnoreCase) ?? false);
}

/// <summary>What a key makes the loop do.</summary>
internal abstract record WatchCommand
{
    internal sealed record Quit : WatchCommand;

    internal sealed record OpenLogs(string Service) : WatchCommand;

    internal sealed record CloseLogs : WatchCommand;

    internal sealed record AskWhy(string Service) : WatchCommand;

    /// <param name="Action"><c>restart</c>, <c>stop</c> or <c>start</c>.</param>
    internal sealed record Request(string Service, string Action) : WatchCommand;
}
