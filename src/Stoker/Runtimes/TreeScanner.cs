using System.Threading.Channels;
using Stoker.Platform;

namespace Stoker.Runtimes;

/// <summary>
/// Finds the processes of runs where no cgroup does. A look at all processes costs milliseconds, and many runs may end at once
/// (a whole estate going down): questions that arrive while one look is under way are answered together by the next.
/// </summary>
internal sealed class TreeScanner
{
    private readonly Channel<Question> _questions = Channel.CreateUnbounded<Question>(new UnboundedChannelOptions { SingleReader = true });

    public TreeScanner() => _ = Task.Run(AnswerAsync);

    public Task<IReadOnlyList<ProcessId>> MembersAsync(RunHandle run)
    {
        var question = new Question(run, new TaskCompletionSource<IReadOnlyList<ProcessId>>(TaskCreationOptions.RunContinuationsAsynchronously));
        _questions.Writer.TryWrite(question);
        return question.Answer.Task;
    }

    private async Task AnswerAsync()
    {
        while (await _questions.Reader.WaitToReadAsync())
        {
            // Taken before the questions are read: a look that began before a run ended would miss what that run did last.
            var batch = new List<Question>();
            while (_questions.Reader.TryRead(out var question)) batch.Add(question);
            try
            {
                Answer(batch);
            }
            catch (Exception problem) when (problem is IOException or InvalidOperationException or UnauthorizedAccessException)
            {
                foreach (var question in batch) question.Answer.TrySetException(problem);
            }
        }
    }

    private static void Answer(List<Question> batch)
    {
        var marks = new RunMarks(ProcessTable.Take());
        foreach (var (run, answer) in batch) answer.TrySetResult(marks.MembersOf(run));
    }

    private sealed record Question(RunHandle Run, TaskCompletionSource<IReadOnlyList<ProcessId>> Answer);
}
