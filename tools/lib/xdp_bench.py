"""Packets relayed between two interfaces: by XDP, by the worker's threads and, with peers, by rtpengine in user space; what the whole machine spends on each."""
import ctypes
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import rtpengine

HERE = pathlib.Path(__file__).resolve().parent.parent / "benchmarks"
CALLS, SECONDS = 300, 6
CLONE_NEWNET = 0x4000_0000
WORKER, A, B = "10.9.0.1", "10.9.1.2", "10.9.2.2"
# Straight from one phone to the other, with nobody between.
STRAIGHT_A, STRAIGHT_B = "10.9.3.1", "10.9.3.2"


def fail(text):
    raise SystemExit(text)


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


class Spaces:
    """A worker's namespace between two phones'."""

    def __init__(self):
        name = f"llbench{os.getpid()}"
        self.worker, self.a, self.b = name + "w", name + "a", name + "b"
        self.all = (self.worker, self.a, self.b)
        try:
            for space in self.all:
                ip(f"netns add {space}")
                ip(f"-n {space} link set lo up")
            ip(f"-n {self.worker} addr add {WORKER}/32 dev lo")
            for number, space, ours, theirs in ((1, self.a, "wa", "pa"), (2, self.b, "wb", "pb")):
                ip(f"-n {self.worker} link add {ours} type veth peer name {theirs} netns {space}")
                ip(f"-n {self.worker} addr add 10.9.{number}.1/24 dev {ours}")
                ip(f"-n {space} addr add 10.9.{number}.2/24 dev {theirs}")
                ip(f"-n {self.worker} link set {ours} up")
                ip(f"-n {space} link set {theirs} up")
                ip(f"-n {space} route add default via 10.9.{number}.1")
            ip(f"-n {self.a} link add sa type veth peer name sb netns {self.b}")
            ip(f"-n {self.a} addr add {STRAIGHT_A}/24 dev sa")
            ip(f"-n {self.b} addr add {STRAIGHT_B}/24 dev sb")
            ip(f"-n {self.a} link set sa up")
            ip(f"-n {self.b} link set sb up")
        except BaseException:
            self.remove()
            raise

    def remove(self):
        for space in self.all:
            subprocess.run(["ip", "netns", "del", space], stderr=subprocess.DEVNULL)

    def inside(self, space, command):
        return ["ip", "netns", "exec", space, *map(str, command)]

    @staticmethod
    def socket_inside(space):
        """A socket belongs to the namespace in which it was made."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(namespace):
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        with open(f"/var/run/netns/{space}") as theirs, open("/proc/self/ns/net") as own:
            enter(theirs)
            try:
                return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            finally:
                enter(own)


class Straight:
    name = "nobody"

    def __init__(self, directory):
        self.legs = directory / "straight.txt"
        self.legs.write_text("".join(f"{STRAIGHT_A} {10_000 + 2 * call} {STRAIGHT_B} {10_000 + 2 * call}\n{STRAIGHT_B} {10_000 + 2 * call} {STRAIGHT_A} {10_000 + 2 * call}\n" for call in range(CALLS)))

    def stop(self):
        pass


class Ours:
    def __init__(self, name, binaries, directory, spaces, interfaces, mode):
        self.name = name
        self.legs = directory / f"{name}.txt"
        self.legs.write_text("".join(f"{A} {10_000 + 2 * call} {WORKER} {30_000 + 4 * call}\n{B} {10_000 + 2 * call} {WORKER} {30_002 + 4 * call}\n" for call in range(CALLS)))
        self.log = directory / f"{name}.log"
        self.process = subprocess.Popen(spaces.inside(spaces.worker, [binaries / "xdp-worker", CALLS, WORKER, A, B, interfaces, mode]),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.log, "wb"))
        if self.process.stdout.readline() != b"ready\n":
            fail(self.log.read_text())
        self.uses_xdp = interfaces != "off"

    def stop(self):
        self.process.stdin.close()
        counts = json.loads(self.process.stdout.readline())
        self.process.wait(20)
        share = counts["passed"] / max(1, counts["came"])
        print(f"  {self.name}: {counts['came']} packets, {100 * share:.2f} % of them by XDP", flush=True)
        if self.uses_xdp and share < 0.9:
            fail(f"{self.name}: packets did not pass by XDP: {self.log.read_text()[-2000:]}")


class Rtpengine:
    """In user space, told of its calls over loopback of its namespace."""
    name = "rtpengine"

    def __init__(self, directory, spaces):
        self.server = rtpengine.Rtpengine(directory / "rtpengine.log", spaces.socket_inside(spaces.worker), 2223,
                                          [f"--interface={WORKER}", "--port-min=40000", "--port-max=59999"], before=spaces.inside(spaces.worker, []))
        self.legs = directory / "rtpengine.txt"
        try:
            with open(self.legs, "w") as legs:
                for call in range(CALLS):
                    port = 10_000 + 2 * call
                    names = {"call-id": f"bench{call}", "from-tag": f"a{call}", "ICE": "remove", "replace": ["origin"]}
                    to_b = self._port({"command": "offer", "sdp": self._description(A, port), **names})
                    to_a = self._port({"command": "answer", "to-tag": f"b{call}", "sdp": self._description(B, port), **names})
                    legs.write(f"{A} {port} {WORKER} {to_a}\n{B} {port} {WORKER} {to_b}\n")
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def _description(host, port):
        return f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"

    def _port(self, request):
        return re.search(r"m=audio (\d+) ", rtpengine.description_of(self.server.ask(request))).group(1)

    def stop(self):
        self.server.stop()


def measure(figures, binaries, runs, peers):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-xdp-"))
    spaces = Spaces()
    relays = []
    try:
        load = directory / "load"
        subprocess.run(["cc", "-O2", "-o", str(load), str(HERE / "rtp/namespaces.c")], check=True)
        results = {}
        for round in range(runs):
            # Each alone: the next one begins when the one before is gone.
            makers = [lambda: Straight(directory), lambda: Ours("xdp", binaries, directory, spaces, "wa,wb", "auto"),
                      lambda: Ours("worker", binaries, directory, spaces, "off", "auto")]
            if peers:
                makers.append(lambda: Rtpengine(directory, spaces))
            for make in makers if round % 2 == 0 else reversed(makers):
                relay = make()
                relays.append(relay)
                done = subprocess.run([str(load), spaces.a, spaces.b, str(relay.legs), str(SECONDS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS + 60)
                relays.remove(relay)
                relay.stop()
                if done.returncode:
                    fail(f"the load failed: {done.stderr.decode()}")
                result = json.loads(done.stdout)
                lost = 100 * (1 - result["heard"] / result["sent"])
                print(f"  {relay.name:<10} {result['whole_us']:7.3f} µs a packet, the whole machine  {result['cores']:.2f} cores  lost {lost:.4f} %  late {result['late_max_us']} µs", flush=True)
                if result["wrong"] or lost > 0.5:
                    fail(f"{relay.name}: {result}")
                results.setdefault(relay.name, []).append(result["whole_us"])
        straight = results["nobody"]
        net = {name: [whole - own for whole, own in zip(values, straight)] for name, values in results.items()}
        figures.add("rtp.load_packet_cpu", straight, "µs")
        for name, label in (("xdp", "rtp.xdp_packet_cpu"), ("worker", "rtp.veth_packet_cpu"), ("rtpengine", "peer.rtpengine.rtp.veth_packet_cpu")):
            if name not in results:
                continue
            figures.add(label, net[name], "µs")
            figures.add(f"{label}_whole", results[name], "µs")
        if peers:
            figures.add("ratio.rtp.xdp_packet_cpu", [a / b for a, b in zip(net["xdp"], net["rtpengine"])], "ours/theirs")
            figures.add("ratio.rtp.xdp_packet_cpu_whole", [a / b for a, b in zip(results["xdp"], results["rtpengine"])], "ours/theirs")
            figures.add("ratio.rtp.veth_packet_cpu", [a / b for a, b in zip(net["worker"], net["rtpengine"])], "ours/theirs")
    finally:
        for relay in relays:
            relay.stop()
        spaces.remove()
        shutil.rmtree(directory, ignore_errors=True)
