using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys of <c>hosts:</c>, <c>groups:</c>, and of the extension <c>gpu:</c>. All are Stoker's own.</summary>
internal static class HostKeys
{
    public static readonly KeyTable GpuShare = new("gpu-share", "GPU memory wanted, and how the GPU is shared.",
        new("memory", "GPU memory needed on each GPU, as in `6GiB`; default: the whole GPU.", Size, Extension),
        new("share", "How a GPU is shared: `whole` (default), `mps`, `mig` or `time`.", Word("whole", "mps", "mig", "time"), Extension),
        new("count", "Number of GPUs; default 1.", Positive, Extension),
        new("on_overuse",
            "What happens to a run that uses more GPU memory than it declared, and to what an earlier run left behind on the GPU: `tell` (default) in "
            + "`gpu ledger`, or `end` it, with the reason in the journal; the restart policy then decides.",
            Word("tell", "end"), Extension));

    private static readonly KeyTable Gpu = new("host-gpu", "A GPU that the host must have.",
        new("model", "Product name as NVML gives it, as in `NVIDIA GeForce RTX 4090`.", Text, Extension) { Required = true },
        new("memory", "Memory of the card, as in `24GiB`; default: not checked.", Size, Extension),
        new("uuid", "NVML's UUID of the card, to pin one; default: any of that model.", Text, Extension),
        new("count", "Number of such cards; default 1.", Range(1, 64), Extension));

    public static readonly KeyTable Host = new("host", "A machine of the estate.",
        new("address", "IP address or DNS name at which the other hosts reach it; default: nobody needs to.", Text, Extension),
        new("gpus", "The GPUs it must have: product names, or `model`, `memory`, `uuid` and `count`.", List(OneOf(Text, Keyed(Gpu))), Extension),
        new("gpu_healing", "What is done when a GPU fails: `act` (default) as the table of Xids says, `dry-run` only says it, `off`.", Word("act", "dry-run", "off"), Extension),
        new("cpus", "Number of processors, for planning without the machine; default: what the machine says.", Amount, Extension),
        new("memory", "Main memory, as in `64GiB`, for planning without the machine; default: what the machine says.", Size, Extension),
        new("checks", "What must be so on it, by name: `stoker host check`.", CheckKeys.Checks, Extension));

    public static readonly KeyTable Group = new("group", "A named set of services.",
        new("description", "What the group is for, in a line for people.", Text, Extension),
        new("host", "The host that runs its services; default: the only host.", Text, Extension),
        new("depends_on", "Groups whose services must all be up before any service of this group starts.", DistinctTexts, Extension),
        new("gpu", "The group's share of a GPU, used together by its services that ask for one.", Keyed(GpuShare), Extension));
}
