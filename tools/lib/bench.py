#!/usr/bin/env python3
"""Measures Ledgerline, and peers beside it. Run it through tools/bench."""
import argparse
import csv
import hashlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import control_bench
import ledger_bench
import memory_bench
import provision_bench
import relay_bench
import sip_capacity
import xdp_bench
from platform_under_test import Api, Process, cpu_seconds, run

HERE = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"
GROUPS = ("ledger", "backup", "control", "bus", "provision", "views", "as_of", "rating", "rerate", "statistics", "reconcile", "export", "signal", "sip", "rtp", "xdp", "transcode", "conference")
MICRO = ("backup", "bus", "views", "as_of", "rating", "rerate", "statistics", "reconcile", "export", "signal", "sip", "rtp", "transcode", "conference")
DOMAIN = "sip.bench.example"
UAC, UAS = "127.0.0.1:15070", "127.0.0.1:15080"
HOLD_MS, RING_MS = 1000, 30


class Figures:
    def __init__(self):
        self.all = []

    def add(self, name, values, unit):
        values = [float(v) for v in values]
        figure = {"name": name, "value": round(statistics.median(values), 4), "unit": unit,
                  "min": round(min(values), 4), "max": round(max(values), 4), "runs": len(values)}
        self.all.append(figure)
        print(f"{name:<44} {figure['value']:>14,.3f} {unit:<14} ({figure['min']:,.3f} to {figure['max']:,.3f}, {len(values)} runs)", flush=True)


def beyond_thresholds(figures):
    """A line for each figure that is on the wrong side of its threshold; a figure without one is free."""
    thresholds = json.loads((HERE / "thresholds.json").read_text())
    lines = []
    for figure in figures.all:
        limits = thresholds.get(figure["name"], {})
        for word, limit in limits.items():
            if (word == "min" and figure["value"] < limit) or (word == "max" and figure["value"] > limit):
                lines.append(f"{figure['name']} is {figure['value']:,} {figure['unit']}; its {word} is {limit:,}")
    return lines


def micro(figures, binaries, groups, runs):
    """The measurements inside one process: ledgerline-bench prints one JSON line per figure and run."""
    for group in groups:
        values = {}
        for _ in range(runs):
            status, output = run(str(binaries / "ledgerline-bench"), group, timeout=600)
            if status != 0:
                raise SystemExit(f"ledgerline-bench {group} failed with status {status}:\n{output}")
            for line in output.splitlines():
                # What a control plane or a worker within it logs.
                if not line.startswith("{"):
                    print(line, file=sys.stderr)
                    continue
                figure = json.loads(line)
                values.setdefault((figure["name"], figure["unit"]), []).append(figure["value"])
        for (name, unit), found in values.items():
            figures.add(name, found, unit)


