using Stoker.Diagnostics;

namespace Stoker.Estates.Reading;

/// <summary>
/// GPUs a service asks for: Compose's <c>gpus</c> and <c>deploy.resources.reservations.devices</c>, and the extension
/// <c>gpu</c>, which stands alone or adds memory and sharing to the others.
/// </summary>
internal static class GpuReader
{
    public static IReadOnlyList<GpuRequest> Read(ServiceSource source, MappingNode? reservations)
    {
        var share = ReadShare(source.Map.Map("gpu"));
        var requests = new List<GpuRequest>();
        var gpus = source.Map.Find("gpus");
        if (gpus is ScalarNode { Value: "all" }) requests.Add(new GpuRequest(null, [], share?.Memory, share?.Share ?? "whole", gpus.Where) { EndsOveruse = share?.EndsOveruse == true });
        foreach (var map in source.Map.Items("gpus").OfType<MappingNode>()) Add(map);
        foreach (var map in reservations.Items("devices").OfType<MappingNode>())
        {
            if (IsGpu(map)) Add(map);
            else if (map.Find("capabilities") is { } capabilities)
                source.Report(EstateDiagnostics.NoEffect, capabilities.Where, "reserves a device that is no GPU, which has no effect: only `capabilities: [gpu]` is reserved");
        }

        if (share is null) return requests;
        if (requests.Count == 0) return [new GpuRequest(share.Count, [], share.Memory, share.Share, share.Where) { EndsOveruse = share.EndsOveruse }];
        if (source.Map.Map("gpu")!.Find("count") is { } count)
            source.Report(EstateDiagnostics.Exclusive, count.Where, "says in `gpu` how many GPUs it needs, and asks for GPUs elsewhere too", "leave `count` out of `gpu`");
        return requests;

        void Add(MappingNode map)
        {
            var ids = map.Strings("device_ids");
            if (map.Find("count") is { } both && ids.Count > 0)
                source.Report(EstateDiagnostics.Exclusive, both.Where, "asks for GPUs by `count` and by `device_ids`", "keep one of them");
            if (map.PositionedText("driver") is { Value: not "nvidia" } driver)
                source.Report(EstateDiagnostics.Refused, driver.Where, $"asks for a GPU of driver `{driver.Value}`: only `nvidia` is known");
            int? counted = map.Int("count") is >= 0 and var number ? number : null;
            if (counted == 0 && ids.Count == 0) return;
            requests.Add(new GpuRequest(ids.Count > 0 ? ids.Count : counted, [.. ids.Select(id => id.Value)], share?.Memory, share?.Share ?? "whole", map.Where)
            {
                EndsOveruse = share?.EndsOveruse == true,
            });
        }
    }

    public static GpuShareSpec? ReadShare(MappingNode? map) =>
        map is null ? null : new GpuShareSpec(map.Size("memory"), map.Text("share") ?? "whole", map.Int("count") ?? 1, map.Where) { EndsOveruse = map.Text("on_overuse") == "end" };

    private static bool IsGpu(MappingNode map) =>
        map.Text("driver") == "nvidia" || map.Strings("capabilities").Any(c => c.Value is "gpu" || c.Value.StartsWith("nvidia", StringComparison.Ordinal));
}
