"""A PostgreSQL of its own for a benchmark: a new cluster in a directory, durable commits, a Unix socket, gone afterwards."""
import os
import pathlib
import shutil
import subprocess
import time


def bin_directory():
    """Where Debian keeps the programs of its newest PostgreSQL."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if not versions:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return versions[-1].parent


class PostgreSQL:
    def __init__(self, directory):
        """`directory` must exist, and lie on the disk whose durability is to count."""
        self.home, self.bin = pathlib.Path(directory), bin_directory()
        # PostgreSQL refuses to run as root.
        self.prefix = []
        if os.getuid() == 0:
            shutil.chown(self.home, "postgres")
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        self._run([self.bin / "initdb", "-D", self.home / "data", "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C"])
        self.server = subprocess.Popen(
            [*self.prefix, str(self.bin / "postgres"), "-D", str(self.home / "data"), "-k", str(self.home), "-c", "listen_addresses=",
             "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on", "-c", "shared_buffers=256MB",
             "-c", "max_wal_size=4GB", "-c", "max_connections=200"],
            cwd=self.home, stdin=subprocess.DEVNULL, stdout=open(self.home / "log", "wb"), stderr=subprocess.STDOUT)
        for _ in range(200):
            if subprocess.run([self.bin / "pg_isready", "-q", "-h", self.home]).returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise SystemExit((self.home / "log").read_text()[-2000:])
        self.version = self.ask("show server_version").split()[0]

    def _run(self, command):
        done = subprocess.run([*self.prefix, *map(str, command)], cwd=self.home, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command[0]} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, sql):
        return self._run([self.bin / "psql", "-X", "-q", "-At", "-h", self.home, "-U", "bench", "-d", "postgres", "-c", sql])

    def pgbench(self, script, clients, seconds, variables=None, warm=0.2):
        """Transactions per second after the warm-up, and their latencies in milliseconds, shortest first."""
        (self.home / "script.sql").write_text(script)
        for old in self.home.glob("pgbench_log.*"):
            old.unlink()
        self.ask("checkpoint")
        names = [f"-D{name}={value}" for name, value in (variables or {}).items()]
        self._run([self.bin / "pgbench", "-n", "-M", "prepared", "-c", clients, "-j", 2, "-T", int(seconds + warm + 1), "-l",
                   "-f", "script.sql", *names, "-h", self.home, "-U", "bench", "postgres"])
        rows = []
        for file in self.home.glob("pgbench_log.*"):
            for line in file.read_text().splitlines():
                fields = line.split()
                rows.append((int(fields[4]) + int(fields[5]) / 1e6, int(fields[2]) / 1000))
        start = min(end for end, _ in rows) + warm
        latencies = sorted(latency for end, latency in rows if start <= end < start + seconds)
        return len(latencies) / seconds, latencies

    def stop(self):
        # Fast shutdown: what is in flight is broken off.
        self.server.send_signal(2)
        self.server.wait(60)
