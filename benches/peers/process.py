"""A child process that is told what to do in lines of JSON, and answers each with one.

Every system is measured in processes of its own: what it crashes, keeps or does in the background is its own too.
"""

import json
import os
import pathlib
import subprocess

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(child):
    """On any core, since the process was started."""
    fields = pathlib.Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Process:
    def __init__(self, *command):
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **command):
        """The answer; where there is an error in it, or none comes, that is raised."""
        try:
            self.child.stdin.write(json.dumps(command, default=os.fspath) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"error": f"the process ended with status {self.child.wait()}"}
        if "error" in answer:
            raise RuntimeError(f"{command['do']}: {answer['error']}")
        return answer

    def cpu_seconds(self):
        return cpu_seconds(self.child)

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
