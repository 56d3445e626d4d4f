"""The control group of tools/bench: durable credit reservations beside PostgreSQL's UPDATE of a balance, in turn in the same run."""
import json
import os
import pathlib
import shutil
import tempfile

from platform_under_test import run
from postgresql_peer import PostgreSQL

SECONDS = 2
ACCOUNTS = {"hot": 1, "spread": 10_000}
TABLE = """create table accounts (id int primary key, balance bigint not null, reserved bigint not null default 0);
    insert into accounts select n, 1000000000000 from generate_series(1, 10000) as n"""
# What a prepaid switch does beside its calls: money is set aside if there is enough, and the row says how much is left.
UPDATE = """\\set id random(1, :accounts)
update accounts set reserved = reserved + 6 where id = :id and balance - reserved >= 6;
"""


class Control:
    def __init__(self, figures, binaries, directory, peers):
        self.figures, self.binaries, self.values = figures, binaries, {}
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-", dir=directory))
        self.home.chmod(0o755)
        self.postgresql = None
        if peers:
            (self.home / "postgresql").mkdir()
            self.postgresql = PostgreSQL(self.home / "postgresql")
            self.postgresql.ask(TABLE)

    def add(self, name, value, unit):
        self.values.setdefault((name, unit), []).append(float(value))

    def ours(self):
        status, output = run(str(self.binaries / "ledgerline-bench"), "control", "--directory", str(self.home), "--seconds", str(SECONDS), timeout=600)
        if status != 0:
            raise SystemExit(f"ledgerline-bench control failed with status {status}:\n{output}")
        for line in output.splitlines():
            figure = json.loads(line)
            self.add(figure["name"], figure["value"], figure["unit"])

    def theirs(self):
        for name, accounts in ACCOUNTS.items():
            rate, latencies = self.postgresql.pgbench(UPDATE, 64, SECONDS, {"accounts": accounts})
            peer = f"peer.postgresql.ledger.reserve_{name}"
            self.add(peer, rate, "reservations/s")
            self.add(f"{peer}_p50", latencies[len(latencies) // 2], "ms")
            self.add(f"{peer}_p99", latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))], "ms")

    def measure(self, runs):
        for number in range(runs):
            contenders = [self.ours, self.theirs] if self.postgresql else [self.ours]
            # Each goes first in every other round.
            for contender in contenders if number % 2 else reversed(contenders):
                os.sync()
                contender()
        for (name, unit), found in self.values.items():
            self.figures.add(name, found, unit)
        if self.postgresql:
            for name in ACCOUNTS:
                ours = self.values[(f"ledger.reserve_{name}", "reservations/s")]
                theirs = self.values[(f"peer.postgresql.ledger.reserve_{name}", "reservations/s")]
                self.figures.add(f"ratio.ledger.reserve_{name}", [a / b for a, b in zip(ours, theirs)], "ours/theirs")

    def close(self):
        if self.postgresql:
            self.postgresql.stop()
        shutil.rmtree(self.home)


def measure(figures, binaries, runs, peers, directory):
    control = Control(figures, binaries, directory, peers)
    try:
        control.measure(runs)
    finally:
        control.close()
