using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of <c>healthcheck:</c>.</summary>
internal static class HealthcheckKeys
{
    private static readonly KeyTable Http = new("healthcheck-http", "A GET that must be answered well.",
        new KeyRow("url", "What to get.", Text, Extension) { Required = true },
        new("status", "The one status that is healthy; default: 200 to 399.", Range(100, 599), Extension));

    private static readonly KeyTable Notify = new("healthcheck-notify", "The service says itself how it is.",
        new KeyRow("watchdog", "Unhealthy when no `WATCHDOG=1` comes within this time; default: no watchdog.", Interval, Extension));

    private static readonly KeyTable Gpu = new("healthcheck-gpu", "Its processes are on the GPU that it was given, and work there.",
        new KeyRow("memory", "They hold more GPU memory than this, as in `>2GiB`; default: any.", Text, Extension),
        new("activity", "They use the GPU's time; default `false`.", Flag, Extension),
        new("canary", "A URL that is asked meanwhile, so that there is something to do.", Text, Extension));

    public static readonly KeyTable Table = new("healthcheck", "How the health of a service is asked; exactly one of `test`, `http`, `tcp`, `exec`, `log`, `notify`, `gpu`.",
        new("test", "A command that succeeds when healthy: `[CMD, …]`, `[CMD-SHELL, line]`, `[NONE]`, or a line for the shell.", OneOf(Text, Texts), Honoured),
        new("http", "Healthy when a GET of this URL answers 200 to 399; or `url` and `status`.", OneOf(Text, Keyed(Http)), Extension),
        new("tcp", "Healthy when this port, or `HOST:PORT`, accepts a connection; default host 127.0.0.1.", Text, Extension),
        new("exec", "A command that succeeds when healthy, run without a shell; a string is split into words.", OneOf(Text, Texts), Extension),
        new("log", "Healthy once a line of the output matches this regular expression.", Text, Extension),
        new("notify", "Healthy when the service says so by `sd_notify`; `true`, or `watchdog`.", OneOf(Flag, Keyed(Notify)), Extension),
        new("gpu", "Healthy when its own processes hold memory on the GPU it was given: `true`, or `memory`, `activity` and `canary`.", OneOf(Flag, Keyed(Gpu)), Extension),
        new("interval", "Time between two probes once healthy; default 30s.", Interval, Honoured),
        new("timeout", "How long one probe may take; default 30s.", Interval, Honoured),
        new("retries", "Failures in a row that make it unhealthy; default 3.", Positive, Honoured),
        new("start_period", "Time to become healthy in which failures do not count; default 0s.", Duration, Honoured),
        new("start_interval", "Slowest pace of probes until first healthy; default: the interval, at most 1s.", Interval, Honoured),
        new("disable", "No healthcheck at all, not even the image's; default `false`.", Flag, Honoured));
}
