using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Stoker.Platform;

/// <summary>What a hypervisor calls itself to a guest's processor: leaf 0x40000000 of CPUID, twelve bytes such as <c>KVMKVMKVM</c>.</summary>
internal static class HypervisorName
{
    private const int Leaf = 0x40000000, Features = 1, HypervisorBit = 1 << 31;

    /// <summary>Null: no hypervisor, or a processor of another kind.</summary>
    public static string? Read()
    {
        if (!X86Base.IsSupported || (X86Base.CpuId(Features, 0).Ecx & HypervisorBit) == 0) return null;
        var (_, b, c, d) = X86Base.CpuId(Leaf, 0);
        var name = MemoryMarshal.AsBytes<int>([b, c, d]);
        return Encoding.ASCII.GetString(name).TrimEnd('\0');
    }
}
