using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Forwarding;

/// <summary>The model that a connection asked for last: clients ask for the same again and again, and need no look-up then.</summary>
internal readonly struct RouteKnown
{
    private readonly byte[]? _name;
    private readonly RouteTable? _table;

    private RouteKnown(RouteTable table, string asked, ReadOnlySpan<byte> name, Route? route) =>
        (_table, _name, Asked, Route) = (table, name.Length <= RouteTable.LongestName ? name.ToArray() : null, asked, route);

    public string Asked { get; } = "";

    /// <summary>Null: nobody serves it.</summary>
    public Route? Route { get; }

    public static RouteKnown Find(RouteTable table, string asked, ReadOnlySpan<byte> name) => new(table, asked, name, table.Find(asked));

    public bool Is(ReadOnlySpan<byte> name, RouteTable table) => _table == table && _name is not null && name.SequenceEqual(_name);
}
