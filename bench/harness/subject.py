"""What is measured: one way to drive usvc, its floor and its peers."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .measure import Stamps, end, wait_for


@dataclass
class Place:
    """Where one sample is taken: a directory of its own, and the tools."""

    directory: Path
    tools: Path  # where bench-job and the like are
    stamps: Stamps

    def job(self, *words: str) -> list[str]:
        return [str(self.tools / "bench-job"), str(self.stamps.path), *(words or ("idle",))]


class Subject:
    """A supervisor for one sample: begin(), then jobs, then end()."""

    name = ""

    def __init__(self, place: Place):
        self.place = place
        self.env = dict(os.environ)

    @classmethod
    def missing(cls) -> str:
        """Why it can't be measured here; nothing when it can."""
        return ""

    def begin(self, job: list[str]) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError

    def pids(self) -> list[int]:
        """Of everything that supervises; the jobs left out."""
        raise NotImplementedError

    def start_command(self, count: int) -> list[str]:
        """Starts so many more jobs."""
        raise NotImplementedError

    def status_command(self) -> list[str]:
        raise NotImplementedError

    def stop_command(self) -> list[str]:
        """Stops all, and returns when they have ended or soon after."""
        raise NotImplementedError

    def run(self, command: list[str]) -> str:
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: {(done.stderr or done.stdout).strip()[-400:]}")
        return done.stdout

    def start(self, count: int) -> None:
        self.run(self.start_command(count))


def missing_program(*programs: str) -> str:
    absent = [program for program in programs if not shutil.which(program)]
    return f"{', '.join(absent)} not installed (bench/setup)" if absent else ""


class Floor(Subject):
    """bench-spawner: what the kernel asks for, and nothing else."""

    name = "floor"

    def begin(self, job: list[str]) -> None:
        self.socket = self.place.directory / "floor.sock"
        self.process = subprocess.Popen([self.place.tools / "bench-spawner", self.socket, *job], stdout=subprocess.DEVNULL)
        wait_for(self.socket.exists, 10, "the floor's socket")

    def end(self) -> None:
        subprocess.run(self._ask("q"), check=False, capture_output=True)
        end(self.process)

    def pids(self) -> list[int]:
        return [self.process.pid]

    def _ask(self, request: str) -> list[str]:
        return [str(self.place.tools / "bench-ask"), str(self.socket), request]

    def start_command(self, count: int) -> list[str]:
        return self._ask(f"s {count}")

    def status_command(self) -> list[str]:
        return self._ask("l")

    def stop_command(self) -> list[str]:
        return self._ask("k")


class FloorKeeping(Floor):
    """Also what has to be written and made so that a job outlives its supervisor, by bare system calls."""

    name = "floor that keeps as much"

    def start_command(self, count: int) -> list[str]:
        return self._ask(f"p {count}")


class Usvc(Subject):
    name = "usvc"
    client = ""  # set by bench/run
    options: tuple[str, ...] = ()

    def begin(self, job: list[str]) -> None:
        self.job = job
        home = self.place.directory / "usvc"
        home.mkdir(mode=0o700)
        self.env |= {"USVC_HOME": str(home), "USVC_ALLOW_ROOT": "1"}
        self.run([self.client, "init"])

    def end(self) -> None:
        self.run([self.client, "shutdown"])

    def pids(self) -> list[int]:
        import json

        known = json.loads(self.run([self.client, "--json", "vars"]))
        return [known["manager_pid"], known["keeper_pid"]]

    def start_command(self, count: int) -> list[str]:
        return [self.client, "-q", "start", "--settle", "0", "-g", "bench", "-n", str(count), *self.options, "--", *self.job]

    def status_command(self) -> list[str]:
        return [self.client, "status"]

    def stop_command(self) -> list[str]:
        return [self.client, "-q", "stop", "all"]

    def log(self) -> Path:
        return Path(self.run([self.client, "log", "--path", "bench-1"]).split("\n")[0])


class UsvcPipes(Usvc):
    """Without terminals, as the peers run their jobs."""

    name = "usvc --no-tty"
    options = ("--no-tty",)
