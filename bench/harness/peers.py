"""The peers, each with its defaults; what differs is said where it stands."""

import json
import subprocess
from pathlib import Path

from .measure import end, end_all, wait_for
from .procfs import descendants
from .subject import Subject, missing_program


class Supervisord(Subject):
    name = "supervisord"

    @classmethod
    def missing(cls) -> str:
        return missing_program("supervisord", "supervisorctl")

    def begin(self, job: list[str]) -> None:
        self.job = job
        self.count = 0
        self.conf = self.place.directory / "supervisord.conf"
        self._write()
        self.process = subprocess.Popen(["supervisord", "-n", "-c", self.conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for((self.place.directory / "supervisor.sock").exists, 20, "supervisord's socket", 0.005)

    def _write(self) -> None:
        where = self.place.directory
        text = (
            f"[supervisord]\nlogfile={where}/supervisord.log\npidfile={where}/supervisord.pid\nchildlogdir={where}\n"
            "minfds=20000\nminprocs=4000\n"
            f"[unix_http_server]\nfile={where}/supervisor.sock\n"
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[supervisorctl]\nserverurl=unix://{where}/supervisor.sock\n"
        )
        if self.count:
            text += (
                f"[program:bench]\ncommand={' '.join(self.job)}\nprocess_name=%(program_name)s-%(process_num)d\n"
                f"numprocs={self.count}\nautorestart=true\nstartsecs=0\nstdout_logfile={where}/bench-%(process_num)d.log\n"
                "stdout_logfile_maxbytes=0\nredirect_stderr=true\n"
            )
        self.conf.write_text(text)

    def end(self) -> None:
        end(self.process)

    def pids(self) -> list[int]:
        return [self.process.pid]

    def start_command(self, count: int) -> list[str]:
        self.count += count
        self._write()
        return ["supervisorctl", "-c", str(self.conf), "update"]

    def status_command(self) -> list[str]:
        return ["supervisorctl", "-c", str(self.conf), "status"]

    def stop_command(self) -> list[str]:
        return ["supervisorctl", "-c", str(self.conf), "stop", "all"]

    def log(self) -> Path:
        return self.place.directory / "bench-0.log"


class _ScanDirectory(Subject):
    """A directory for each job, and a process for each directory."""

    scanner: tuple[str, ...] = ()
    job_name = "bench-job"

    def begin(self, job: list[str]) -> None:
        self.job = job
        self.count = 0
        self.services = self.place.directory / "service"
        self.services.mkdir()
        self.process = subprocess.Popen([*self.scanner, self.services], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _make(self, count: int) -> None:
        for _ in range(count):
            self.count += 1
            made = self.place.directory / f"new-{self.count}"
            made.mkdir()
            run = made / "run"
            run.write_text(f"#!/bin/sh\nexec {' '.join(self.job)} >{self.place.directory}/bench-{self.count}.log 2>&1\n")
            run.chmod(0o755)
            made.rename(self.services / f"bench-{self.count}")

    def _each(self) -> list[str]:
        return [str(self.services / f"bench-{number}") for number in range(1, self.count + 1)]

    def pids(self) -> list[int]:
        def supervises(pid: int) -> bool:
            return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() != self.job_name

        return [pid for pid in descendants(self.process.pid) if supervises(pid)]

    def _shell(self, words: str) -> list[str]:
        return ["sh", "-c", words, "sh", *self._each()]


class S6(_ScanDirectory):
    name = "s6"
    scanner = ("s6-svscan",)

    @classmethod
    def missing(cls) -> str:
        return missing_program("s6-svscan", "s6-svscanctl", "s6-svstat", "s6-svc")

    def start_command(self, count: int) -> list[str]:
        self._make(count)
        wait_for((self.services / ".s6-svscan" / "control").exists, 10, "s6-svscan")
        return ["s6-svscanctl", "-a", str(self.services)]

    def status_command(self) -> list[str]:
        return self._shell('for each; do s6-svstat "$each"; done')

    def stop_command(self) -> list[str]:
        return self._shell('for each; do s6-svc -d "$each"; done')

    def end(self) -> None:
        left = descendants(self.process.pid)
        subprocess.run(["s6-svscanctl", "-t", str(self.services)], check=False, capture_output=True)
        end(self.process)
        end_all(left)


class Runit(_ScanDirectory):
    name = "runit"
    scanner = ("runsvdir",)

    @classmethod
    def missing(cls) -> str:
        return missing_program("runsvdir", "sv")

    def start_command(self, count: int) -> list[str]:
        self._make(count)
        return ["true"]  # it looks for itself, every five seconds

    def status_command(self) -> list[str]:
        return ["sv", "status", *self._each()]

    def stop_command(self) -> list[str]:
        return ["sv", "stop", *self._each()]

    def end(self) -> None:
        left = descendants(self.process.pid)
        end(self.process)  # before its runsv, which it would start again
        end_all(left)


class Pm2(Subject):
    name = "pm2"

    @classmethod
    def missing(cls) -> str:
        return missing_program("pm2")

    def begin(self, job: list[str]) -> None:
        self.env |= {"PM2_HOME": str(self.place.directory / "pm2"), "PM2_DISABLE_VERSION_CHECK": "true"}
        self.job = job
        self.run(["pm2", "ping"])
        self.daemon = int((self.place.directory / "pm2" / "pm2.pid").read_text(encoding="ascii"))

    def start_command(self, count: int) -> list[str]:
        app = {
            "name": "bench",
            "script": self.job[0],
            "args": self.job[1:],
            "interpreter": "none",
            "exec_mode": "fork",
            "instances": count,
        }
        ecosystem = self.place.directory / "bench.config.json"
        ecosystem.write_text(json.dumps({"apps": [app]}), encoding="ascii")
        return ["pm2", "start", str(ecosystem)]

    def status_command(self) -> list[str]:
        return ["pm2", "list"]

    def stop_command(self) -> list[str]:
        return ["pm2", "stop", "all"]

    def end(self) -> None:
        self.run(["pm2", "kill"])

    def pids(self) -> list[int]:
        return [self.daemon]

    def log(self) -> Path:
        return self.place.directory / "pm2" / "logs" / "bench-out.log"


peers: list[type[Subject]] = [Supervisord, S6, Runit, Pm2]
