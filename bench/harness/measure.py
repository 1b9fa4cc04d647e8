"""Clocks and the words of the measured jobs."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path


class Stamps:
    """What bench-job says of itself: messages of (pid, what, nanoseconds by CLOCK_MONOTONIC)."""

    def __init__(self, path: Path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(str(path))
        path.chmod(0o666)

    def take(self, count: int, what: str = "main", timeout: float = 120.0) -> list[tuple[int, int]]:
        """The next `count` messages of this kind; others are passed over."""
        taken: list[tuple[int, int]] = []
        deadline = time.monotonic() + timeout
        while len(taken) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(taken)} of {count} jobs said '{what}' within {timeout:g} s")
            self.socket.settimeout(left)
            try:
                pid, word, at = self.socket.recv(256).decode().split()
            except TimeoutError:
                continue
            if word == what:
                taken.append((int(pid), int(at)))
        return taken

    def drain(self) -> None:
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(256)
        except BlockingIOError:
            pass
        finally:
            self.socket.setblocking(True)

    def close(self) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)


def now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def timed(tools: Path, runs: int, command: list[str], env: dict[str, str] | None = None) -> list[float]:
    """Milliseconds that each run of a command took as a whole process."""
    done = subprocess.run([tools / "bench-timed", str(runs), *command], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return [int(line) / 1e6 for line in done.stdout.split()]


def wait_for(condition, timeout: float, what: str, every: float = 0.0005):
    """Until the condition gives something; from outside there is nothing better to wait for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)


def end(process: subprocess.Popen | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_all(pids: list[int]) -> None:
    """Kills those that are still there, and waits until none is."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            kill_hard(pid)
    wait_for(lambda: not any(is_alive(pid) for pid in pids), 30, "the end of all")


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rsplit(b")", 1)[1].split()[0] not in (b"Z", b"X")
    except FileNotFoundError:
        return False
    except ProcessLookupError:
        return False


def kill_hard(pid: int) -> int:
    """Kills, and says when."""
    at = now_ns()
    os.kill(pid, signal.SIGKILL)
    return at
