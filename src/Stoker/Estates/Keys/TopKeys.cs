using static Stoker.Estates.Keys.Shapes;
using static Stoker.Estates.Keys.Supports;

namespace Stoker.Estates.Keys;

/// <summary>The keys at the top of an estate file. Sections that other capabilities read are added by <see cref="With"/>.</summary>
internal static class TopKeys
{
    private static readonly KeyRow[] Rows =
    [
        new("name", "Name of the estate: lower-case letters, digits, `-` and `_`; default: the name of its directory.", Text, Honoured),
        new("version", "Once the version of the Compose format; has no meaning any more.", Text, Warned("it has had no meaning since Compose v2: remove it")),
        new("include", "Other files whose sections are merged into this one; a path, or `path`, `project_directory` and `env_file`.",
            List(OneOf(Text, Keyed(IncludeTable()))), Honoured),
        new("environments", "Overlays chosen by `--env NAME`: each a file, or a list of files, merged over this one.", Named(TextOrTexts), Extension),
        new("hosts", "The machines of the estate, by name.", Named(OrNothing(Keyed(HostKeys.Host))), Extension),
        new("groups", "Named sets of services that share a host, dependencies and a GPU budget.", Named(OrNothing(Keyed(HostKeys.Group))), Extension),
        new("services", "The supervised workloads, by name: plain processes, or containers where `image` or `build` is given.",
            Named(new Shape.Keyed(ServiceKeys.Table, DecidesWorkload: true)), Honoured),
        new("networks", "Networks that containers join, by name.", Named(OrNothing(Keyed(ResourceKeys.Network))), Honoured),
        new("volumes", "Volumes that containers share and keep, by name.", Named(OrNothing(Keyed(ResourceKeys.Volume))), Honoured),
        new("secrets", "Secret values, by name, each from one source; services get them as files.", Named(Keyed(ResourceKeys.Secret)), Honoured),
        new("configs", "Configuration files, by name, each from one source.", Named(Keyed(ResourceKeys.Config)), Honoured),
    ];

    private static readonly string Documentation = "An estate: everything that one file declares.";

    public static KeyTable With(IReadOnlyList<SectionSpec> sections) =>
        new("estate", Documentation, [.. Rows, .. sections.Select(Row)]);

    private static KeyRow Row(SectionSpec section) => new(
        section.Name,
        section.Documentation,
        section.Shape,
        section.IsActedOn ? Extension : NotYet);

    private static KeyTable IncludeTable() => new("include", "Files to merge in, with their own directory and variables.",
        new("path", "File to merge in, or a list of files merged over one another.", TextOrTexts, Honoured) { Required = true },
        new("env_file", "Files of variables for interpolation in the included files; default: `.env` of their directory.", TextOrTexts, Honoured),
        new("project_directory", "Directory that relative paths of the included files start from; default: the first file's.", Text, Honoured));
}