class Sipp:
    """Callers and called phones, from the scenarios beside this file."""

    def __init__(self, directory, target, users, hold_ms=HOLD_MS):
        self.directory, self.target, self.hold_ms = pathlib.Path(directory), target, hold_ms
        clock = self.directory / "fineclock.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(clock), str(HERE / "sip/fineclock.c")], check=True)
        self.environment = dict(os.environ, LD_PRELOAD=str(clock))
        lines = ["SEQUENTIAL"]
        for i in range(users):
            j = (i + users // 2) % users
            lines.append(f"u{i:06d};pw{i:06d};u{j:06d};[authentication username=u{i:06d} password=pw{i:06d}]")
        (self.directory / "users.csv").write_text("\n".join(lines) + "\n")
        for name in ("register", "uac-call", "uas-call"):
            text = (HERE / f"sip/{name}.xml").read_text()
            (self.directory / f"{name}.xml").write_text(
                text.replace("@AUTH_CODE@", "407").replace("@HOLD_MS@", str(hold_ms)).replace("@RING_MS@", str(RING_MS)))

    def _command(self, *arguments):
        return ["sipp", "-nostdin", "-buff_size", "4194304", "-timer_resol", "1", "-recv_timeout", str(self.hold_ms + 9000), "-t", "u1", *arguments]

    def load(self, kind, rate, seconds, pids, extra=()):
        """One run at `rate` per second; figures of it. CPU is user and system time of `pids` per success."""
        uas = None
        if kind == "call":
            uas = subprocess.Popen(self._command("-sf", "uas-call.xml", "-i", UAS.split(":")[0], "-p", UAS.split(":")[1]),
                                   cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.5)
        scenario = "uac-call" if kind == "call" else "register"
        for old in self.directory.glob(f"{scenario}_*_rtt.csv"):
            old.unlink()
        total = rate * seconds
        before, before_extra, start = sum(map(cpu_seconds, pids)), sum(map(cpu_seconds, extra)), time.monotonic()
        try:
            subprocess.run(self._command(self.target, "-sf", f"{scenario}.xml", "-inf", "users.csv", "-i", UAC.split(":")[0], "-p", UAC.split(":")[1],
                                         "-key", "dom", DOMAIN, "-key", "contact", UAS, "-r", str(rate), "-rp", "1000", "-m", str(total),
                                         "-l", str(rate * 12 + 200), "-trace_stat", "-fd", "1", "-stf", "stat.csv", "-trace_rtt", "-rtt_freq", "1"),
                           cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=seconds * 4 + 60 + self.hold_ms / 1000)
        finally:
            if uas:
                uas.kill()
                uas.wait()
        wall = time.monotonic() - start
        cpu, cpu_extra = sum(map(cpu_seconds, pids)) - before, sum(map(cpu_seconds, extra)) - before_extra
        with open(self.directory / "stat.csv") as table:
            last = list(csv.DictReader(table, delimiter=";"))[-1]
        ok, failed = int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])
        delays = []
        for file in self.directory.glob(f"{scenario}_*_rtt.csv"):
            for row in csv.reader(open(file), delimiter=";"):
                if len(row) > 2 and row[2].strip() == ("2" if kind == "call" else "1"):
                    delays.append(float(row[1]))
        delays.sort()
        span = wall - (self.hold_ms + RING_MS) / 1000 if kind == "call" else wall
        return {"ok": ok, "failed": failed, "cpu_us": cpu * 1e6 / max(1, ok), "extra_us": cpu_extra * 1e6 / max(1, ok),
                "rate": min(rate, total / span), "p50": delays[len(delays) // 2] if delays else 0,
                "p99": delays[min(len(delays) - 1, len(delays) * 99 // 100)] if delays else 0}


class Ours:
    """The whole platform in one process (`ledgerline serve`), with `users` subscribers provisioned over HTTP. Media of their calls go
    from phone to phone, as they do with a proxy, until `anchor` says otherwise."""

    NAMES = ("serve",)
    PORT = 0

    def __init__(self, binaries, directory, users):
        self.directory, self.processes = pathlib.Path(directory), []
        self.binary = str(binaries / "ledgerline")
        self.http, self.desk, self.feed, self.sip = (f"127.0.0.1:{port + self.PORT}" for port in (18080, 17401, 17402, 15060))
        self.target = self.sip
        try:
            self.provision(self.launch(), users)
        except BaseException:
            self.stop()
            raise

    def start(self, name, *arguments):
        process = Process(name, [self.binary, *arguments], self.directory / f"{name}.log")
        self.processes.append(process)
        return process

    def control(self, name, *arguments):
        """Starts the process that the control plane is in; its interface, when two workers are there."""
        process = self.start(name, *arguments, "--http", self.http, "--desk", self.desk, "--feed", self.feed)
        self.token = process.wait_for(r"admin token[^\n]*?(llt_\S+)").group(1)
        process.wait_for("ready: HTTP")
        return Api(f"http://{self.http}", self.token)

    def launch(self):
        return self.control("serve", "serve", "--data", str(self.directory / "serve"), "--address", "127.0.0.1", "--sip-port", self.sip.split(":")[1], "--ports", "40000-49999")

    def provision(self, api, users):
        api.wait_until("/v1/workers", lambda a: sum(w["state"] == "alive" for w in a["items"]) == 2, "two workers alive")
        provider = api.post("/v1/providers", {"name": "Bench", "namespace": "bench.example", "currency": "EUR", "time_zone": "UTC"})["id"]
        contact = api.post("/v1/contacts", {"provider_id": provider, "name": "Bench"})["id"]
        plan = api.post("/v1/service-plans", {"provider_id": provider, "name": "Bench", "payment_mode": "postpaid"})["id"]
        customer = api.post("/v1/customers", {"provider_id": provider, "contact_id": contact, "service_plan_id": plan, "name": "Bench", "currency": "EUR"})["id"]
        tenant = api.post("/v1/tenants", {"customer_id": customer, "name": "Bench", "domain": DOMAIN, "country_code": "1", "area_code": "209", "media": "direct"})["id"]
        for i in range(users):
            api.post("/v1/subscribers", {"tenant_id": tenant, "username": f"u{i:06d}", "password": f"pw{i:06d}"})
        self.api, self.tenant = api, tenant

    def anchor(self, anchored):
        """Whether media of the calls to come go by the media process."""
        self.api.request("PATCH", f"/v1/tenants/{self.tenant}", {"media": "anchored" if anchored else "direct"})

    @property
    def pids(self):
        return [p.pid for p in self.processes]

    def memory_bytes(self, name):
        process = next(p for p in self.processes if p.name == name)
        for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise SystemExit(f"no VmRSS of {name}")

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


class OursApart(Ours):
    """control, one signal and one media process, as they are where workers are added: they talk by TCP."""

    NAMES = ("control", "signal", "media")
    PORT = 40

    def launch(self):
        api = self.control("control", "control", "--data", str(self.directory / "control"))
        for name, kind in (("s1", "signal"), ("m1", "media")):
            status, output = run(self.binary, "worker", "enroll", name, "--kind", kind, "--out", str(self.directory / f"{name}.key"), "--url", f"http://{self.http}", "--token", self.token)
            if status:
                raise SystemExit(output)
        self.start("signal", "signal", "--key", str(self.directory / "s1.key"), "--listen", self.sip, "--bus", "127.0.0.1:17511", "--state", str(self.directory / "s1"))
        self.start("media", "media", "--key", str(self.directory / "m1.key"), "--address", "127.0.0.1", "--ports", "30000-39999", "--bus", "127.0.0.1:17521")
        return api


class KamailioWithPostgres:
    """The peer: Kamailio with one durable CDR per call in PostgreSQL."""

    def __init__(self, directory, users):
        self.directory = pathlib.Path(directory)
        os.chmod(self.directory, 0o755)
        self.target = "127.0.0.1:15160"
        bin_directory = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip()
        if not bin_directory:
            versions = sorted(pathlib.Path("/usr/lib/postgresql").iterdir())
            bin_directory = str(versions[-1] / "bin")
        database = self.directory / "postgres"
        database.mkdir()
        shutil.chown(database, "postgres")
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        subprocess.run([*as_postgres, f"{bin_directory}/initdb", "-D", str(database / "data"), "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C"],
                       check=True, stdout=subprocess.DEVNULL, cwd=database)
        self.postgres = subprocess.Popen([*as_postgres, f"{bin_directory}/postgres", "-D", str(database / "data"), "-p", "15544", "-k", str(database),
                                          "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "shared_buffers=256MB",
                                          "-c", "max_wal_size=4GB", "-c", "max_connections=200"], cwd=database, stdout=open(database / "log", "wb"), stderr=subprocess.STDOUT)
        self.kamailio = None
        try:
            self._prepare(bin_directory, users)
            self.kamailio = self._start(self.directory, self.target)
        except BaseException:
            self.stop()
            raise

    def _prepare(self, bin_directory, users):
        """A database that answers, and the subscribers."""
        for _ in range(100):
            if subprocess.run([f"{bin_directory}/pg_isready", "-q", "-h", "127.0.0.1", "-p", "15544"]).returncode == 0:
                break
            time.sleep(0.1)
        psql = ["env", "PGOPTIONS=-c client_min_messages=warning", "psql", "-q", "-h", "127.0.0.1", "-p", "15544", "-U", "bench"]
        subprocess.run([*psql, "-d", "postgres", "-c", "create database bench"], check=True)
        subprocess.run([*psql, "-d", "bench", "-f", str(HERE / "peers/schema.sql")], check=True)
        store = self.directory / "dbtext"
        store.mkdir()
        rows = [f"u{i:06d}:0:0:{hashlib.md5(f'u{i:06d}:{DOMAIN}:pw{i:06d}'.encode()).hexdigest()}:0" for i in range(users)]
        (store / "creds").write_text("key_name(str) key_type(int) value_type(int) key_value(str) expires(int)\n" + "\n".join(rows) + "\n")
        (store / "version").write_text("table_name(str) table_version(int)\ncreds:2\n")
        self.store = store

    def _start(self, directory, target, *more):
        process = subprocess.Popen(["kamailio", "-DD", "-E", "-f", str(HERE / "peers/kamailio.cfg"), "-m", "1024", "-M", "16", "-b", "4194304", "-Y", str(directory),
                                    "-A", f"LISTEN=udp:{target}", "-A", "CHILDREN=8", "-A", f'DOMAIN="{DOMAIN}"', "-A", f'STORE="text://{self.store}"',
                                    "-A", "WITH_CDR", "-A", 'DBURL="postgres://bench@127.0.0.1:15544/bench"', *more],
                                   stdin=subprocess.DEVNULL, stdout=open(directory / "kamailio.log", "wb"), stderr=subprocess.STDOUT)
        time.sleep(2)
        if process.poll() is not None:
            raise SystemExit((directory / "kamailio.log").read_text()[-2000:])
        return process

    @staticmethod
    def _tree(pid):
        found = [pid]
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                    found += KamailioWithPostgres._tree(int(stat.parent.name))
            except (OSError, ValueError):
                continue
        return found

    @property
    def pids(self):
        return self._tree(self.kamailio.pid)

    @property
    def database_pids(self):
        return self._tree(self.postgres.pid)

    def stop(self):
        for process in filter(None, (self.kamailio, self.postgres)):
            process.terminate()
            process.wait(20)


class KamailioWithRtpengine:
    """The same proxy and the same database, with media by way of rtpengine in user space."""

    def __init__(self, proxy, directory):
        self.proxy, self.target, control = proxy, "127.0.0.1:15260", "127.0.0.1:15223"
        directory = pathlib.Path(directory)
        self.rtpengine = subprocess.Popen(["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--interface=127.0.0.1", f"--listen-ng={control}",
                                           "--port-min=50000", "--port-max=59999", "--timeout=36000", "--silent-timeout=36000", "--config-file=none"],
                                          stdin=subprocess.DEVNULL, stdout=open(directory / "rtpengine.log", "wb"), stderr=subprocess.STDOUT)
        time.sleep(1)
        if self.rtpengine.poll() is not None:
            raise SystemExit((directory / "rtpengine.log").read_text()[-2000:])
        self.kamailio = proxy._start(directory, self.target, "-A", "WITH_RTPENGINE", "-A", f'RTPENGINE="udp:{control}"')

    @property
    def pids(self):
        return self.proxy._tree(self.kamailio.pid) + self.proxy._tree(self.rtpengine.pid)

    @property
    def database_pids(self):
        return self.proxy.database_pids

    def stop(self):
        for process in (self.kamailio, self.rtpengine):
            process.terminate()
            process.wait(20)


class Floor:
    """A program in C that receives and sends what a call receives and sends, makes a record durable, and does nothing else."""

    def __init__(self, directory):
        self.journal, self.program = directory / "journal", directory / "sip"
        subprocess.run(["cc", "-O2", "-o", str(self.program), str(HERE / "peers/sip.c")], check=True)

    def call_cpu(self, rate, seconds):
        status, output = run(str(self.program), str(self.journal), str(rate), str(seconds), timeout=60)
        if status != 0:
            raise SystemExit(f"peers/sip.c failed with status {status}: {output}")
        return float(output)


def systems(figures, binaries, runs, peers):
    """CPU per call and per registration of all that is ours, in one process and in three, alternating with the peer's: a proxy for calls
    whose media are direct, and one with a media relay for those that are anchored."""
    users, call_rate, busy_rate, register_rate, seconds = 200, 200, 1000, 1000, 5
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-"))
    directory.chmod(0o755)  # PostgreSQL runs as a user of its own
    ours, apart = Ours(binaries, directory, users), OursApart(binaries, directory, users)
    theirs = relayed = None
    try:
        for name in ("ours", "apart"):
            (directory / name).mkdir()
        us = ("", Sipp(directory / "ours", ours.target, users), lambda: (ours.pids, []))
        us_apart = ("apart.", Sipp(directory / "apart", apart.target, users), lambda: (apart.pids, []))
        contenders, anchored, ramped = [us, us_apart], [us, us_apart], [us]
        if peers:
            (directory / "kamailio").mkdir()
            theirs = KamailioWithPostgres(directory / "kamailio", users)
            (directory / "theirs").mkdir()
            them = ("peer.kamailio.", Sipp(directory / "theirs", theirs.target, users), lambda: (theirs.pids, theirs.database_pids))
            contenders.append(them)
            ramped.append(them)
            (directory / "rtpengine").mkdir()
            relayed = KamailioWithRtpengine(theirs, directory / "rtpengine")
            (directory / "relayed").mkdir()
            (directory / "floor").mkdir()
            floor = Floor(directory / "floor")
            anchored.append(("peer.kamailio_rtpengine.", Sipp(directory / "relayed", relayed.target, users), lambda: (relayed.pids, relayed.database_pids)))
        results, least = {}, {}
        for prefix, load, pids in [*contenders, *anchored[2:]]:
            first = load.load("register", users, 2, pids()[0])
            if first["failed"] or not first["ok"]:
                raise SystemExit(f"{prefix or 'ours'}: the first registrations failed: {first}")
        for _ in range(runs):
            for name, kind, rate, who in (
                ("register", "register", register_rate, contenders),
                ("call", "call", call_rate, contenders),
                ("busy_call", "call", busy_rate, contenders),
                ("anchored_call", "call", call_rate, anchored),
            ):
                for platform in (ours, apart):
                    platform.anchor(name == "anchored_call")
                if peers and who is contenders and kind == "call":
                    least.setdefault(name, []).append(floor.call_cpu(rate, seconds))
                for prefix, load, pids in who:
                    result = load.load(kind, rate, seconds, *pids())
                    if result["failed"] > result["ok"] * 0.001:
                        print(f"note: {prefix or 'ours'} {name}: {result['failed']} of {result['ok'] + result['failed']} failed", file=sys.stderr)
                    results.setdefault((prefix, name), []).append(result)
        for (prefix, name), found in results.items():
            figures.add(f"{prefix}sip.{name}_cpu", [r["cpu_us"] + r["extra_us"] for r in found], "µs")
            delay = {"register": "register_delay", "call": "post_dial_delay", "busy_call": "busy_post_dial_delay", "anchored_call": "anchored_post_dial_delay"}[name]
            figures.add(f"{prefix}sip.{delay}_p50", [r["p50"] for r in found], "ms")
            figures.add(f"{prefix}sip.{delay}_p99", [r["p99"] for r in found], "ms")
            figures.add(f"{prefix}sip.{name}_failed", [r["failed"] for r in found], "count")
        for name, found in least.items():
            figures.add(f"peer.c.sip.{name}_cpu", found, "µs")
        if peers:
            for name, prefix in (("call", "peer.kamailio."), ("busy_call", "peer.kamailio."), ("register", "peer.kamailio."), ("anchored_call", "peer.kamailio_rtpengine.")):
                pairs = zip(results[("", name)], results[(prefix, name)])
                figures.add(f"ratio.sip.{name}_cpu", [(a["cpu_us"] + a["extra_us"]) / (b["cpu_us"] + b["extra_us"]) for a, b in pairs], "ours/theirs")
        sip_capacity.call_rate(figures, ramped, min(runs, 3))
        for platform in (ours, apart):
            for name in platform.NAMES:
                figures.add(f"sip.memory.{name}", [platform.memory_bytes(name) / 1048576], "MiB")
    finally:
        ours.stop()
        apart.stop()
        if relayed:
            relayed.stop()
        if theirs:
            theirs.stop()
        shutil.rmtree(directory)


def memory_of_phones_and_calls(figures, binaries):
    """Of a platform of its own, whose phones and calls are counted from nothing."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-"))
    ours = Ours(binaries, directory, sip_capacity.PHONES)
    try:
        for name in ("phones", "calls"):
            (directory / name).mkdir()
        phones = Sipp(directory / "phones", ours.target, sip_capacity.PHONES)
        calls = Sipp(directory / "calls", ours.target, 200, hold_ms=sip_capacity.HOLD_SECONDS * 1000)
        sip_capacity.memory(figures, ours, phones, calls)
    finally:
        ours.stop()
        shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--binaries", required=True, type=pathlib.Path)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--directory", default="/var/tmp", help="where logs and databases are put while they are measured")
    parser.add_argument("--events", type=int, default=50_000_000, help="of the log that the memory group makes")
    parser.add_argument("--check", action="store_true", help="status 1 when a figure is beyond its threshold in thresholds.json")
    options = parser.parse_args()
    # As by Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    groups = options.groups or GROUPS
    figures = Figures()
    if any(name.split(".")[0] == "ledger" for name in groups):
        ledger_bench.measure(figures, options.binaries, groups, options.runs, options.peers, options.directory)
    if "control" in groups:
        control_bench.measure(figures, options.binaries, options.runs, options.peers, options.directory)
    if "provision" in groups:
        provision_bench.measure(figures, options.binaries, options.directory)
    if "memory" in groups:
        memory_bench.measure(figures, options.binaries, options.events, options.directory)
    micro(figures, options.binaries, [name for name in groups if name in MICRO], options.runs)
    relay_bench.measure(figures, options.binaries, groups, options.runs, options.peers)
    if "sip" in groups:
        systems(figures, options.binaries, options.runs, options.peers)
        memory_of_phones_and_calls(figures, options.binaries)
    if "xdp" in groups:
        xdp_bench.measure(figures, options.binaries, options.runs, options.peers)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"figures": figures.all}, indent=2) + "\n")
    if options.check:
        beyond = beyond_thresholds(figures)
        for line in beyond:
            print(line)
        if beyond:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
