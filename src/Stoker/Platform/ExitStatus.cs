namespace Stoker.Platform;

/// <summary>How a process ended. Both null: not known (adopted from an earlier daemon on a kernel that does not keep it).</summary>
internal readonly record struct ExitStatus(int? Code, int? Signal)
{
    public bool IsKnown => Code is not null || Signal is not null;

    public bool IsSuccess => Code == 0;
}
