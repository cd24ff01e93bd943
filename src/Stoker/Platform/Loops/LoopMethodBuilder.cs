using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Stoker.Platform.Loops;

/// <summary>
/// How an async method of an event loop waits: what it keeps while it waits is used again by the next call on the same thread, and nothing of the thread's
/// surroundings (execution context, scheduler) is carried along, since a loop has none. It goes on where what it waited for ended, which on a loop is the
/// loop's thread.
/// <para>
/// For methods that every request passes: the platform's pooling builder keeps one waiting call of a method for each thread and processor, and a loop has
/// hundreds of them at a time. The answer may be awaited once, as of every <see cref="ValueTask{TResult}"/>.
/// </para>
/// </summary>
[SuppressMessage("Performance", "CA1822", Justification = "The compiler calls the members on an instance.")]
internal struct LoopMethodBuilder<T>
{
    private Promise? _promise;
    private T _result;

    public static LoopMethodBuilder<T> Create() => default;

    public readonly ValueTask<T> Task => _promise is null ? new ValueTask<T>(_result) : _promise.Task;

    public readonly void Start<TMachine>(ref TMachine machine)
        where TMachine : IAsyncStateMachine => machine.MoveNext();

    /// <summary>Only for classes, which the compiler makes in debug builds: <see cref="Waiting{TMachine}"/> holds the machine itself.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine machine) => Debug.Assert(machine is not null);

    public void SetResult(T result)
    {
        if (_promise is null) _result = result;
        else _promise.Complete(result);
    }

    public void SetException(Exception exception)
    {
        _promise ??= new Promise();
        _promise.Fail(exception);
    }

    public void AwaitOnCompleted<TAwaiter, TMachine>(ref TAwaiter awaiter, ref TMachine machine)
        where TAwaiter : INotifyCompletion
        where TMachine : IAsyncStateMachine => awaiter.OnCompleted(Wait(ref machine));

    public void AwaitUnsafeOnCompleted<TAwaiter, TMachine>(ref TAwaiter awaiter, ref TMachine machine)
        where TAwaiter : ICriticalNotifyCompletion
        where TMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Wait(ref machine));

    private Action Wait<TMachine>(ref TMachine machine)
        where TMachine : IAsyncStateMachine
    {
        // From the second wait on the machine is the one that is kept.
        if (_promise is { } promise) return promise.GoOn;
        var waiting = Waiting<TMachine>.Take();
        // Before the copy, which has to know where its answer goes.
        _promise = waiting;
        waiting.Keep(machine);
        return waiting.GoOn;
    }

    private class Promise : IValueTaskSource<T>
    {
        private ManualResetValueTaskSourceCore<T> _core;

        public ValueTask<T> Task => new(this, _core.Version);

        public Action GoOn { get; protected init; } = static () => { };

        public void Complete(T result) => _core.SetResult(result);

        public void Fail(Exception exception) => _core.SetException(exception);

        public T GetResult(short token)
        {
            try
            {
                return _core.GetResult(token);
            }
            finally
            {
                _core.Reset();
                Done();
            }
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, ValueTaskSourceOnCompletedFlags.None);

        /// <summary>Its answer has been taken.</summary>
        protected virtual void Done()
        {
        }
    }

    /// <summary>One call that waits, with all it needs to go on.</summary>
    private sealed class Waiting<TMachine> : Promise
        where TMachine : IAsyncStateMachine
    {
        private const int MostSpare = 1024;

        [ThreadStatic]
        private static Waiting<TMachine>? _spare;

        [ThreadStatic]
        private static int _spares;

        private Waiting<TMachine>? _next;
        private TMachine? _machine;

        private Waiting() => GoOn = GoOnHere;

        public static Waiting<TMachine> Take()
        {
            if (_spare is not { } waiting) return new Waiting<TMachine>();
            _spare = waiting._next;
            _spares--;
            waiting._next = null;
            return waiting;
        }

        public void Keep(in TMachine machine) => _machine = machine;

        protected override void Done()
        {
            // What it refers to must not be kept alive.
            _machine = default;
            if (_spares == MostSpare) return;
            _next = _spare;
            _spare = this;
            _spares++;
        }

        private void GoOnHere() => _machine!.MoveNext();
    }
}
