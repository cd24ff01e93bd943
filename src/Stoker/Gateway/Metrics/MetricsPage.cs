using System.Globalization;
using Stoker.Gateway.Ledger;
using Stoker.Gateway.Routing;
using Stoker.Http;

namespace Stoker.Gateway.Metrics;

/// <summary>The gateway's metrics in Prometheus' text format. Names of the GenAI conventions are written as Prometheus writes OpenTelemetry's: dots as underscores, the unit at the end.</summary>
internal static class MetricsPage
{
    public static PrometheusPage Write(GatewayState gateway)
    {
        var page = new PrometheusPage();
        var metrics = gateway.Metrics;
        Requests(page, gateway);
        Model(page, gateway, "gen_ai_server_request_duration_seconds", "Time from a request's first byte to its answer's last.", m => m.Duration);
        Model(page, gateway, "gen_ai_server_time_to_first_token_seconds", "Time to the first token, waiting and reading the prompt included.", m => m.FirstToken);
        Model(page, gateway, "gen_ai_server_time_per_output_token_seconds", "Time for each token of a stream after the first.", m => m.PerToken);
        page.Family("gen_ai_client_token_usage", "histogram", "Tokens of requests, as the engines told.");
        foreach (var (of, model) in metrics.Models)
        {
            Histogram(page, "gen_ai_client_token_usage", $"{Labels(gateway, of)},gen_ai_token_type=\"input\"", model.InputTokens);
            Histogram(page, "gen_ai_client_token_usage", $"{Labels(gateway, of)},gen_ai_token_type=\"output\"", model.OutputTokens);
        }

        page.Family("stoker_gateway_overhead_seconds", "histogram", "The gateway's own part of a request, without waiting for a replica.");
        Histogram(page, "stoker_gateway_overhead_seconds", "", metrics.OverheadSeconds);
        page.Single("stoker_gateway_connections", "gauge", "Open connections of clients.", metrics.OpenConnections);
        page.Single("stoker_gateway_active_requests", "gauge", "Requests being answered or waiting.", metrics.ActiveRequests);
        Replicas(page, gateway);
        foreach (var family in metrics.Counters.GroupBy(c => c.Name).OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            page.Family(family.Key, "counter", HelpOf(family.Key));
            foreach (var (name, labels, count) in family.OrderBy(c => c.Labels, StringComparer.Ordinal)) page.Line(name, labels, count);
        }

        page.Single("stoker_gateway_allocated_bytes_total", "counter", "Memory that the gateway has allocated since it began; by requests it should stay flat.", GC.GetTotalAllocatedBytes());
        page.Family("stoker_gateway_collections_total", "counter", "Garbage collections by generation.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
            page.Line("stoker_gateway_collections_total", $"generation=\"{generation}\"", GC.CollectionCount(generation));
        page.Single("stoker_gateway_ledger_waiting", "gauge", "Rows of the ledger that are not on the disk yet.", gateway.Ledger.Waiting);
        page.Single("stoker_gateway_ledger_lost_total", "counter", "Rows that found no room while the disk could not be written.", gateway.Ledger.Lost);
        return page;
    }

    private static void Requests(PrometheusPage page, GatewayState gateway)
    {
        page.Family("stoker_gateway_requests_total", "counter", "Requests that were admitted, by how they ended.");
        foreach (var (of, model) in gateway.Metrics.Models)
        {
            foreach (var outcome in Enum.GetValues<RequestOutcome>())
            {
                if (model.CountOf(outcome) is var count and > 0)
                    page.Line("stoker_gateway_requests_total", $"{Labels(gateway, of)},outcome=\"{LedgerRow.Word(outcome)}\"", count);
            }
        }
    }

    private static void Replicas(PrometheusPage page, GatewayState gateway)
    {
        var routes = gateway.Tables.Router.Table.Routes;
        page.Family("stoker_gateway_queue_waiting", "gauge", "Requests of a model that wait for a replica.");
        foreach (var route in routes) page.Line("stoker_gateway_queue_waiting", $"model=\"{PrometheusPage.Escaped(route.Spec.Name.Value)}\"", route.Life.Queue.Waiting);
        page.Family("stoker_gateway_replica_requests", "gauge", "Requests in flight at a replica.");
        foreach (var route in routes)
        {
            foreach (var replica in route.Replicas)
                page.Line("stoker_gateway_replica_requests", $"model=\"{PrometheusPage.Escaped(route.Spec.Name.Value)}\",replica=\"{replica.Id}\"", replica.Requests);
        }

        page.Family("stoker_gateway_replica_up", "gauge", "1: it serves and is not ejected.");
        foreach (var route in routes)
        {
            foreach (var replica in route.Replicas)
                page.Line("stoker_gateway_replica_up", $"model=\"{PrometheusPage.Escaped(route.Spec.Name.Value)}\",replica=\"{replica.Id}\"", replica.IsUsable ? 1 : 0);
        }
    }

    private static void Model(PrometheusPage page, GatewayState gateway, string name, string help, Func<ModelMetrics, Histogram> of)
    {
        page.Family(name, "histogram", help);
        foreach (var (key, model) in gateway.Metrics.Models) Histogram(page, name, Labels(gateway, key), of(model));
    }

    private static string Labels(GatewayState gateway, (string Model, string Operation) of)
    {
        var engine = gateway.Tables.Plan.Routes.FirstOrDefault(r => r.Name == of.Model)?.Engine ?? "unknown";
        return $"gen_ai_operation_name=\"{of.Operation}\",gen_ai_provider_name=\"{engine}\",gen_ai_request_model=\"{PrometheusPage.Escaped(of.Model)}\"";
    }

    private static void Histogram(PrometheusPage page, string name, string labels, Histogram values)
    {
        var counts = values.Cumulative();
        var (bucket, more) = (name + "_bucket", labels.Length > 0 ? labels + "," : "");
        for (var i = 0; i < values.Bounds.Length; i++)
            page.Line(bucket, string.Create(CultureInfo.InvariantCulture, $"{more}le=\"{values.Bounds[i]:0.#######}\""), counts[i]);
        page.Line(bucket, $"{more}le=\"+Inf\"", counts[^1]);
        page.Line(name + "_sum", labels, values.Sum);
        page.Line(name + "_count", labels, counts[^1]);
    }

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
