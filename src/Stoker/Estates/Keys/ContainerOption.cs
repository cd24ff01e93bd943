using Stoker.Estates.Reading;

namespace Stoker.Estates.Keys;

/// <summary>
/// How the value of a key becomes options of <c>run</c> or <c>build</c>. Always <c>--flag=value</c> in one word, which
/// Podman and Docker both take and no value can break.
/// </summary>
internal abstract record ContainerOption
{
    public abstract IEnumerable<string> Options(Node node);

    /// <summary><c>--hostname=web</c></summary>
    internal sealed record Value(string Flag) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node) => node is ScalarNode { Value: { } value } ? [$"{Flag}={value}"] : [];
    }

    /// <summary><c>--init</c>, or nothing.</summary>
    internal sealed record Switch(string Flag) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node) =>
            node is ScalarNode { Value: { } value } && Scalars.Flag(value) == true ? [Flag] : [];
    }

    /// <summary>A size in bytes: the tools read units differently from Compose.</summary>
    internal sealed record Bytes(string Flag) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node) =>
            node is ScalarNode { Value: { } value } && Scalars.Size(value) is { } size ? [$"{Flag}={size.Bytes}"] : [];
    }

    /// <summary>A time in microseconds, written as a number or a duration.</summary>
    internal sealed record Microseconds(string Flag) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node)
        {
            if (node is not ScalarNode { Value: { } value }) return [];
            if (Scalars.Whole(value) is { } number) return [$"{Flag}={number}"];
            return Scalars.Duration(value) is { } time ? [$"{Flag}={(long)time.TotalMicroseconds}"] : [];
        }
    }

    /// <summary><c>--cap-add=NET_ADMIN --cap-add=SYS_TIME</c>; a single string counts as a list of one, an empty one as none.</summary>
    internal sealed record Each(string Flag) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node) => node.Strings().Where(item => item.Value.Length > 0).Select(item => $"{Flag}={item.Value}");
    }

    /// <summary><c>--sysctl=net.core.somaxconn=1024</c> from a mapping or a list.</summary>
    internal sealed record Pairs(string Flag) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node) =>
            node.Pairs().Select(pair => pair.Value.Value is { } value ? $"{Flag}={pair.Key}={value}" : $"{Flag}={pair.Key}");
    }

    /// <summary>What the others cannot say.</summary>
    internal sealed record Custom(Func<Node, IEnumerable<string>> Render) : ContainerOption
    {
        public override IEnumerable<string> Options(Node node) => Render(node);
    }
}
