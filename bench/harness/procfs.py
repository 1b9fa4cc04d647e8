"""What processes cost, as the kernel tells it."""

import os

_tick = os.sysconf("SC_CLK_TCK")


def pss_kb(pids: list[int]) -> float:
    """Proportional set size of these processes together, in kB."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return float(total)


def cpu_seconds(pids: list[int]) -> float:
    """CPU time of all threads of these processes so far, to the nanosecond where the kernel tells it."""
    total = 0.0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stat:
                    total += int(stat.read().split()[0]) / 1e9
            except FileNotFoundError:
                with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                    total += (int(fields[11]) + int(fields[12])) / _tick
                    break
    return total


def wakeups(pids: list[int]) -> int:
    """Context switches of all threads of these processes so far."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
                total += sum(int(line.split()[1]) for line in status if "ctxt_switches:" in line)
    return total


def descendants(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stat:
                    parent = int(stat.read().rsplit(b")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:
        found.extend(parents.get(pid, []))
    return found
