"""The figures, each from samples taken in turn: A B C A B C …"""

import contextlib
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import procfs
from .measure import Stamps, end, is_alive, kill_hard, now_ns, timed, wait_for
from .peers import Pm2, Supervisord, peers
from .report import Figure, Row, Target
from .subject import Floor, FloorKeeping, Place, Subject, Usvc, UsvcPipes


@dataclass
class Bench:
    tools: Path
    scratch: Path  # on a file system in memory, so that no disk is measured
    full: bool
    with_peers: bool
    say: Callable[[str], None]

    def rounds(self, quick: int, full: int) -> int:
        return full if self.full else quick

    def subjects(self, *own: type[Subject], only: tuple[type[Subject], ...] | None = None) -> list[type[Subject]]:
        others = peers if only is None else [peer for peer in peers if peer in only]
        chosen = list(own)
        for peer in others if self.with_peers else []:
            if reason := peer.missing():
                self.say(f"  {peer.name}: skipped: {reason}")
            else:
                chosen.append(peer)
        return chosen

    @contextlib.contextmanager
    def place(self) -> Iterator[Place]:
        with tempfile.TemporaryDirectory(dir=self.scratch) as made:
            directory = Path(made)
            stamps = Stamps(directory / "stamps")
            try:
                yield Place(directory, self.tools, stamps)
            finally:
                stamps.close()

    @contextlib.contextmanager
    def running(self, kind: type[Subject], *job: str) -> Iterator[Subject]:
        """A subject that has begun, in a directory of its own; afterwards it is gone."""
        with self.place() as place:
            subject = kind(place)
            subject.begin(place.job(*job))
            try:
                yield subject
            finally:
                subject.end()


def _sampled(bench: Bench, name: str, unit: str, kinds: list[type[Subject]], rounds: int, sample) -> list[Row]:
    rows = {kind: Row(name, kind.name, unit) for kind in kinds}
    for turn in range(rounds):
        for kind in kinds:
            try:
                got = sample(kind)
            except (RuntimeError, TimeoutError, OSError) as error:
                rows[kind].note = f"failed: {error}"
                continue
            rows[kind].values.extend(got)
        bench.say(f"  {name}: round {turn + 1} of {rounds}")
    return list(rows.values())


