using Stoker.Diagnostics;

namespace Stoker.Estates.Yaml;

/// <summary>What can be wrong with estate files before anything in them has a meaning: EST001–EST049, without EST021.</summary>
internal static class YamlDiagnostics
{
    public static readonly DiagnosticCode Unreadable = Error("EST001", "a file cannot be read");
    public static readonly DiagnosticCode TooLarge = Error("EST002", "a file is larger than 16 MiB");
    public static readonly DiagnosticCode NotUtf8 = Error("EST003", "a file is not UTF-8 text");
    public static readonly DiagnosticCode ControlCharacter = Error("EST004", "a file contains a control character");
    public static readonly DiagnosticCode Syntax = Error("EST005", "a file is not valid YAML");
    public static readonly DiagnosticCode TooDeep = Error("EST006", "YAML is nested too deeply");
    public static readonly DiagnosticCode AliasBomb = Error("EST007", "aliases expand to too much");
    public static readonly DiagnosticCode BadAlias = Error("EST008", "an alias has no anchor, or stands inside its own");
    public static readonly DiagnosticCode SecondDocument = Error("EST009", "a file holds more than one YAML document");
    public static readonly DiagnosticCode UnknownTag = Error("EST010", "a YAML tag is not known");
    public static readonly DiagnosticCode DuplicateKey = Error("EST011", "a key is written twice");
    public static readonly DiagnosticCode BadKey = Error("EST012", "a key is not text");
    public static readonly DiagnosticCode BadMergeKey = Error("EST013", "`<<` is not given mappings");
    public static readonly DiagnosticCode NotAMapping = Error("EST014", "a file is not a mapping at its top");
    public static readonly DiagnosticCode Empty = Warning("EST015", "a file declares nothing");
    public static readonly DiagnosticCode UnsetVariable = Warning("EST016", "a variable is not set");
    public static readonly DiagnosticCode BadInterpolation = Error("EST017", "an interpolation is malformed");
    public static readonly DiagnosticCode RequiredVariable = Error("EST018", "a required variable is missing");
    public static readonly DiagnosticCode DotEnvSyntax = Error("EST019", "an env file is malformed");
    public static readonly DiagnosticCode DotEnvIgnored = Warning("EST020", "a line of an env file has no effect");
    public static readonly DiagnosticCode BadInclude = Error("EST022", "an `include` entry is malformed");
    public static readonly DiagnosticCode IncludeCycle = Error("EST023", "files include each other");
    public static readonly DiagnosticCode TooManyIncludes = Error("EST024", "more than 1,000 files are included");
    public static readonly DiagnosticCode UnknownEnvironment = Error("EST025", "the environment asked for is not declared");
    public static readonly DiagnosticCode BadEnvironments = Error("EST026", "`environments` is malformed");
    public static readonly DiagnosticCode CannotMerge = Error("EST027", "two files give a key values that cannot be merged");
    public static readonly DiagnosticCode BadExtends = Error("EST028", "an `extends` is malformed");
    public static readonly DiagnosticCode UnknownExtended = Error("EST029", "a service extends one that does not exist");
    public static readonly DiagnosticCode ExtendsCycle = Error("EST030", "services extend each other");
    public static readonly DiagnosticCode ExtendsTooLong = Error("EST031", "a chain of `extends` is longer than 100");
    public static readonly DiagnosticCode TwoDirectories = Error("EST032", "one file is read for two project directories");

    /// <summary>Every code of this folder, for the page of codes.</summary>
    public static readonly IReadOnlyList<DiagnosticCode> All =
    [
        Unreadable, TooLarge, NotUtf8, ControlCharacter, Syntax, TooDeep, AliasBomb, BadAlias, SecondDocument, UnknownTag,
        DuplicateKey, BadKey, BadMergeKey, NotAMapping, Empty, UnsetVariable, BadInterpolation, RequiredVariable, DotEnvSyntax,
        DotEnvIgnored, BadInclude, IncludeCycle, TooManyIncludes, UnknownEnvironment, BadEnvironments, CannotMerge, BadExtends,
        UnknownExtended, ExtendsCycle, ExtendsTooLong, TwoDirectories,
    ];

    private static DiagnosticCode Error(string id, string title) => new(id, Severity.Error, title);

    private static DiagnosticCode Warning(string id, string title) => new(id, Severity.Warning, title);
}
