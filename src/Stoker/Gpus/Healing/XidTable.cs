namespace Stoker.Gpus.Healing;

/// <summary>What mends a fault, from the least to the most.</summary>
internal enum XidAction
{
    /// <summary>Nothing is to be done, or nothing that a program may do.</summary>
    Nothing,

    /// <summary>The service whose program it was; all of the card's where nobody can say whose.</summary>
    RestartService,

    /// <summary>Every service on the card: its memory, or what they share, is not to be trusted.</summary>
    RestartClients,

    /// <summary>All clients stop, the card is reset, they start.</summary>
    ResetGpu,

    /// <summary>All clients stop and stay stopped: only a person, or a restart of the machine, brings the card back.</summary>
    Drain,
}

/// <param name="Means">As NVIDIA calls it.</param>
/// <param name="Source">Where the action is from.</param>
internal sealed record XidRow(int Xid, string Means, XidAction Action, string Source);

/// <summary>
/// Which fault is mended how. NVIDIA's "Xid Errors" catalogue (docs.nvidia.com/deploy/xid-errors, its column of immediate actions, as mirrored in
/// leptonai/gpud's catalog_generated.go) and, where that says to follow a procedure, the more careful choice. Whoever is not in the table is left alone and
/// told of.
/// </summary>
internal static class XidTable
{
    private const string Catalogue = "NVIDIA Xid catalogue", Careful = "NVIDIA Xid catalogue: a procedure; the careful choice", Mps = "NVIDIA MPS: a fault of one client ends all";

    public static IReadOnlyList<XidRow> All { get; } =
    [
        new(8, "GPU stopped processing", XidAction.RestartService, Catalogue),
        new(11, "invalid or corrupted push buffer stream", XidAction.RestartService, Catalogue),
        new(13, "graphics engine exception", XidAction.RestartService, Catalogue),
        new(25, "invalid or illegal push buffer stream", XidAction.RestartService, Catalogue),
        new(31, "GPU memory page fault", XidAction.RestartService, Catalogue),
        new(32, "invalid or corrupted push buffer stream", XidAction.RestartService, Catalogue),
        new(37, "driver firmware error", XidAction.Nothing, Catalogue),
        new(38, "driver firmware error", XidAction.Nothing, Catalogue),
        new(43, "GPU stopped processing: an application's fault", XidAction.Nothing, Catalogue),
        new(44, "graphics engine fault during context switch", XidAction.Nothing, Catalogue),
        new(45, "preemptive cleanup, due to previous errors", XidAction.Nothing, "NVIDIA Xid catalogue: follows another Xid, or the end of an application"),
        new(46, "GPU stopped processing", XidAction.ResetGpu, Catalogue),
        new(48, "double-bit ECC error", XidAction.RestartClients, Careful),
        new(54, "auxiliary power is not connected to the GPU board", XidAction.Drain, "NVIDIA Xid catalogue: check mechanicals"),
        new(60, "video processor exception", XidAction.RestartService, Catalogue),
        new(62, "internal micro-controller halt", XidAction.ResetGpu, Catalogue),
        new(63, "row remapping or page retirement recorded", XidAction.Nothing, Catalogue),
        new(64, "row remapping or page retirement failed to record", XidAction.ResetGpu, Catalogue),
        new(66, "illegal access by driver", XidAction.Nothing, Catalogue),
        new(67, "illegal access by driver", XidAction.Nothing, Catalogue),
        new(68, "video processor exception", XidAction.RestartService, Catalogue),
        new(69, "graphics engine class error", XidAction.RestartService, Catalogue),
        new(70, "copy engine unknown error", XidAction.RestartService, Catalogue),
        new(71, "copy engine unknown error", XidAction.RestartService, Catalogue),
        new(72, "copy engine unknown error", XidAction.RestartService, Catalogue),
        new(74, "NVLink error", XidAction.RestartClients, Careful),
        new(79, "GPU has fallen off the bus", XidAction.Drain, "NVIDIA Xid catalogue: restart the machine"),
        new(92, "high single-bit ECC error rate", XidAction.Nothing, Catalogue),
        new(94, "contained memory error", XidAction.RestartService, Catalogue),
        new(95, "uncontained memory error", XidAction.ResetGpu, Catalogue),
        new(109, "context switch time-out", XidAction.ResetGpu, Catalogue),
        new(119, "GSP RPC time-out", XidAction.ResetGpu, Catalogue),
        new(120, "GSP error", XidAction.ResetGpu, Catalogue),
        new(121, "corrected C2C error", XidAction.Nothing, Catalogue),
        new(136, "link training failed", XidAction.ResetGpu, Catalogue),
        new(137, "NVLink fault on a remote GPU", XidAction.Nothing, Catalogue),
        new(140, "unrecovered ECC error", XidAction.ResetGpu, Catalogue),
        new(143, "GPU initialisation failed", XidAction.ResetGpu, Catalogue),
        new(149, "NVLink error", XidAction.RestartClients, Careful),
        new(154, "the driver's recommended recovery changed", XidAction.Nothing, "NVIDIA Xid catalogue: what to do is told by the driver, `nvidia-smi -q`"),
        new(155, "NVLink software-defined error", XidAction.ResetGpu, Catalogue),
        new(156, "resource retirement event", XidAction.ResetGpu, Catalogue),
        new(157, "resource retirement failure", XidAction.Nothing, Catalogue),
        new(158, "GPU fatal time-out", XidAction.ResetGpu, Catalogue),
    ];

    /// <summary>What sharing by MPS makes of an action: one server runs the kernels of all.</summary>
    public static XidRow UnderMps(XidRow row) => row.Action == XidAction.RestartService ? row with { Action = XidAction.RestartClients, Source = $"{row.Source}; {Mps}" } : row;

    public static XidRow? Find(long xid)
    {
        foreach (var row in All)
        {
            if (row.Xid == xid) return row;
        }

        return null;
    }
}
