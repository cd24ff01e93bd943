using System.Runtime.InteropServices;

namespace Stoker.Platform.Gpus;

/// <summary>Structures of nvml.h (API version 13) as they lie in memory. Those with a version want it said: size, and the number in the highest byte.</summary>
internal static class NvmlStructs
{
    public const int NameSize = 96;

    public const uint Memory2 = 40 | 2 << 24, ProfileInfo2 = 152 | 2 << 24;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlMemory
{
    public ulong Total;
    public ulong Free;
    public ulong Used;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlMemory2
{
    public uint Version;
    public ulong Total;
    public ulong Reserved;
    public ulong Free;
    public ulong Used;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NvmlPci
{
    public fixed byte BusIdLegacy[16];
    public uint Domain;
    public uint Bus;
    public uint Device;
    public uint DeviceId;
    public uint SubsystemId;
    public fixed byte BusId[32];
}

/// <summary>Of the functions that end with <c>_v3</c> and <c>_v2</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NvmlProcess
{
    public uint Pid;
    public ulong UsedMemory;
    public uint GpuInstance;
    public uint ComputeInstance;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlProcessUse
{
    public uint Pid;
    public ulong Stamp;
    public uint Sm;
    public uint Memory;
    public uint Encoder;
    public uint Decoder;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlEvent
{
    public nint Device;
    public ulong Type;
    public ulong Data;
    public uint GpuInstance;
    public uint ComputeInstance;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlFieldValue
{
    public uint Field;
    public uint Scope;
    public long Stamp;
    public long Latency;
    public int Type;
    public int Code;
    public ulong Value;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NvmlProfile
{
    public uint Version;
    public uint Id;
    public uint IsP2pSupported;
    public uint Slices;
    public uint Instances;
    public uint Multiprocessors;
    public uint CopyEngines;
    public uint Decoders;
    public uint Encoders;
    public uint Jpegs;
    public uint Ofas;
    public ulong MemoryMib;
    public fixed byte Name[NvmlStructs.NameSize];
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlPlacement
{
    public uint Start;
    public uint Size;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlInstance
{
    public nint Device;
    public uint Id;
    public uint ProfileId;
    public NvmlPlacement Placement;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlComputeProfile
{
    public uint Id;
    public uint Slices;
    public uint Instances;
    public uint Multiprocessors;
    public uint CopyEngines;
    public uint Decoders;
    public uint Encoders;
    public uint Jpegs;
    public uint Ofas;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlMonitorSupport
{
    public uint Version;
    public uint IsSupported;
}

/// <summary>Behind it as many <see cref="NvmlMetric"/> as the library may write.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NvmlMetrics
{
    public uint Version;
    public uint Count;
    public nint Older;
    public nint Newer;
}

[StructLayout(LayoutKind.Sequential)]
internal struct NvmlMetric
{
    public uint Id;
    public int Code;
    public double Value;
    public nint ShortName;
    public nint LongName;
    public nint Unit;
}
