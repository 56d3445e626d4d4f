"""The memory group of tools/bench: one control process over a long log of calls."""
import json
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time

from platform_under_test import Process

QUESTIONS = 7


def memory(pid):
    """Bytes that are the process's own, and pages of mapped files that it has touched, which the system may take back at any time."""
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024, int(fields["RssFile"].split()[0]) * 1024


def started(binary, data, timeout):
    arguments = [str(binary), "control", "--data", str(data), "--http", "127.0.0.1:0", "--desk", "127.0.0.1:0", "--feed", "127.0.0.1:0"]
    log = data.parent / "control.log"
    log.unlink(missing_ok=True)
    began = time.monotonic()
    process = Process("control", arguments, log)
    watch = Watch(process.pid)
    process.wait_for("ready", timeout)
    return process, time.monotonic() - began, watch.stop()


class Watch:
    """The most memory of its own that a process had, looked at ten times a second until it ends or `stop`."""

    def __init__(self, pid):
        self.pid, self.peak, self._end = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        while not self._end.wait(0.1):
            try:
                self.peak = max(self.peak, memory(self.pid)[0])
            except (OSError, KeyError):
                return

    def stop(self):
        self._end.set()
        self._thread.join()
        return self.peak / 1048576


def ours(binary, *arguments):
    """Runs a command to its end: what it printed, how long it took, the most MiB of its own."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([str(binary), *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        watch = Watch(process.pid)
        status = process.wait(7200)
        out.seek(0)
        output = out.read().decode(errors="replace")
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with status {status}:\n{output}")
    return output, time.monotonic() - began, watch.stop()


def measure(figures, binaries, events, directory):
    home = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-", dir=directory))
    try:
        binary, data = binaries / "ledgerline", home / "data"
        # The first start makes the keys.
        process, _, _ = started(binary, data, 60)
        process.stop()
        output, _, _ = ours(binaries / "ledgerline-bench", "views", "--events", str(events), "--data", str(data), "--log-alone", "--directory", str(home))
        for line in output.splitlines():
            figure = json.loads(line)
            figures.add(figure["name"], [figure["value"]], figure["unit"])
        # The log is the platform's, so the views of the first start have to take all of it in.
        process, seconds, peak = started(binary, data, 7200)
        figures.add("control.start_with_rebuild", [seconds], "s")
        figures.add("control.memory_rebuilding", [peak], "MiB")
        process.stop(120)
        process, seconds, _ = started(binary, data, 3600)
        figures.add("control.start", [seconds], "s")
        time.sleep(5)
        own, mapped = memory(process.pid)
        figures.add("control.memory", [own / 1048576], "MiB")
        figures.add("control.memory_mapped", [mapped / 1048576], "MiB")
        _, seconds, peak = ours(binary, "snapshot", "--data", str(data), "--every", "1000000")
        figures.add("ledger.snapshots_long", [seconds], "s")
        moments = random.Random(1)
        asked, peaks = [], []
        for _ in range(QUESTIONS):
            moment = str(moments.randrange(events // 10, events))
            _, seconds, peak = ours(binary, "as-of", moment, "get", "/v1/trial-balance", "--data", str(data), "--json")
            asked.append(seconds)
            peaks.append(peak)
        figures.add("ledger.as_of_long", asked, "s")
        figures.add("ledger.as_of_memory", peaks, "MiB")
        _, seconds, peak = ours(binary, "log", "verify", "--data", str(data))
        figures.add("ledger.verify_long", [events / seconds], "events/s")
        figures.add("ledger.verify_memory", [peak], "MiB")
        process.stop(120)
        figures.add("ledger.bytes_per_event_long", [(data / "ledger/data.mdb").stat().st_size / events], "bytes")
        figures.add("ledger.view_bytes_long", [sum(f.stat().st_size for f in (data / "views").rglob("data.mdb")) / events], "bytes")
    finally:
        shutil.rmtree(home)
