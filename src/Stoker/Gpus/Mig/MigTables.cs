using Stoker.Platform.Gpus;

namespace Stoker.Gpus.Mig;

/// <summary>
/// MIG profiles and their placements by product, for planning without the machine and for simulated cards; with the machine at hand NVML tells them. Sources: NVIDIA's "Supported MIG
/// Profiles" and mig-parted's config-default.yaml for names and counts; <c>nvidia-smi mig -lgipp</c> of A100, H100 and A30 for placements. Sizes in MiB are told for A100 and A30; of other
/// cards they are worked out from their shares of the memory, a little less than which a profile has.
/// </summary>
/// <param name="Slices">Of memory: the length of the axis on which instances are placed.</param>
internal sealed record MigTables(int Slices, IReadOnlyList<MigProfile> Profiles)
{
    /// <summary>Seven slices of compute, eight of memory: profile id, slices of compute, count, slices of memory, starts.</summary>
    private static readonly (uint Id, int Slices, int Most, int Size, int[] Starts)[] Seven =
    [
        (19, 1, 7, 1, [0, 1, 2, 3, 4, 5, 6]), (15, 1, 4, 2, [0, 2, 4, 6]), (14, 2, 3, 2, [0, 2, 4]), (9, 3, 2, 4, [0, 4]), (5, 4, 1, 4, [0]), (0, 7, 1, 8, [0]),
    ];

    private static readonly (uint Id, int Slices, int Most, int Size, int[] Starts)[] Four = [(14, 1, 4, 1, [0, 1, 2, 3]), (5, 2, 2, 2, [0, 2]), (0, 4, 1, 4, [0])];

    private static readonly (uint Id, int Slices, int Most, int Size, int[] Starts)[] Two = [(14, 1, 2, 1, [0, 1]), (0, 2, 1, 2, [0])];

    /// <summary>By a word of the name and GiB of memory at most; names carry what each profile is called by.</summary>
    private static readonly (string Word, int UpTo, (uint Id, int Slices, int Most, int Size, int[] Starts)[] Shape, int[] Gigabytes, int[]? Mebibytes)[] Cards =
    [
        ("A30", 32, Four, [6, 12, 24], [5836, 11672, 23344]),
        ("A100", 48, Seven, [5, 10, 10, 20, 20, 40], [4864, 9856, 9856, 19968, 19968, 40192]),
        ("A100", 100, Seven, [10, 20, 20, 40, 40, 80], [9856, 19968, 19968, 40192, 40192, 80384]),
        ("A800", 48, Seven, [5, 10, 10, 20, 20, 40], [4864, 9856, 9856, 19968, 19968, 40192]),
        ("A800", 100, Seven, [10, 20, 20, 40, 40, 80], [9856, 19968, 19968, 40192, 40192, 80384]),
        ("H100", 85, Seven, [10, 20, 20, 40, 40, 80], null),
        ("H100", 94, Seven, [12, 24, 24, 47, 47, 94], null),
        ("H100", 100, Seven, [12, 24, 24, 48, 48, 96], null),
        ("H800", 85, Seven, [10, 20, 20, 40, 40, 80], null),
        ("H20", 100, Seven, [12, 24, 24, 48, 48, 96], null),
        ("GH200", 100, Seven, [12, 24, 24, 48, 48, 96], null),
        ("GH200", 150, Seven, [18, 36, 36, 72, 72, 144], null),
        ("H200", 150, Seven, [18, 35, 35, 71, 71, 141], null),
        ("B200", 190, Seven, [23, 45, 45, 90, 90, 180], null),
        ("GB200", 190, Seven, [23, 47, 47, 93, 93, 186], null),
        ("B300", 300, Seven, [34, 67, 67, 135, 135, 269], null),
        ("GB300", 300, Seven, [35, 70, 70, 139, 139, 278], null),
    ];

    /// <summary>Null for a card without MIG: every GeForce, RTX A and Ada, A2, A10, A16, A40, L4, L40, T4, V100 and Jetson Orin.</summary>
    /// <param name="memory">Bytes; null where it is not known, and the smallest card of the name is meant.</param>
    public static MigTables? For(string model, long? memory)
    {
        var words = model.Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Contains("PRO") && words.Contains("Blackwell"))
        {
            return words.Contains("6000") ? Make(Four, [24, 48, 96], null, memory)
                : words.Contains("5000") ? Make(Two, [24, 48], null, memory)
                : words.Contains("4500") ? Make(Two, [16, 32], null, memory)
                : null;
        }

        foreach (var card in Cards)
        {
            if (words.Contains(card.Word) && (memory ?? 0) <= (long)card.UpTo << 30) return Make(card.Shape, card.Gigabytes, card.Mebibytes, memory);
        }

        return null;
    }

    private static MigTables Make((uint Id, int Slices, int Most, int Size, int[] Starts)[] shape, int[] gigabytes, int[]? mebibytes, long? memory)
    {
        var slices = shape[^1].Size;
        var whole = memory ?? (long)gigabytes[^1] << 30;
        return new MigTables(slices,
        [
            .. shape.Select((s, i) => new MigProfile(
                s.Id, $"{s.Slices}g.{gigabytes[i]}gb", s.Slices, s.Most, mebibytes is { } told ? (long)told[i] << 20 : (long)(whole / slices * s.Size * 0.95), s.Size, s.Starts)),
        ]);
    }
}
