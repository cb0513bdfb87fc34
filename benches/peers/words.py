"""What `RESULTS.md` says around its tables: how each figure was counted."""

INTRODUCTION = """# What was measured

Written by `benches/peers/peers.py`, which says how; the same figures under stable keys are in `results.json`. k
= 10, recall@10 by distance against exact neighbours, one query at a time, one thread. **qps** are queries per
*CPU* second. The machines do other work too: CPU time is far steadier on them than time on the wall, and still
varies by a tenth or two.
"""

YARDSTICK_NOTES = """Queries per CPU second at three levels of recall, CPU seconds to build, and bytes per vector in memory beyond
the raw data; the sections below say how each was counted.
"""

GOALS_NOTES = """Where Kith wants to be, and where it was when each section below was measured: ratios of figures of one run. Graphs that
several threads build differ from run to run, and a width that just misses a recall does not count: of the million, two
runs of one day had Kith at 1.29 × (0.95) and 1.08 × (0.99) of SymphonyQG's speed, and at 1.38 × and 1.39 ×. By straight
lines between the widths tried the second would have 1.30 × and 1.29 ×.
"""

TIME_NOTES = """Where the time goes: `perf record` of many queries, and functions timed alone, on the machine below in November 2026.

* **A walk over 784 numbers** fetches 6.6 KB for each node it goes to, a vector and a record of 32 codes, and waits for
  memory nearly half of its time; 16 % are look-ups of codes, 12 % the list of the nearest, 10 % turning the query and
  making its tables. Pages of 2 MB (`final/src/disk/mmap.rs`) saved an eighth.
* **A walk over 256 numbers** (the demo, in the caches) spends 27 % on the list of the nearest, 15 % on look-ups, 11 % on
  turning the query and its tables, 8 % on fetching ahead, and about 1.5 µs of 9 on what surrounds it: the plan, the
  explanation, ids.
* **A filter that accepts 5 %** of 60,000 rows takes 61 µs: half of it estimates the 3,000 rows by their bits, at 10 ns
  each, and the rest reads 59 vectors from memory. Where 30 % are accepted the walk looks at three times as many rows as
  without a filter, and goes on from the accepted ones and a sixth of the others.
* **An answer over HTTP**: what `mirror cpu` says is the system's, reading and writing a socket; reading 784 numbers as
  JSON takes 7 µs, hyper, tokio and axum 8, memory, ids and printing 5. That is while the cores are awake. Where the
  machine has nothing else to do they fall asleep between requests, and everything takes up to 1.7 times as long, the
  search as well.
"""

# By kind of section: its title, and how it was measured.
NOTES = {
    "search": (
        "Search and build",
        """Each system's fastest setting that reaches the recall; `–`: none tried does. `best recall` is the best of those
tried, none wider than the first above 0.995. Builds use 2 threads. Kith is built as its server does it: durable
batches, flushes, merges until it is at rest. Graphs have M = 16 or 32 links; ef_construction is 200, Kith's
default 100. The databases (Qdrant Edge, LanceDB, Chroma, zvec, pgvector) are asked 500 queries at four settings, in
process, after the others. CPU time is the whole process's, Kith's the asking thread's, which is the only one at work.
pgvector 0.8.5 is in PostgreSQL 18, a server: its processes' time and the asking one's count together; it is asked
through a socket in the file system, by prepared statements in binary; its disk is the table's and its indexes'.

`memory bytes per vector`: a process of its own loads the saved index and asks all queries at ef 128; counted is
what is resident then (RssAnon + RssFile + RssShmem) less what was before it loaded, less 4 bytes per number for
the raw data. "Before" is after a small index was made, asked and dropped, so that code, buffers and threads
count for nobody, and with queries and answers in place. It is below zero where the vectors are not kept, are
read from files each time, or are in mapped files of which the queries touched only some pages. On the small
demo set, megabytes that any process gains or loses weigh hundreds of bytes a vector. Before its turn each
system answers all queries once unmeasured, for what a computer has dropped of a file is read from the disk again. On
2026-11-23 it did not: of the million, Kith's `binary` then read new rows at each `ef` to rescore, and its figures there
are too low.
""",
    ),
    "filters": (
        "Filters",
        """The fastest setting with recall ≥ 0.98, else the one with the best recall, against the exact neighbours among
the accepted. Each point has a number, and those below a limit are accepted: its place in the data, so that they
are the first rows, or (at-random) its place in a random order. 1,000 queries, the databases 500. The flat scan
and faiss are given the accepted rows before the clock starts, Kith and the databases the condition. p50 and p99
are on the wall, in process.
""",
    ),
    "http": (
        "HTTP",
        """The server and its client on the same cores, all numbers of a query as JSON in its request, at the narrowest
`ef` of those tried that reaches the recall; one that reaches two levels stands there twice. `server cpu` is
what the server's process spent per request; `in process cpu` is what the library
spends in one thread on a copy of the same files at the same `ef`, in turns with the server; between them is
what HTTP and JSON cost. `mirror cpu` is what a server spends that reads the same requests and answers them without
looking: two calls of the system for each, which no server can do without. Medians of the rounds.

Rows without a name are Kith's. pgvector and Chroma are servers on the same cores in turns with it, asked the first
2,000 of the queries, each at the narrowest `ef` that takes it to the recall. Chroma's requests are JSON over HTTP, from
the client that asks Kith; pgvector's are prepared statements in binary over TCP, from a process for each connection.
`server cpu` is that of all processes of the server.
""",
    ),
    "ingest": (
        "Ingest over HTTP",
        """Points are durable (fsync) and searchable, by comparing rows, when they are acknowledged. At rest: in graphs,
with nothing left to merge; this includes the 5 s without writes after which the newest points are sealed.
""",
    ),
    "open": (
        "Open and memory",
        """`first correct`: seconds until the first answer whose ten neighbours are the exact ones, and how many queries
had to be asked for that, one after another. Kith's time begins with its process, and its settings are the
defaults; the command says how thoroughly its graph was built (ef_construct, 100 unless said). The others'
begins with the call that loads the saved index, at ef 128: Python and the library are loaded before, and a
small index was asked. Cold: the files' pages were dropped from the page cache before, the programs' were not.
Resident memory in MB, as the system counts it: `anon` is the process's own, `file` are the pages of mapped
files it has touched; below, the files' sizes. Points without payloads.
""",
    ),
}
