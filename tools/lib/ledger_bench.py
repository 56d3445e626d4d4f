"""The ledger group of tools/bench: our appends beside those of PostgreSQL and of a bare program in C, in turn in the same run."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from platform_under_test import run
from postgresql_peer import PostgreSQL

HERE = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"
SECONDS = 2
PARTS = {"append": 1, "pipelined": 8}
# What is measured for a figure that is asked for by name.
PART_OF = {"ledger.append": "append", "ledger.append_pipelined": "pipelined", "ledger.replay": "reading",
           "ledger.verify": "reading", "ledger.bytes_per_event": "reading"}
FIGURE = {"append": "ledger.append", "pipelined": "ledger.append_pipelined"}
TABLE = """create table events (sequence bigint generated always as identity, stream uuid not null, version bigint not null,
    time timestamptz not null default now(), payload bytea not null, unique (stream, version))"""
# A stream has eight events; ids of streams grow with time, as ours do. The unique index is the check of the expected version.
INSERT = """\\set n :n + 1
\\set version :n % 8
\\set stream :n / 8 * 64 + :client_id + :first
insert into events (stream, version, payload) values (lpad(to_hex(:stream ::bigint), 32, '0')::uuid, :version, :payload);
"""


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


class Ledger:
    def __init__(self, figures, binaries, directory, peers):
        self.figures, self.binaries, self.values = figures, binaries, {}
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-", dir=directory))
        self.home.chmod(0o755)
        self.c = self.postgresql = None
        if peers:
            self.c = self.home / "ledger-c"
            subprocess.run(["cc", "-O2", "-o", str(self.c), str(HERE / "peers/ledger.c"), "-llmdb", "-lcrypto", "-lpthread"], check=True)
            (self.home / "postgresql").mkdir()
            self.postgresql = PostgreSQL(self.home / "postgresql")
            self.postgresql.ask(TABLE)
            self.first = 0

    def add(self, name, value, unit):
        self.values.setdefault((name, unit), []).append(float(value))

    def ours(self, part):
        status, output = run(str(self.binaries / "ledgerline-bench"), "ledger", part, "--directory", str(self.home), "--seconds", str(SECONDS), timeout=600)
        if status != 0:
            raise SystemExit(f"ledgerline-bench ledger {part} failed with status {status}:\n{output}")
        for line in output.splitlines():
            figure = json.loads(line)
            self.add(figure["name"], figure["value"], figure["unit"])

    def theirs_in_c(self, part):
        place = self.home / "c"
        place.mkdir()
        try:
            done = subprocess.run([str(self.c), str(place), str(SECONDS), str(PARTS[part])], capture_output=True, text=True, timeout=60)
        finally:
            shutil.rmtree(place)
        if done.returncode:
            raise SystemExit(f"the C program failed: {done.stderr}")
        self.appended(f"peer.c.{FIGURE[part]}", *map(float, done.stdout.split()))

    def theirs_in_postgresql(self):
        rate, latencies = self.postgresql.pgbench(
            INSERT, 64, SECONDS, {"n": -1, "first": self.first, "payload": "\\x" + "5a" * 200})
        self.first += 1 << 32
        self.appended("peer.postgresql.ledger.append", rate, percentile(latencies, 0.5), percentile(latencies, 0.99))

    def appended(self, name, rate, p50, p99):
        self.add(name, rate, "events/s")
        self.add(f"{name}_p50", p50, "ms")
        self.add(f"{name}_p99", p99, "ms")

    def measure(self, parts, runs):
        for number in range(runs):
            contenders = [self.theirs_in_postgresql] if self.postgresql else []
            for part in parts:
                pair = [lambda part=part: self.ours(part)]
                if self.c and part in PARTS:
                    pair.append(lambda part=part: self.theirs_in_c(part))
                # Each of a pair goes first in every other round.
                contenders += pair if number % 2 else reversed(pair)
            for contender in contenders:
                # What one has written without a flush would be written while the next one waits for its own.
                os.sync()
                contender()
        for (name, unit), found in self.values.items():
            self.figures.add(name, found, unit)
        if self.c:
            for part in parts:
                if part in PARTS:
                    ours = FIGURE[part]
                    self.ratio(f"ratio.{ours}", ours, "peer.postgresql.ledger.append", "events/s")
                    self.ratio(f"ratio.{ours}_c", ours, f"peer.c.{ours}", "events/s")
                    for share in ("p50", "p99"):
                        self.ratio(f"ratio.{ours}_{share}_c", f"{ours}_{share}", f"peer.c.{ours}_{share}", "ms")

    def ratio(self, name, ours, theirs, unit):
        """Of each round's own pair: what disturbed one has disturbed its neighbour."""
        pairs = zip(self.values[(ours, unit)], self.values[(theirs, unit)])
        self.figures.add(name, [a / b for a, b in pairs], "ours/theirs")

    def close(self):
        if self.postgresql:
            self.postgresql.stop()
        shutil.rmtree(self.home)


def measure(figures, binaries, names, runs, peers, directory):
    """`names` are the group's name or figures of it; a figure that is asked for by name brings its peers with it."""
    named = [name for name in names if name.startswith("ledger.")]
    parts = [*PARTS, "reading"] if "ledger" in names else list(dict.fromkeys(PART_OF[name] for name in named))
    ledger = Ledger(figures, binaries, directory, (peers or bool(named)) and bool(set(parts) & set(PARTS)))
    try:
        ledger.measure(parts, runs)
    finally:
        ledger.close()
