"""A child process that is told what to do in lines of JSON, and answers each with one.

Every system is measured in processes of its own: what it crashes, keeps or does in the background is its own too.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """On any core, since the process was started, by its own clock; that of `/proc` goes in steps of 10 ms."""
    clock = ctypes.c_int()
    if error := ctypes.CDLL(None).clock_getcpuclockid(int(pid), ctypes.byref(clock)):
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


def family_cpu_seconds(child):
    """The same with the processes it has started, for servers that answer in several."""

    def family():
        """Those that are there, and the CPU seconds of those that have ended."""
        fields = pathlib.Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        there = pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        return there, (int(fields[13]) + int(fields[14])) / TICKS_PER_SECOND

    while True:
        there, ended = family()
        with contextlib.suppress(OSError):
            seconds = ended + sum(cpu_seconds(pid) for pid in [child.pid, *there])
            # Else one of them has ended in between, and would count twice or not at all.
            if family() == (there, ended):
                return seconds


def obey(worker):
    """The child's side, in Python: calls the worker's function that each command names."""
    # What libraries print goes to standard error, where it stands in nobody's way.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


class Process:
    def __init__(self, *command):
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **command):
        self.tell(**command)
        return self.hear()

    def tell(self, **command):
        """Does not wait for the answer, so that several can be at work."""
        self.told = command["do"]
        try:
            self.child.stdin.write(json.dumps(command, default=os.fspath) + "\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # It has ended, and there will be no answer.

    def hear(self):
        """The answer; where there is an error in it, or none comes, that is raised."""
        line = self.child.stdout.readline()
        answer = json.loads(line) if line else {"error": f"the process ended with status {self.child.wait()}"}
        if "error" in answer:
            raise RuntimeError(f"{self.told}: {answer['error']}")
        return answer

    def cpu_seconds(self):
        return cpu_seconds(self.child.pid)

    def close(self):
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass  # It has ended already.
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
