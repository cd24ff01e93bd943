namespace Stoker.Supervision;

/// <summary>
/// Keeps every service of this host as the plan wants it.
/// <code>
///   up ─→ <see cref="Supervisor"/> ─ facts ─→ <see cref="ServiceDriver"/> (one loop per service) ─→ <see cref="ServicePolicy"/>.Decide(life, fact) → (life, actions)
///                                    │                                      pure: no clock, lock or I/O
///            exits, probes, timers ──┘←──── <see cref="ReplicaHand"/> does the actions ←────────────┘
///                                    └─→ <see cref="ServiceBoard"/> (status for everyone) and <see cref="Journal"/> (every transition with its cause)
///
///   waiting ─gates open→ starting ─healthy→ healthy ⇄ unhealthy        running: alive, and has no healthcheck
///      ↑                    └──────── exits ───────┴──→ backoff (delay grows) ─→ waiting
///      └ start, restart ── stopped ←─ stopping ←─ stop                 completed: success, not restarted; failed: given up
/// </code>
/// Promises: one writer per service, so requests at the same time come one after the other and nothing wedges; nothing of a run
/// is left when the next begins; a dependent waits again when its dependency loses health before it started; a daemon that is
/// killed leaves records by which the next one adopts every process (<see cref="AdoptedEstate"/>).
/// Refuses: to restart what has never been healthy because it is not healthy yet (it may be loading), and to call a run over while
/// something it started is alive.
/// </summary>
internal static class SupervisionModule;
