using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Forwarding;

/// <summary>The model that a connection asked for last: clients ask for the same again and again, and need no look-up then.</summary>
internal readonly struct RouteKnown
{
    private readonly byte[]? _name;
    private readonly GatewayTables? _tables;

    private RouteKnown(GatewayTables tables, string asked, ReadOnlySpan<byte> name, Route? route) =>
        (_tables, _name, Asked, Route) = (tables, name.Length <= RouteTable.LongestName ? name.ToArray() : null, asked, route);

    public string Asked { get; } = "";

    /// <summary>Null: nobody serves it.</summary>
    public Route? Route { get; }

    public static RouteKnown Find(GatewayTables tables, string asked, ReadOnlySpan<byte> name) => new(tables, asked, name, tables.Router.Table.Find(asked));

    public bool Is(ReadOnlySpan<byte> name, GatewayTables tables) => _tables == tables && _name is not null && name.SequenceEqual(_name);
}
