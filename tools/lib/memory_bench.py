"""The memory group of tools/bench: one control process over a long log of calls."""
import json
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

from platform_under_test import Process, run

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
    process.wait_for("ready", timeout)
    return process, time.monotonic() - began


def ours(binary, *arguments):
    began = time.monotonic()
    status, output = run(str(binary), *arguments, timeout=3600)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with status {status}:\n{output}")
    return output, time.monotonic() - began


def measure(figures, binaries, events, directory):
    home = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-", dir=directory))
    try:
        binary, data = binaries / "ledgerline", home / "data"
        # The first start makes the keys.
        process, _ = started(binary, data, 60)
        process.stop()
        output, _ = ours(binaries / "ledgerline-bench", "views", "--events", str(events), "--log", str(data / "ledger"), "--directory", str(home))
        for line in output.splitlines():
            figure = json.loads(line)
            figures.add(f"{figure['name']}_long", [figure["value"]], figure["unit"])
        process, seconds = started(binary, data, 3600)
        figures.add("control.start_with_rebuild", [seconds], "s")
        process.stop(120)
        process, seconds = started(binary, data, 3600)
        figures.add("control.start", [seconds], "s")
        time.sleep(5)
        own, mapped = memory(process.pid)
        figures.add("control.memory", [own / 1048576], "MiB")
        figures.add("control.memory_mapped", [mapped / 1048576], "MiB")
        ours(binary, "snapshot", "--data", str(data), "--every", "1000000")
        moments = random.Random(1)
        asked = []
        for _ in range(QUESTIONS):
            _, seconds = ours(binary, "as-of", str(moments.randrange(events // 10, events)), "get", "/v1/trial-balance", "--data", str(data), "--json")
            asked.append(seconds)
        figures.add("ledger.as_of_long", asked, "s")
        process.stop(120)
        figures.add("ledger.bytes_per_event_long", [(data / "ledger/data.mdb").stat().st_size / events], "bytes")
        figures.add("ledger.view_bytes_long", [sum(f.stat().st_size for f in (data / "views").rglob("data.mdb")) / events], "bytes")
    finally:
        shutil.rmtree(home)