def _started(subject: Subject, count: int) -> tuple[float, list[int]]:
    """Starts jobs; milliseconds from the command to the last one's main(), and their pids."""
    from_ns = now_ns()
    command = subprocess.Popen(
        subject.start_command(count), env=subject.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    began = subject.place.stamps.take(count)
    if command.wait() != 0:
        raise RuntimeError(f"{subject.name}: its start command failed")
    return (max(at for _, at in began) - from_ns) / 1e6, [pid for pid, _ in began]


def _size_at_rest(subject: Subject) -> float:
    """What the status command took may be given back a little later."""
    size, same = procfs.pss_kb(subject.pids()), 0
    for _ in range(20):
        time.sleep(1)
        now = procfs.pss_kb(subject.pids())
        same = same + 1 if abs(now - size) < 32 else 0
        size = now
        if same == 4:
            break
    return size


def memory(bench: Bench) -> list[Figure]:
    few, many = (10, 1000) if bench.full else (10, 200)
    per_job: list[Row] = []
    whole: list[Row] = []
    for kind in bench.subjects(Floor, Usvc):
        row, all_of_it = Row("memory", kind.name, "KB"), Row("memory-100", kind.name, "KB")
        with bench.running(kind) as subject:
            sizes = {}
            have = 0
            try:
                for count in (few, 100, many):
                    _started(subject, count - have)
                    have = count
                    subject.run(subject.status_command())
                    sizes[count] = _size_at_rest(subject)
                row.values = [(sizes[many] - sizes[few]) / (many - few)]
                all_of_it.values = [sizes[100]]
            except (RuntimeError, TimeoutError) as error:
                row.note = all_of_it.note = f"failed: {error}"
        per_job.append(row)
        whole.append(all_of_it)
        bench.say(f"  memory: {kind.name}")
    return [
        Figure("memory", f"Memory for each further idle job, {few} to {many} (PSS of what supervises)", per_job, Target(most=4)),
        Figure("memory-100", "Memory of everything that supervises 100 jobs (PSS)", whole, Target(most=10_240)),
    ]


def start_many(bench: Bench) -> list[Figure]:
    count = 1000 if bench.full else 200

    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(kind) as subject:
            return [_started(subject, count)[0]]

    kinds = bench.subjects(Floor, FloorKeeping, Usvc, UsvcPipes)
    rows = _sampled(bench, "start-many", "ms", kinds, bench.rounds(3, 5), sample)
    return [Figure("start-many", f"Start of {count} jobs, from the command to the last one's main()", rows, Target(times_floor=1.3))]


def restart(bench: Bench) -> list[Figure]:
    """Kill -9 to the main() of the next run. One job at a time, after it has lived a moment; backoff off where there is one."""
    kills = bench.rounds(20, 50)
    tails: dict[str, list[float]] = {}

    def sample(kind: type[Subject]) -> list[float]:
        took = []
        with bench.running(kind) as subject:
            _, pids = _started(subject, 1)
            pid = pids[0]
            for _ in range(kills):
                time.sleep(0.05)  # it is killed while at rest
                at = kill_hard(pid)
                (pid, began), *_ = subject.place.stamps.take(1, timeout=30)
                took.append((began - at) / 1e6)
        tails.setdefault(kind.name, []).extend(took)
        return took

    class UsvcUnthrottled(Usvc):
        options = ("--no-runaway-protect",)

    rows = _sampled(bench, "restart", "ms", bench.subjects(Floor, UsvcUnthrottled, only=(Pm2,)), bench.rounds(2, 4), sample)
    p99 = [Row("restart-p99", row.subject, "ms", [row.percentile(99)] if row.values else []) for row in rows]
    return [
        Figure("restart", "Restart after kill -9, kill to main(), median", rows, Target(times_floor=1.3)),
        Figure("restart-p99", "Restart after kill -9, kill to main(), 99th percentile", p99, Target(most=3)),
    ]


def start_one(bench: Bench) -> list[Figure]:
    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(kind) as subject:
            _started(subject, 1)
            took = []
            for _ in range(bench.rounds(10, 30) if kind in (Floor, FloorKeeping, Usvc) else 3):
                took.append(_started(subject, 1)[0])
            return took

    rows = _sampled(bench, "start-one", "ms", bench.subjects(Floor, FloorKeeping, Usvc, only=(Pm2, Supervisord)), bench.rounds(2, 4), sample)
    return [Figure("start-one", "`start` of one job, from the command to its main()", rows, Target(times_floor=1.5, plus=1.0))]


def status(bench: Bench) -> list[Figure]:
    figures = []
    limits = {1: Target(times_floor=None, most=4), 1000: Target(times_floor=1.5, most=20), 5000: Target(times_floor=1.5)}
    for count in (1, 1000, 5000) if bench.full else (1, 200):

        def sample(kind: type[Subject], count: int = count) -> list[float]:
            with bench.running(kind) as subject:
                _started(subject, count)
                return timed(bench.tools, 5, subject.status_command(), subject.env)

        kinds = bench.subjects(Floor, Usvc, only=None if count <= 1000 else ())
        rows = _sampled(bench, f"status-{count}", "ms", kinds, bench.rounds(2, 3), sample)
        title = f"`status` of {count} jobs with CPU and memory of each; floor: its /proc files read in a bare loop"
        figures.append(Figure(f"status-{count}", title, rows, limits.get(count)))
    return figures


def stop_many(bench: Bench) -> list[Figure]:
    count = 1000 if bench.full else 200

    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(kind) as subject:
            _, pids = _started(subject, count)
            began = now_ns()
            subject.run(subject.stop_command())
            wait_for(lambda: not any(is_alive(pid) for pid in pids), 60, "the jobs' end", 0.002)
            return [(now_ns() - began) / 1e6]

    rows = _sampled(bench, "stop-many", "ms", bench.subjects(Floor, Usvc), bench.rounds(3, 5), sample)
    return [Figure("stop-many", f"Stop of {count} jobs that obey SIGTERM", rows, Target(times_floor=1.5))]


class _CopierFloor(Subject):
    """bench-copier: one job, its output into one file."""

    name = "floor"
    how = "pipe"

    def begin(self, job: list[str]) -> None:
        self.job = job
        self.process: subprocess.Popen | None = None

    def start(self, count: int) -> None:
        assert count == 1
        self.process = subprocess.Popen([self.place.tools / "bench-copier", self.how, self.log(), *self.job])

    def log(self) -> Path:
        return self.place.directory / "floor.log"

    def pids(self) -> list[int]:
        return [self.process.pid] if self.process else []

    def end(self) -> None:
        end(self.process)


class _TerminalFloor(_CopierFloor):
    how = "tty"


def _check_numbered(log: Path, size: int) -> None:
    """Every line there once, in order: each begins with its number."""
    with log.open("rb") as lines:
        expected = 0
        while block := lines.read(100 * 65536):
            for at in range(0, len(block), 100):
                if int(block[at : at + 12]) != expected:
                    raise RuntimeError(f"{log.name}: line {expected} is {block[at : at + 12]!r}")
                expected += 1
    if expected * 100 != size:
        raise RuntimeError(f"{log.name}: {expected * 100} of {size} bytes")


def _throughput(bench: Bench, name: str, title: str, kinds: list[type[Subject]], size: int, chunk: int, target: Target) -> list[Figure]:
    cpu: dict[str, list[float]] = {}

    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(kind, "write", str(size), str(chunk)) as subject:
            before = procfs.cpu_seconds(subject.pids())
            subject.start(1)
            (_, began), *_ = subject.place.stamps.take(1, "began")
            log = wait_for(lambda: subject.log() if subject.log().exists() else None, 10, "the log", 0.001)
            wait_for(lambda: os.stat(log).st_size >= size, 300, "all output in the log", 0.001)
            took = (now_ns() - began) / 1e9
            used = procfs.cpu_seconds(subject.pids()) - before
            cpu.setdefault(kind.name, []).append(used / (size / (1 << 30)))
            _check_numbered(log, size)
            return [size / 1e6 / took]

    rows = _sampled(bench, name, "MB/s", kinds, bench.rounds(3, 5), sample)
    costs = [Row(f"{name}-cpu", row.subject, "s/GiB", cpu.get(row.subject, [])) for row in rows]
    return [
        Figure(name, title, rows, target, more_is_better=True),
        Figure(f"{name}-cpu", f"{title}: CPU seconds a GiB of what supervises", costs, Target(most=1.2) if "tty" not in name else None),
    ]


class _UsvcUnrotated(UsvcPipes):
    """One file, so that its size tells when all is there; indexed as always."""

    name = "usvc"
    options = ("--no-tty", "--log-max-size", "8G")


class _UsvcTerminal(Usvc):
    options = ("--log-max-size", "8G")


def log_pipe(bench: Bench) -> list[Figure]:
    kinds = bench.subjects(_CopierFloor, _UsvcUnrotated, only=(Supervisord, Pm2))
    large = (1 << 30 if bench.full else 1 << 28) // 6_553_600 * 6_553_600
    lines = (1 << 28 if bench.full else 1 << 26) // 6_553_600 * 6_553_600
    target = Target(least_of_floor=0.8)
    return _throughput(bench, "log-pipe-64k", "Output through a pipe, 64 KiB writes", kinds, large, 65_500, target) + _throughput(
        bench, "log-pipe-100", "Output through a pipe, 100-byte writes", kinds, lines, 100, target
    )


def log_tty(bench: Bench) -> list[Figure]:
    kinds: list[type[Subject]] = [_TerminalFloor, _UsvcTerminal]
    size = (1 << 27 if bench.full else 1 << 25) // 6_553_600 * 6_553_600
    return _throughput(bench, "log-tty", "Output through a terminal", kinds, size, 4000, Target(least_of_floor=0.9))


def idle(bench: Bench) -> list[Figure]:
    count, seconds = (1000, 60) if bench.full else (200, 10)

    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(kind) as subject:
            _started(subject, count)
            pids = subject.pids()
            time.sleep(3)  # the start's after-effects are not idleness
            before = procfs.wakeups(pids)
            time.sleep(seconds)
            return [float(procfs.wakeups(pids) - before)]

    rows = _sampled(bench, "idle", "wake-ups", bench.subjects(Floor, Usvc), 1, sample)
    return [Figure("idle", f"Wake-ups of what supervises {count} idle jobs in {seconds} s", rows, Target(most=0))]


def storm(bench: Bench) -> list[Figure]:
    """50 jobs that exit 1 at once, with each supervisor's own policy."""
    settle, seconds = (60, 20) if bench.full else (20, 10)

    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(kind, "exit", "1") as subject:
            with contextlib.suppress(RuntimeError):  # some call it a failure, rightly
                subject.start(50)
            time.sleep(settle)
            pids = subject.pids()
            before = procfs.cpu_seconds(pids)
            time.sleep(seconds)
            subject.place.stamps.drain()
            return [(procfs.cpu_seconds(pids) - before) / seconds * 100]

    rows = _sampled(bench, "storm", "% of a core", bench.subjects(Usvc, only=(Pm2, Supervisord)), 1, sample)
    return [Figure("storm", f"50 jobs that exit 1 at once: what supervises, after {settle} s", rows, Target(most=0.5))]


def takeover(bench: Bench) -> list[Figure]:
    count = 1000 if bench.full else 200

    def sample(kind: type[Subject]) -> list[float]:
        took = []
        with bench.running(kind) as subject:
            _started(subject, count)
            for _ in range(3):
                at = kill_hard(subject.pids()[0])
                subject.run([Usvc.client, "jobs"])
                took.append((now_ns() - at) / 1e6)
                time.sleep(0.2)
        return took

    rows = _sampled(bench, "takeover", "ms", [Usvc], bench.rounds(2, 4), sample)
    return [Figure("takeover", f"Manager killed with {count} jobs: to the first answered `jobs`", rows, Target(most=50))]


def fairness(bench: Bench) -> list[Figure]:
    """Jobs that write at once: what the slowest has of its share; and what a restart then takes."""
    count = 200 if bench.full else 50
    restarts: list[float] = []

    def sample(_: type[Subject]) -> list[float]:
        with bench.place() as place:
            subject = Usvc(place)
            subject.begin(place.job())
            try:
                writer = ["start", "--settle", "0", "--no-tty", "--log-max-size", "32M", "--log-keep", "1", "-g", "writer", "-n", str(count)]
                subject.run([subject.client, "-q", *writer, "--", *place.job("trickle")])
                place.stamps.take(count)
                subject.run([subject.client, "-q", "start", "--no-runaway-protect", "--name", "other", "--", *place.job()])
                (pid, _at), *_ = place.stamps.take(1)
                logs = [Path(line) for line in subject.run([subject.client, "log", "--path", "writer"]).split()]
                before = [log.stat().st_size for log in logs]
                for _ in range(bench.rounds(20, 60)):
                    time.sleep(0.05)
                    at = kill_hard(pid)
                    (pid, began), *_ = place.stamps.take(1)
                    restarts.append((began - at) / 1e6)
                grown = [log.stat().st_size - size for log, size in zip(logs, before, strict=True)]
                return [min(grown) / statistics.mean(grown)]
            finally:
                subject.end()

    rows = _sampled(bench, "fairness", "of its share", [Usvc], bench.rounds(1, 3), sample)
    tail = Row("fairness-restart-p99", "usvc", "ms", restarts)
    tail.values = [tail.percentile(99)] if restarts else []
    return [
        Figure("fairness", f"{count} jobs writing at once: the slowest job's part of a fair share (at least 0.5)", rows, None, True),
        Figure("fairness-restart-p99", "Another job's restart meanwhile, 99th percentile", [tail], Target(most=10)),
    ]


def client(bench: Bench) -> list[Figure]:
    def sample(kind: type[Subject]) -> list[float]:
        with bench.running(Usvc) as subject:
            _started(subject, 1)
            command = ["true"] if kind is Floor else [Usvc.client, "jobs"]
            return timed(bench.tools, 30, command, subject.env)

    rows = _sampled(bench, "client", "ms", [Floor, Usvc], bench.rounds(3, 6), sample)
    return [Figure("client", "`usvc jobs` as a whole process; floor: `true`", rows, Target(times_floor=3))]


def growth(bench: Bench) -> list[Figure]:
    """Start time and memory for each job, small instance and large."""
    steps = (100, 1000, 5000) if bench.full else (100, 500)
    times, sizes = [], []
    with bench.running(Usvc) as subject:
        have, before = 0, procfs.pss_kb(subject.pids())
        for count in steps:
            took, _ = _started(subject, count - have)
            now = procfs.pss_kb(subject.pids())
            times.append(Row("growth-time", f"usvc, {have} to {count} jobs", "ms a job", [took / (count - have)]))
            sizes.append(Row("growth-memory", f"usvc, {have} to {count} jobs", "KB a job", [(now - before) / (count - have)]))
            have, before = count, now
            bench.say(f"  growth: {count} jobs")
    return [
        Figure("growth-time", "Time to start a further job, as the instance grows", times),
        Figure("growth-memory", "Memory of a further job, as the instance grows", sizes),
    ]


figures: dict[str, Callable[[Bench], list[Figure]]] = {
    "client": client,
    "start-one": start_one,
    "start-many": start_many,
    "restart": restart,
    "status": status,
    "stop-many": stop_many,
    "memory": memory,
    "idle": idle,
    "takeover": takeover,
    "log-pipe": log_pipe,
    "log-tty": log_tty,
    "fairness": fairness,
    "storm": storm,
    "growth": growth,
}
