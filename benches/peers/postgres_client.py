"""A process with one connection to PostgreSQL, as `worker.py` told what to do. Several of them ask at a time, and none
waits for another, as threads of Python would.

    {"do": "prepare", "where": "host=127.0.0.1", "queries": …, "first": 0, "step": 8, "k": 10, "ef": 64}
    {"do": "ask"}
"""

import time

import data
import postgres
from process import obey


class Asking:
    def prepare(self, where, queries, first, step, k, ef):
        """Its own are every so many of the queries; they are encoded, and one is asked, before the clock starts."""
        self.client = postgres.Client(where, k, ef)
        self.vectors = [row.tobytes() for row in postgres.encoded(data.read(queries)[first::step])]
        self.client.ask(self.vectors[0])
        return {}

    def ask(self):
        """The ids found for each, the microseconds each took, and when it all began and ended by the system's clock."""
        found, latencies, start = [], [], time.monotonic()
        for vector in self.vectors:
            before = time.perf_counter()
            found.append(self.client.ask(vector))
            latencies.append((time.perf_counter() - before) * 1e6)
        return {"found": found, "latencies_us": latencies, "start": start, "end": time.monotonic()}


if __name__ == "__main__":
    obey(Asking())
