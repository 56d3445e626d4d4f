"""Media relayed by a whole media worker and, with peers, by rtpengine in user space: the same calls, the same load, in turn."""
import base64
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import rtpengine
from sip_capacity import own_bytes
from rtpengine import description_of

HERE = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"
KINDS = ("rtp", "srtp_rtp", "srtp")
CALLS, SECONDS, WARM_UP = 400, 10, 2
# Of a call carried well: what is lost, and how long the relay keeps a packet.
LOSS_PERCENT_MAX, P99_US_MAX = 0.05, 20_000


def fail(text):
    raise SystemExit(text)


class Load:
    """tools/benchmarks/rtp/load.c, and the sequence numbers that it has used."""

    def __init__(self, directory):
        self.binary = pathlib.Path(directory) / "rtpload"
        subprocess.run(["cc", "-O2", "-o", str(self.binary), str(HERE / "rtp/load.c"), "-lcrypto"], check=True)

    def run(self, relay, calls, seconds, warm_up=WARM_UP):
        done = subprocess.run([str(self.binary), str(relay.legs), str(calls), str(seconds), str(warm_up), str(relay.next), str(relay.pid)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds + warm_up + 60)
        if done.returncode:
            fail(f"the load failed: {done.stderr.decode()}")
        result = json.loads(done.stdout)
        # The numbers of a call go on from run to run, as SRTP wants it; behind a gap, which a receiver takes for a pause.
        relay.next = result["next"] + 100
        if relay.next > 60_000:
            fail("too many runs over one relay: sequence numbers would begin anew")
        return result


class Ours:
    name, prefix = "ledgerline", ""

    def __init__(self, binaries, directory, kind, calls, codecs=None):
        self.legs, self.next = pathlib.Path(directory) / f"ours-{kind}.txt", 1
        command = [str(binaries / "ledgerline-bench"), "media-worker", "--calls", str(calls), "--kind", kind, "--legs", str(self.legs)]
        if codecs:
            command += ["--codecs", ",".join(codecs)]
        self.process = subprocess.Popen(command,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(pathlib.Path(directory) / "ours.log", "ab"))
        if self.process.stdout.readline() != b"ready\n":
            fail((pathlib.Path(directory) / "ours.log").read_text())
        self.pid = self.process.pid

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Payload type, step of the timestamp and rtpmap of what a side speaks.
CODECS = {"PCMU": (0, 160, "PCMU/8000"), "PCMA": (8, 160, "PCMA/8000"), "G722": (9, 160, "G722/8000"), "G726-32": (97, 160, "G726-32/8000"), "GSM": (3, 160, "GSM/8000"),
          "G729": (18, 160, "G729/8000"), "speex": (97, 160, "speex/8000"), "opus": (97, 960, "opus/48000/2")}


class Rtpengine:
    """In user space, with calls of one kind."""
    name, prefix = "rtpengine", "peer.rtpengine."

    def __init__(self, directory, kind, calls, codecs=None, speech=None):
        """`speech`: the beginning of the names of files with what each codec says."""
        directory = pathlib.Path(directory)
        self.legs, self.next = directory / f"rtpengine-{kind}.txt", 1
        self.server = rtpengine.Rtpengine(directory / "rtpengine.log", socket.socket(socket.AF_INET, socket.SOCK_DGRAM), free_port(),
                                          ["--interface=127.0.0.1", "--port-min=50000", "--port-max=65000"])
        self.pid = self.server.pid
        try:
            with open(self.legs, "w") as legs:
                for call in range(calls):
                    legs.write(self._open(call, kind, codecs, speech))
        except BaseException:
            self.stop()
            raise

    def _open(self, call, kind, codecs, speech):
        names = {"call-id": f"bench{call}", "from-tag": f"a{call}", "ICE": "remove", "replace": ["origin"]}
        offer = dict(names)
        spoken = [("PCMA", "-"), ("PCMA", "-")]
        if codecs:
            spoken = [(codec, f"{speech}.{codec}") for codec in codecs]
            offer["codec"] = {"mask": [CODECS[codecs[0]][2]], "transcode": [CODECS[codecs[1]][2]]}
        a = Phone(10_000 + call % 8, "AES_CM_128_HMAC_SHA1_80" if kind != "rtp" else None, *spoken[0])
        # The same suite on both sides would be passed on without being decrypted.
        b = Phone(20_000 + call % 8, "AES_CM_128_HMAC_SHA1_32" if kind == "srtp" else None, *spoken[1])
        to_b = description_of(self.server.ask({"command": "offer", "sdp": a.description(), "transport-protocol": b.profile, **offer}))
        b.take(to_b)
        answer = {"command": "answer", "to-tag": f"b{call}", "sdp": b.description(), "transport-protocol": a.profile, **names}
        a.take(description_of(self.server.ask(answer)))
        if b.suite and b.receiving == a.sending:
            fail("rtpengine passes SRTP on without decrypting it")
        return a.line() + b.line()

    def stop(self):
        self.server.stop()


class Phone:
    """One side of a call, as its SDP has it."""

    def __init__(self, port, suite, codec="PCMA", speech="-"):
        self.port, self.suite = port, suite
        self.type, self.step, self.map = CODECS[codec]
        self.speech = speech
        self.profile = "RTP/SAVP" if suite else "RTP/AVP"
        self.sending = os.urandom(30) if suite else None
        self.receiving, self.tag = None, "1"

    def description(self):
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", f"m=audio {self.port} {self.profile} {self.type}", f"a=rtpmap:{self.type} {self.map}", "a=ptime:20"]
        if self.suite:
            lines.append(f"a=crypto:{self.tag} {self.suite} inline:{self._base64(self.sending)}")
        return "".join(line + "\r\n" for line in lines)

    @staticmethod
    def _base64(key):
        return base64.b64encode(key).decode()

    def take(self, description):
        port, types = re.search(r"^m=audio (\d+) \S+ (.*)", description, re.M).groups()
        self.relay = int(port)
        # What is offered, or was agreed on, is what this side speaks, under the number that it is offered.
        self.type = types.split()[0]
        if f"a=rtpmap:{self.type} {self.map}".lower() not in description.lower():
            fail(f"{self.map} was not agreed on: {description}")
        if self.suite:
            tag, key = re.search(rf"^a=crypto:(\d+) {self.suite} inline:([^\s|]+)", description, re.M).groups()
            self.tag, self.receiving = tag, base64.b64decode(key)

    def line(self):
        keys = f"{self.sending.hex()} {self.receiving.hex()} {4 if self.suite.endswith('32') else 10}" if self.suite else "- - 0"
        return f"{self.port} {self.relay} {keys} {self.type} {self.step} {self.speech}\n"


def describe(relay, kind, result):
    return (f"  {relay.name:<10} {kind:<8} {result['calls']:>5} calls  {result['cpu_us']:6.2f} µs a packet  {result['cores']:4.2f} cores  lost {result['loss_percent']:.4f} %  "
            f"delay p50 {result['p50_us']} p99 {result['p99_us']} p99.9 {result['p999_us']} µs  (load: {result['of_plan']:.3f} of plan, {result['load_cores']:.2f} cores, late {result['late_max_us']} µs)")


def check(relay, kind, result, faults=("strays", "forged", "repeated", "not_sent")):
    """A run that measured something else than relayed packets is no figure."""
    wrong = {name: result[name] for name in faults if result[name]}
    if wrong or result["heard"] == 0:
        fail(f"{relay.name} {kind}: {wrong or 'nothing came through'}")


def relays(binaries, directory, kind, calls, peers):
    found = [Ours(binaries, directory, kind, calls)]
    if peers:
        try:
            found.append(Rtpengine(directory, kind, calls))
        except BaseException:
            found[0].stop()
            raise
    return found


def measure_cpu(figures, binaries, directory, load, runs, peers, kinds, calls=CALLS):
    for kind in kinds:
        contenders = relays(binaries, directory, kind, calls, peers)
        try:
            results = {relay.prefix: [] for relay in contenders}
            for round in range(runs):
                # Whoever was first in one round is last in the next.
                for relay in contenders if round % 2 == 0 else reversed(contenders):
                    result = load.run(relay, calls, SECONDS, WARM_UP)
                    check(relay, kind, result)
                    print(describe(relay, kind, result), flush=True)
                    results[relay.prefix].append(result)
        finally:
            for relay in contenders:
                relay.stop()
        for prefix, found in results.items():
            for name, key, unit in (("cpu", "cpu_us", "µs"), ("loss", "loss_percent", "%"), ("delay_p50", "p50_us", "µs"), ("delay_p99", "p99_us", "µs")):
                figures.add(f"{prefix}{kind}.packet_{name}", [r[key] for r in found], unit)
        if peers:
            pairs = zip(results[""], results[Rtpengine.prefix])
            figures.add(f"ratio.{kind}.packet_cpu", [a["cpu_us"] / b["cpu_us"] for a, b in pairs], "ours/theirs")


def carried(load, relay, kind, most):
    """The largest number of calls, to within a twentieth, that are carried well; each number is tried three times if need be, and counts when two hold."""
    def holds(calls):
        good = 0
        for attempt in range(3):
            result = load.run(relay, calls, 4, 1)
            fits = result["loss_percent"] < LOSS_PERCENT_MAX and result["p99_us"] <= P99_US_MAX and result["of_plan"] > 0.99
            print(describe(relay, kind, result) + ("" if fits else "  too many"), flush=True)
            good += fits
            if good == 2 or attempt - good == 1:
                break
        return good == 2

    low, high = 0, most
    while high - low > max(25, low // 20):
        middle = (low + high) // 2 // 25 * 25 if low else min(most, 800)
        if middle in (low, high) and low:
            break
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def measure_calls(figures, binaries, directory, load, peers, most=3_000):
    found = {}
    for relay_type in (Ours, Rtpengine) if peers else (Ours,):
        relay = Ours(binaries, directory, "rtp", most) if relay_type is Ours else Rtpengine(directory, "rtp", most)
        try:
            found[relay.prefix] = carried(load, relay, "rtp", most)
        finally:
            relay.stop()
    for prefix, calls in found.items():
        figures.add(f"{prefix}rtp.calls", [calls], "calls")
    if peers and found[Rtpengine.prefix]:
        figures.add("ratio.rtp.calls", [found[""] / found[Rtpengine.prefix]], "ours/theirs")


# Relays of few and of many calls, all of which talk: the difference is the calls'.
MEMORY_CALLS = (50, 800)


def measure_memory(figures, binaries, directory, load, runs, peers):
    for relay_type in (Ours, Rtpengine) if peers else (Ours,):
        per_call, whole = [], []
        for _ in range(runs):
            found = []
            for calls in MEMORY_CALLS:
                relay = Ours(binaries, directory, "rtp", calls) if relay_type is Ours else Rtpengine(directory, "rtp", calls)
                try:
                    check(relay, "rtp", load.run(relay, calls, 3, 1))
                    found.append(own_bytes(relay.pid))
                finally:
                    relay.stop()
            (few, many), (first, last) = found, MEMORY_CALLS
            per_call.append((many - few) / (last - first) / 1024)
            whole.append(many / 1024 / 1024)
        print(f"  {relay_type.name:<10} {whole[-1]:.1f} MiB with {MEMORY_CALLS[1]} calls", flush=True)
        figures.add(f"{relay_type.prefix}rtp.memory_per_call", per_call, "KiB")
        figures.add(f"{relay_type.prefix}rtp.memory_{MEMORY_CALLS[1]}_calls", whole, "MiB")


# Sides that share no codec; rtpengine of Debian has no encoder for the others that we have.
PAIRS = (("PCMU", "PCMA"), ("PCMU", "G722"), ("PCMU", "GSM"), ("PCMU", "G729"), ("PCMU", "speex"), ("PCMU", "opus"), ("G722", "opus"))
TRANSCODED_CALLS = 60


def measure_transcoding(figures, binaries, directory, load, runs, peers):
    for codecs in PAIRS:
        pair = "_".join(codec.lower() for codec in codecs)
        contenders = [Ours(binaries, directory, "rtp", TRANSCODED_CALLS, codecs)]
        try:
            if peers:
                contenders.append(Rtpengine(directory, "rtp", TRANSCODED_CALLS, codecs, contenders[0].legs))
            results = {relay.prefix: [] for relay in contenders}
            for round in range(runs):
                for relay in contenders if round % 2 == 0 else reversed(contenders):
                    result = load.run(relay, TRANSCODED_CALLS, SECONDS, WARM_UP)
                    # rtpengine sends converted speech by a clock of its own: the last of it comes when the next run has begun.
                    check(relay, pair, result, faults=("forged", "repeated", "not_sent"))
                    print(f"  {relay.name:<10} {pair:<12} {TRANSCODED_CALLS} calls  {result['cpu_us']:6.2f} µs a packet  {result['cores']:4.2f} cores  lost {result['loss_percent']:.3f} %", flush=True)
                    if abs(result["loss_percent"]) > 1:
                        fail(f"{relay.name} {pair}: {result['heard']} of {result['sent']} packets came through")
                    results[relay.prefix].append(result)
        finally:
            for relay in contenders:
                relay.stop()
        for prefix, found in results.items():
            figures.add(f"{prefix}transcode.{pair}.packet_cpu", [r["cpu_us"] for r in found], "µs")
            figures.add(f"{prefix}transcode.{pair}.relayed_calls_per_core", [1e6 / (100 * r["cpu_us"]) for r in found], "calls")
        if peers:
            figures.add(f"ratio.transcode.{pair}.packet_cpu", [a["cpu_us"] / b["cpu_us"] for a, b in zip(results[""], results[Rtpengine.prefix])], "ours/theirs")


def measure(figures, binaries, groups, runs, peers):
    """`rtp`, or one figure of it: `rtp.packet_cpu`, `srtp_rtp.packet_cpu`, `srtp.packet_cpu`, `rtp.calls`, `rtp.memory_per_call`."""
    kinds = [kind for kind in KINDS if "rtp" in groups or f"{kind}.packet_cpu" in groups]
    counts_calls = "rtp" in groups or "rtp.calls" in groups
    measures_memory = "rtp" in groups or "rtp.memory_per_call" in groups
    transcodes = "transcode" in groups
    if not (kinds or counts_calls or measures_memory or transcodes):
        return
    directory = tempfile.mkdtemp(prefix="ledgerline-relay-")
    try:
        load = Load(directory)
        measure_cpu(figures, binaries, directory, load, runs, peers, kinds)
        if counts_calls:
            measure_calls(figures, binaries, directory, load, peers)
        if measures_memory:
            measure_memory(figures, binaries, directory, load, runs, peers)
        if transcodes:
            measure_transcoding(figures, binaries, directory, load, runs, peers)
    finally:
        shutil.rmtree(directory)
