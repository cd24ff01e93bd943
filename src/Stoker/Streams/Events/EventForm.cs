namespace Stoker.Streams.Events;

/// <summary>How an event came. The numbers are written into logs.</summary>
internal enum EventForm
{
    /// <summary>A metadata document: the data are the whole of it.</summary>
    Metadata = 1,

    /// <summary>A CloudEvent: the data are what it carries.</summary>
    CloudEvent = 2,
}
