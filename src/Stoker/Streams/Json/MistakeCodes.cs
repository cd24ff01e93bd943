namespace Stoker.Streams.Json;

/// <summary>The codes of mistakes. They keep their meaning for ever: producers program against them.</summary>
internal static class MistakeCodes
{
    // The text itself.
    public const string NotJson = "not_json", NotUtf8 = "not_utf8", DuplicateKey = "duplicate_key", TooDeep = "too_deep", TooManyKeys = "too_many_keys",
        BadUnicode = "bad_unicode", TooLarge = "too_large", BatchTooLong = "batch_too_long", ContentType = "content_type", Charset = "charset";

    // Values.
    public const string Missing = "missing", WrongType = "wrong_type", Empty = "empty", ControlCharacter = "control_character", TooShort = "too_short",
        TooLong = "too_long", TooSmall = "too_small", TooBig = "too_big", NotAMultiple = "not_a_multiple", NotOneOf = "not_one_of", NotTheValue = "not_the_value",
        UnknownField = "unknown_field", FieldName = "field_name", TooFewFields = "too_few_fields", TooManyFields = "too_many_fields", TooFewItems = "too_few_items",
        TooManyItems = "too_many_items", NotUnique = "not_unique", Contains = "contains", Pattern = "pattern", Format = "format", NoMatch = "no_match",
        SeveralMatch = "several_match", Forbidden = "forbidden";

    // Vectors.
    public const string Dimension = "dimension", NotFinite = "not_finite", NotANumber = "not_a_number", BadBase64 = "bad_base64", Dtype = "dtype";

    // CloudEvents.
    public const string SpecVersion = "specversion", AttributeName = "attribute_name", ForbiddenHeader = "forbidden_header", RepeatedHeader = "repeated_header",
        PercentEncoding = "percent_encoding", NotAUri = "not_a_uri", NotATime = "not_a_time", NotAMediaType = "not_a_media_type", TwoData = "two_data",
        UnknownType = "unknown_type";
}
