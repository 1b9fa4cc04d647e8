#!/usr/bin/env python3
"""How long from a key to its echo: in a bare pseudo-terminal and through `usvc attach`, in the same machine's noise.

    USVC_HOME=DIR bench/key_echo.py USVC [KEYS]

Starts two jobs in that instance and leaves it to the caller to shut it down. `kernel`: the terminal echoes; `program`:
cat writes back what it reads.
"""
import os, pty, select, statistics, subprocess, sys, time

usvc = sys.argv[1]
keys = int(sys.argv[2]) if len(sys.argv) > 2 else 300
programs = {"kernel": ["/bin/sh", "-c", "echo ready; exec cat >/dev/null"],
            "program": ["/bin/sh", "-c", "stty raw -echo; echo ready; exec cat"]}


def wait_for(master, text, patience=20.0):
    seen, end = b"", time.monotonic() + patience
    while text not in seen:
        if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"no {text!r} in {seen!r}")
        seen += os.read(master, 65536)


def measure(argv):
    pid, master = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    wait_for(master, b"ready")
    time.sleep(0.5)
    while select.select([master], [], [], 0)[0]:
        os.read(master, 65536)
    times = []
    for i in range(keys):
        key = b"abcdefgh"[i % 8:i % 8 + 1]
        begun = time.perf_counter()
        os.write(master, key)
        seen = b""
        while key not in seen:
            seen += os.read(master, 65536)
        times.append((time.perf_counter() - begun) * 1e3)
        time.sleep(0.01)
    os.kill(pid, 15)
    os.close(master)
    os.waitpid(pid, 0)
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.9)], times[int(len(times) * 0.99)]


print(f"{'echo by':8} {'seen through':14} {'median':>8} {'90 %':>8} {'99 %':>8}   (ms, {keys} keys)")
for name, program in programs.items():
    job = f"echo-{name}"
    subprocess.run([usvc, "start", "--name", job, "--", *program], check=True, stdout=subprocess.DEVNULL)
    for through, argv in (("bare pty", program), ("usvc attach", [usvc, "attach", job])):
        print(f"{name:8} {through:14} " + " ".join(f"{value:8.3f}" for value in measure(argv)))
