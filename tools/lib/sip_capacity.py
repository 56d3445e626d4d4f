"""How many calls a second are carried, and what memory a registered phone and a call take."""
import pathlib
import threading
import time

from wire import Wire, added_delays

STEP = 1.25
FIRST_RATE, LAST_RATE, SECONDS = 200, 4000, 5
# Until the calls that were too many are over: SIPp gives up after 10 s, but a server repeats what nobody acknowledges for 64 * T1, 32 s
# (RFC 3261), and that is no part of a load of half the rate.
RECOVERED_SECONDS = 45
PHONES, CALLS, CALLS_PER_SECOND, HOLD_SECONDS = 10_000, 1_000, 100, 90
# Transactions are kept for 32 s (RFC 3261, 64 * T1), answers of the control plane for 60, and the allocator gives back what is free
# within some ten.
SETTLED_SECONDS = 75


def is_sustained(result, rate):
    """All but one in a thousand succeed, as fast as they were asked for."""
    return result["failed"] <= 0.001 * (result["ok"] + result["failed"]) and result["rate"] >= 0.95 * rate


def sustained_rate(load, pids):
    """The highest rate that is sustained, in steps of a quarter."""
    best, rate = None, FIRST_RATE
    while rate <= LAST_RATE:
        result = load.load("call", int(rate), SECONDS, *pids)
        if not is_sustained(result, int(rate)):
            break
        best, rate = int(rate), rate * STEP
    if best is None:
        raise SystemExit(f"not even {FIRST_RATE} calls/s were sustained: {result}")
    return best


def load_and_added(load, rate, pids):
    """A run at `rate`, and how long each of its calls was in the hands of the system (`wire.added_delays`), sorted."""
    wire = Wire(int(load.target.rsplit(":", 1)[1]))
    wire.start()
    result = load.load("call", rate, SECONDS, *pids)
    wire.stop()
    added = sorted(added_delays(wire.datagrams, wire.port))
    if wire.lost or len(added) < 0.99 * result["ok"]:
        raise SystemExit(f"the wire showed {len(added)} of {result['ok']} calls, {wire.lost} packets were missed")
    return result, added


def call_rate(figures, contenders, runs):
    """`contenders`: prefix, load and pids of each, ours first."""
    found = {prefix: [] for prefix, _, _ in contenders}
    for _ in range(runs):
        for prefix, load, pids in contenders:
            rate = sustained_rate(load, pids())
            time.sleep(RECOVERED_SECONDS)
            half, added = load_and_added(load, rate // 2, pids())
            found[prefix].append((rate, half["p50"], half["p99"], added[len(added) // 2] * 1e3, added[len(added) * 99 // 100] * 1e3))
    for prefix, values in found.items():
        figures.add(f"{prefix}sip.call_rate", [v[0] for v in values], "calls/s")
        figures.add(f"{prefix}sip.post_dial_delay_half_rate_p50", [v[1] for v in values], "ms")
        figures.add(f"{prefix}sip.post_dial_delay_half_rate_p99", [v[2] for v in values], "ms")
        figures.add(f"{prefix}sip.added_delay_half_rate_p50", [v[3] for v in values], "ms")
        figures.add(f"{prefix}sip.added_delay_half_rate_p99", [v[4] for v in values], "ms")
    for prefix in list(found)[1:]:
        figures.add("ratio.sip.call_rate", [a[0] / b[0] for a, b in zip(found[""], found[prefix])], "ours/theirs")


def own_bytes(pid):
    """Memory of a process itself, without the pages of files that it looks at."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no RssAnon of {pid}")


def memory(figures, ours, phones, calls):
    """`phones` registers as many as there are lines; `calls` makes calls that are held."""
    def all_bytes():
        return sum(map(own_bytes, ours.pids))

    # Each line once by way of others, so that what is kept of a line that calls at all is there before.
    warm = phones.load("register", 500, 2, ours.pids)
    time.sleep(SETTLED_SECONDS)
    before = all_bytes()
    done = phones.load("register", PHONES // 20, 20, ours.pids)
    time.sleep(SETTLED_SECONDS)
    registered = done["ok"] - warm["ok"]
    if done["failed"] or warm["failed"]:
        raise SystemExit(f"registrations failed: {warm} {done}")
    figures.add("sip.memory_per_phone", [(all_bytes() - before) / registered / 1024], "KiB")

    before, samples = all_bytes(), []
    runner = threading.Thread(target=lambda: samples.append(calls.load("call", CALLS_PER_SECOND, CALLS // CALLS_PER_SECOND, ours.pids)))
    runner.start()
    time.sleep(CALLS / CALLS_PER_SECOND + 1)
    fresh = all_bytes()
    time.sleep(SETTLED_SECONDS - 2)
    settled = all_bytes()
    runner.join()
    if samples[0]["failed"]:
        raise SystemExit(f"calls failed: {samples[0]}")
    figures.add("sip.memory_per_new_call", [(fresh - before) / CALLS / 1024], "KiB")
    figures.add("sip.memory_per_call", [(settled - before) / CALLS / 1024], "KiB")
