using System.Globalization;
using System.Text;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Routing;

namespace Stoker.Gateway.Metrics;

/// <summary>The gateway's metrics in Prometheus' text format. Names of the GenAI conventions are written as Prometheus writes OpenTelemetry's: dots as underscores, the unit at the end.</summary>
internal static class MetricsPage
{
    public static byte[] Write(GatewayState gateway)
    {
        var page = new StringBuilder(8192);
        var metrics = gateway.Metrics;
        Requests(page, gateway);
        Model(page, gateway, "gen_ai_server_request_duration_seconds", "Time from a request's first byte to its answer's last.", m => m.Duration);
        Model(page, gateway, "gen_ai_server_time_to_first_token_seconds", "Time to the first token, waiting and reading the prompt included.", m => m.FirstToken);
        Model(page, gateway, "gen_ai_server_time_per_output_token_seconds", "Time for each token of a stream after the first.", m => m.PerToken);
        Head(page, "gen_ai_client_token_usage", "histogram", "Tokens of requests, as the engines told.");
        foreach (var (of, model) in metrics.Models)
        {
            Histogram(page, "gen_ai_client_token_usage", $"{Labels(gateway, of)},gen_ai_token_type=\"input\"", model.InputTokens);
            Histogram(page, "gen_ai_client_token_usage", $"{Labels(gateway, of)},gen_ai_token_type=\"output\"", model.OutputTokens);
        }

        Head(page, "stoker_gateway_overhead_seconds", "histogram", "The gateway's own part of a request, without waiting for a replica.");
        Histogram(page, "stoker_gateway_overhead_seconds", "", metrics.OverheadSeconds);
        Head(page, "stoker_gateway_connections", "gauge", "Open connections of clients.");
        page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_connections {metrics.OpenConnections}\n");
        Head(page, "stoker_gateway_active_requests", "gauge", "Requests being answered or waiting.");
        page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_active_requests {metrics.ActiveRequests}\n");
        Replicas(page, gateway);
        foreach (var family in metrics.Counters.GroupBy(c => c.Series.Split('{')[0]).OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            Head(page, family.Key, "counter", HelpOf(family.Key));
            foreach (var (series, count) in family.OrderBy(c => c.Series, StringComparer.Ordinal)) page.Append(CultureInfo.InvariantCulture, $"{series} {count}\n");
        }

        Head(page, "stoker_gateway_allocated_bytes_total", "counter", "Memory that the gateway has allocated since it began; by requests it should stay flat.");
        page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_allocated_bytes_total {GC.GetTotalAllocatedBytes()}\n");
        Head(page, "stoker_gateway_collections_total", "counter", "Garbage collections by generation.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
            page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_collections_total{{generation=\"{generation}\"}} {GC.CollectionCount(generation)}\n");
        Head(page, "stoker_gateway_ledger_waiting", "gauge", "Rows of the ledger that are not on the disk yet.");
        page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_ledger_waiting {gateway.Ledger.Waiting}\n");
        Head(page, "stoker_gateway_ledger_lost_total", "counter", "Rows that found no room while the disk could not be written.");
        page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_ledger_lost_total {gateway.Ledger.Lost}\n");
        return Encoding.UTF8.GetBytes(page.ToString());
    }

    private static void Requests(StringBuilder page, GatewayState gateway)
    {
        Head(page, "stoker_gateway_requests_total", "counter", "Requests that were admitted, by how they ended.");
        foreach (var (of, model) in gateway.Metrics.Models)
        {
            foreach (var outcome in Enum.GetValues<RequestOutcome>())
            {
                if (model.CountOf(outcome) is var count and > 0)
                    page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_requests_total{{{Labels(gateway, of)},outcome=\"{LedgerRow.Word(outcome)}\"}} {count}\n");
            }
        }
    }

    private static void Replicas(StringBuilder page, GatewayState gateway)
    {
        var routes = gateway.Tables.Router.Table.Routes;
        Head(page, "stoker_gateway_queue_waiting", "gauge", "Requests of a model that wait for a replica.");
        foreach (var route in routes) page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_queue_waiting{{model=\"{Escaped(route.Spec.Name.Value)}\"}} {route.Life.Queue.Waiting}\n");
        Head(page, "stoker_gateway_replica_requests", "gauge", "Requests in flight at a replica.");
        foreach (var route in routes)
        {
            foreach (var replica in route.Replicas)
                page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_replica_requests{{model=\"{Escaped(route.Spec.Name.Value)}\",replica=\"{replica.Id}\"}} {replica.Requests}\n");
        }

        Head(page, "stoker_gateway_replica_up", "gauge", "1: it serves and is not ejected.");
        foreach (var route in routes)
        {
            foreach (var replica in route.Replicas)
                page.Append(CultureInfo.InvariantCulture, $"stoker_gateway_replica_up{{model=\"{Escaped(route.Spec.Name.Value)}\",replica=\"{replica.Id}\"}} {(replica.IsUsable ? 1 : 0)}\n");
        }
    }

    private static void Model(StringBuilder page, GatewayState gateway, string name, string help, Func<ModelMetrics, Histogram> of)
    {
        Head(page, name, "histogram", help);
        foreach (var (key, model) in gateway.Metrics.Models) Histogram(page, name, Labels(gateway, key), of(model));
    }

    private static string Labels(GatewayState gateway, (string Model, string Operation) of)
    {
        var engine = gateway.Tables.Plan.Routes.FirstOrDefault(r => r.Name == of.Model)?.Engine ?? "unknown";
        return $"gen_ai_operation_name=\"{of.Operation}\",gen_ai_provider_name=\"{engine}\",gen_ai_request_model=\"{Escaped(of.Model)}\"";
    }

    private static void Head(StringBuilder page, string name, string type, string help) => page.Append($"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static void Histogram(StringBuilder page, string name, string labels, Histogram values)
    {
        var counts = values.Cumulative();
        var more = labels.Length > 0 ? labels + "," : "";
        for (var i = 0; i < values.Bounds.Length; i++)
            page.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{more}le=\"{values.Bounds[i]:0.#######}\"}} {counts[i]}\n");
        var braces = labels.Length > 0 ? $"{{{labels}}}" : "";
        page.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{more}le=\"+Inf\"}} {counts[^1]}\n{name}_sum{braces} {values.Sum}\n{name}_count{braces} {counts[^1]}\n");
    }

    private static string Escaped(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string HelpOf(string family) => family switch
    {
        "stoker_gateway_refused_total" => "Requests that were refused before they were admitted, by status.",
        "stoker_gateway_limited_total" => "Requests that a limit refused, by its kind.",
        "stoker_gateway_retries_total" => "Attempts that were repeated, by why.",
        "stoker_gateway_cut_total" => "Answers that were cut off after they had begun, by why.",
        "stoker_gateway_bugs_total" => "Connections that ended by a bug of the gateway.",
        _ => family,
    };
}
