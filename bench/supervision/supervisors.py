"""The supervisors that are compared: how each is told what to run, started, asked and ended."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / "artifacts" / "bench"
SERVER = TOOLS / "server"
PM2 = TOOLS / "npm" / "node_modules" / "pm2" / "bin" / "pm2"

MARK = "STOKER_BENCH_RUN"

# Of every command of a supervisor, in seconds: longer than any takes, and one that hangs ends there.
LIMIT = 300


class Supervisor:
    """One run of a supervisor in a directory of its own. `services` is a list of (name, command) of servers to be run."""

    name = ""
    settings = ""

    def __init__(self, services, depth=1):
        self.services, self.depth = services, depth
        self.place = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        self.environment = {**os.environ, MARK: self.place.name}
        self.logs = self.place / "logs"
        self.logs.mkdir()
        self.declare()

    @classmethod
    def is_here(cls):
        return True

    @classmethod
    def version(cls):
        return ""

    def declare(self):
        """Writes the configuration."""

    def start(self):
        """Starts the supervisor with everything it is to run; returns when its command line does."""

    def status(self):
        """The command line that a person would ask with."""

    def stop(self):
        """Ends everything."""

    def log_of(self, service):
        """Files that hold the service's output, oldest first."""
        return [self.logs / f"{service}.log"]

    def run(self, *words, **options):
        return subprocess.run(words, env=self.environment, cwd=self.place, check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, **options)

    def processes(self):
        """Pids of the supervisor itself: all that carry the mark of this run, but for the services."""
        for pid, program in self.marked():
            if program != str(SERVER):
                yield pid

    def marked(self):
        """Pid and program of everything that carries the mark of this run."""
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.place.name}".encode() not in (directory / "environ").read_bytes().split(b"\0"):
                    continue
                yield int(directory.name), os.readlink(directory / "exe")
            except OSError:
                continue  # it ended while we looked

    def left(self):
        """What a stop that failed has left, with the servers, which do not all carry the mark; one supervisor runs at a time."""
        yield from (pid for pid, _ in self.marked())
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(directory / "exe") == str(SERVER):
                    yield int(directory.name)
            except OSError:
                continue  # it ended while we looked

    def clean(self):
        try:
            self.stop()
        except (subprocess.SubprocessError, OSError):
            pass  # what it leaves is killed below
        deadline = time.monotonic() + 30
        while any(True for _ in self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in list(self.left()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.place, ignore_errors=True)


class Stoker(Supervisor):
    name = "stoker"
    settings = ("`restart: always`, `restart_policy: {delay: 1ms, max_delay: 1ms}`; http healthcheck every 10 s, start-up probes from "
                "1 ms on; where a depth is given, each layer waits for `service_healthy` of the layer before")

    @classmethod
    def version(cls):
        return subprocess.run([ROOT / "stoker", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def declare(self):
        lines = ["name: bench", "services:"]
        width = -(-len(self.services) // self.depth)
        for at, (service, command) in enumerate(self.services):
            lines += [f"  {service}:", f"    command: {json.dumps([str(word) for word in command])}", "    restart: always",
                      "    restart_policy: {delay: 1ms, max_delay: 1ms}",
                      "    logging: {options: {max-size: 4g}}"]
            if command[1] != "flood":
                lines += [f"    healthcheck: {{http: \"http://127.0.0.1:{command[1]}/\", interval: 10s, timeout: 2s, start_period: 30s}}"]
            if at >= width:
                lines += [f"    depends_on: {{{self.services[at - width][0]}: {{condition: service_healthy}}}}"]
        (self.place / "stoker.yaml").write_text("\n".join(lines) + "\n")

    def stoker(self, *words, **options):
        return self.run(str(ROOT / "stoker"), "--state", str(self.place / "state"), *words, **options)

    def start(self):
        self.stoker("up", "-d")

    def status(self):
        self.stoker("status")

    def stop(self):
        subprocess.run([str(ROOT / "stoker"), "--state", str(self.place / "state"), "down"], env=self.environment, cwd=self.place,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=LIMIT)

    def processes(self):
        try:
            yield json.loads(self.stoker("daemon", "status", "--json").stdout)["pid"]
        except (subprocess.CalledProcessError, ValueError):
            return

    def log_of(self, service):
        found = (self.place / "state" / "logs").rglob(f"{service}.*log*")
        return sorted((file for file in found if ".log" in file.name and not file.name.endswith(("cursor", "spool"))),
                      key=lambda file: file.stat().st_mtime)


class Supervisord(Supervisor):
    name = "supervisord"
    settings = "`autorestart=true`, `startsecs=0`, no delay of its own; no dependencies, no healthchecks"

    @classmethod
    def is_here(cls):
        return shutil.which("supervisord")

    @classmethod
    def version(cls):
        return subprocess.run(["supervisord", "-v"], capture_output=True, text=True, check=True).stdout.strip()

    def declare(self):
        text = [f"[supervisord]\nnodaemon=false\nminfds=8192\nlogfile={self.place}/supervisord.log\npidfile={self.place}/pid\n",
                f"[unix_http_server]\nfile={self.place}/socket\n",
                "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
                f"[supervisorctl]\nserverurl=unix://{self.place}/socket\n"]
        for service, command in self.services:
            text.append(f"[program:{service}]\ncommand={' '.join(map(str, command))}\nautorestart=true\nstartsecs=0\nstartretries=1000000\n"
                        f"stdout_logfile={self.logs}/{service}.log\nstdout_logfile_maxbytes=0\nredirect_stderr=true\n")
        (self.place / "supervisord.conf").write_text("\n".join(text))

    def start(self):
        self.run("supervisord", "-c", "supervisord.conf")

    def status(self):
        self.run("supervisorctl", "-c", "supervisord.conf", "status")

    def stop(self):
        subprocess.run(["supervisorctl", "-c", self.place / "supervisord.conf", "shutdown"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False, timeout=LIMIT)


class Pm2(Supervisor):
    name = "pm2"
    settings = "fork mode, no interpreter, `restart_delay` 0, `max_restarts` unlimited; no dependencies, no healthchecks"

    @classmethod
    def is_here(cls):
        return PM2.exists()

    @classmethod
    def version(cls):
        return json.loads((PM2.parent.parent / "package.json").read_text())["version"]

    def declare(self):
        self.environment |= {"PM2_HOME": str(self.place / "home"), "PM2_DISABLE_VERSION_CHECK": "1"}
        apps = [{"name": service, "script": str(command[0]), "args": [str(word) for word in command[1:]], "interpreter": "none",
                 "exec_mode": "fork", "autorestart": True, "restart_delay": 0, "max_restarts": 1_000_000, "min_uptime": 0,
                 "out_file": f"{self.logs}/{service}.log", "error_file": f"{self.logs}/{service}.log", "merge_logs": True}
                for service, command in self.services]
        (self.place / "ecosystem.json").write_text(json.dumps({"apps": apps}))

    def start(self):
        self.run("node", str(PM2), "start", "ecosystem.json")

    def status(self):
        self.run("node", str(PM2), "ls")

    def stop(self):
        subprocess.run(["node", PM2, "kill"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=LIMIT)


class S6(Supervisor):
    name = "s6"
    settings = "one `s6-log` per service (`s268435455 n20`); s6 waits a second between two starts; no dependencies, no healthchecks"

    @classmethod
    def is_here(cls):
        return shutil.which("s6-svscan")

    @classmethod
    def version(cls):
        return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "s6"], capture_output=True, text=True, check=False).stdout

    def declare(self):
        for service, command in self.services:
            log = self.place / "scan" / service / "log"
            log.mkdir(parents=True)
            self.script(log.parent / "run", f"exec 2>&1\nexec {' '.join(map(str, command))}")
            self.script(log / "run", f"exec s6-log s268435455 n20 {self.logs}/{service}")

    @staticmethod
    def script(path, text):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def start(self):
        subprocess.Popen(["s6-svscan", "-c", "2100", "scan"], env=self.environment, cwd=self.place, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(self):
        for service, _ in self.services:
            self.run("s6-svstat", f"scan/{service}")

    def stop(self):
        subprocess.run(["s6-svscanctl", "-t", self.place / "scan"], check=False)

    def log_of(self, service):
        directory = self.logs / service
        return [*sorted(directory.glob("@*")), directory / "current"]


ALL = [Stoker, Supervisord, Pm2, S6]
