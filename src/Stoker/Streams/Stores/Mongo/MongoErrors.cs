namespace Stoker.Streams.Stores.Mongo;

/// <summary>What an error of one document says (https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml).</summary>
internal static class MongoErrors
{
    public const long CommandNotFound = 59, DuplicateKey = 11000;

    /// <summary>
    /// BadValue, FailedToParse, TypeMismatch, Overflow, InvalidLength, InvalidBSON, DollarPrefixedFieldName, EmptyFieldName, DottedFieldName, DocumentValidationFailure,
    /// BSONObjectTooLarge, and three of before those had names. What is not here passes: it is taken for an outage.
    /// </summary>
    private static readonly long[] OfTheDocument = [2, 9, 14, 15, 16, 22, 52, 56, 57, 121, 10334, 17280, 17419, 17420];

    public static bool IsOfTheDocument(long code) => OfTheDocument.Contains(code);
}
