"""What is measured: from outside, the same for every supervisor."""
import os
import random
import re
import signal
import socket
import time

TICK = os.sysconf("SC_CLK_TCK")
FLOOD = re.compile(rb"flood (\d{12}) [a-z]{60}$")


def ask(port, timeout=2.0):
    """The pid that answers on a port, or None."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := connection.recv(512):
                answer += chunk
        return int(answer.split(b"\r\n\r\n", 1)[1]) if answer.startswith(b"HTTP/1.1 200") else None
    except (OSError, ValueError, IndexError):
        return None


def until_all_answer(ports, limit):
    """Seconds from now until every port has answered once. One is asked at a time, so that the asking takes no processor from what is asked."""
    begun = time.monotonic()
    for port in ports:
        while ask(port) is None:
            if time.monotonic() - begun > limit:
                raise TimeoutError(f"port {port}, one of {len(ports)}, does not answer after {limit} s")
            time.sleep(0.002)
    return time.monotonic() - begun


def start_time(supervisor, ports, limit=60):
    """Seconds from the start of the supervisor's command to the last first answer."""
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            supervisor.start()
            os._exit(0)
        except BaseException as problem:  # the parent tells of it
            os.write(2, f"{problem}: {getattr(problem, 'output', b'')}\n".encode())
            os._exit(1)
    try:
        until_all_answer(ports, limit)
        took = time.monotonic() - begun
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    # Every command of a supervisor has a time limit, so this ends.
    if os.waitpid(pid, 0)[1] != 0:
        raise RuntimeError(f"{supervisor.name} did not start")
    return took


def recovery_times(ports, kills, budget):
    """Kills a random service again and again: seconds until its port answers with another pid. Ends early when the budget is spent."""
    times, chance, deadline = [], random.Random(1), time.monotonic() + budget
    while len(times) < kills and time.monotonic() < deadline:
        port = chance.choice(ports)
        victim = ask(port)
        if victim is None:
            raise TimeoutError(f"port {port} does not answer before its service is killed")
        os.kill(victim, signal.SIGKILL)
        begun = time.monotonic()
        while (now := ask(port)) is None or now == victim:
            time.sleep(0.0002)
            if time.monotonic() - begun > 30:
                raise TimeoutError(f"port {port} does not answer 30 s after its service was killed")
        times.append(time.monotonic() - begun)
    return times


def usage(pids):
    """Processor seconds used so far, and resident MiB, of a set of processes. Pages that several of them share count once."""
    seconds = memory = 0
    rollup, field = ("smaps_rollup", "Pss") if len(pids) > 1 else ("status", "VmRSS")
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{pid}/{rollup}") as status:
                memory += int(re.search(rf"^{field}:\s+(\d+)", status.read(), re.MULTILINE)[1]) / 1024
            seconds += (int(fields[11]) + int(fields[12])) / TICK
        except (OSError, TypeError):
            continue  # it ended while we looked
    return seconds, memory


def idle(supervisor, seconds):
    """Percent of one core and resident MiB of the supervisor over a time in which nothing happens."""
    pids = list(supervisor.processes())
    before, _ = usage(pids)
    time.sleep(seconds)
    after, memory = usage(pids)
    if not pids or memory == 0:
        raise RuntimeError("the supervisor's processes are gone")
    return 100 * (after - before) / seconds, memory


def latencies(port, seconds):
    """Seconds that a service takes to answer, asked 100 times a second."""
    times, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        begun = time.monotonic()
        if ask(port) is not None:
            times.append(time.monotonic() - begun)
        time.sleep(0.01)
    return times


def count_flood(files):
    """Different whole lines of a flood in log files, and lines that are torn or there twice."""
    seen, wrong = set(), 0
    for file in files:
        with open(file, "rb") as log:
            for line in log:
                found = FLOOD.search(line.rstrip(b"\n"))
                if not found:
                    wrong += b"flood" in line
                elif int(found[1]) in seen:
                    wrong += 1
                else:
                    seen.add(int(found[1]))
    return len(seen), wrong
