#!/usr/bin/env python3
"""Packets relayed between two interfaces: by XDP, by the worker's threads and, with peers, by rtpengine in user space; what the whole machine spends on each.

By hand, as root: tools/lib/xdp_bench.py tests the load alone."""
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
CALLS, SECONDS = 600, 4
CLONE_NEWNET = 0x4000_0000
WORKER, A, B = "10.9.0.1", "10.9.1.2", "10.9.2.2"
# Straight from one phone to the other, with nobody between.
STRAIGHT_A, STRAIGHT_B = "10.9.3.1", "10.9.4.1"
# Each so manieth packet of a run that tests the load; no divisor of the number of phones.
KEPT_BACK = 101
# Lost more than this, a relay is not measured, but broken.
LOST_MAX = 0.5


def fail(text):
    raise SystemExit(text)


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


class Spaces:
    """A worker's namespace, and that of all phones, with a pair of interfaces for each side, and a third pair from the phones to themselves."""

    def __init__(self):
        name = f"llbench{os.getpid()}"
        self.worker, self.phones = name + "w", name + "p"
        try:
            for space in (self.worker, self.phones):
                ip(f"netns add {space}")
                ip(f"-n {space} link set lo up")
            ip(f"-n {self.worker} addr add {WORKER}/32 dev lo")
            for number, ours, theirs in ((1, "wa", "pa"), (2, "wb", "pb")):
                ip(f"-n {self.worker} link add {ours} type veth peer name {theirs} netns {self.phones}")
                ip(f"-n {self.worker} addr add 10.9.{number}.1/24 dev {ours}")
                ip(f"-n {self.phones} addr add 10.9.{number}.2/24 dev {theirs}")
            ip(f"-n {self.phones} link add sa type veth peer name sb")
            ip(f"-n {self.phones} addr add {STRAIGHT_A}/24 dev sa")
            ip(f"-n {self.phones} addr add {STRAIGHT_B}/24 dev sb")
            interfaces = [(self.worker, "wa"), (self.worker, "wb")] + [(self.phones, name) for name in ("pa", "pb", "sa", "sb")]
            for space, interface in interfaces:
                ip(f"-n {space} link set {interface} up")
            # Who has GRO takes packets that a program in the kernel sends, as a network card does. When both ends are up, or the kernel forgets one.
            for space, interface in interfaces:
                subprocess.run(self.inside(space, ["ethtool", "-K", interface, "gro", "on"]), check=True)
            self.relayed = [f"pa={self.address(self.worker, 'wa')}", f"pb={self.address(self.worker, 'wb')}"]
            self.straight = [f"sa={self.address(self.phones, 'sb')}", f"sb={self.address(self.phones, 'sa')}"]
        except BaseException:
            self.remove()
            raise

    @staticmethod
    def address(space, interface):
        return json.loads(subprocess.run(["ip", "-n", space, "-j", "link", "show", "dev", interface], check=True, stdout=subprocess.PIPE).stdout)[0]["address"]

    def remove(self):
        for space in (self.worker, self.phones):
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


class Load:
    """Phones whose packets are made and looked at in the kernel (rtp/kernel_load.bpf.c), so that they cost little beside a relay."""

    def __init__(self, directory, spaces):
        self.spaces, self.program, self.object = spaces, directory / "load", directory / "load.o"
        source = HERE / "rtp"
        include = f"-I/usr/include/{os.uname().machine}-linux-gnu"
        # Swift's own compiler of C knows the kernel's instructions; it lies beside `swift`, which may be on the path by a link alone.
        swift = shutil.which("swift")
        clang = shutil.which("clang") or (swift and shutil.which("clang", path=str(pathlib.Path(swift).resolve().parent)))
        if not clang:
            fail("no clang: put Swift's bin directory on the path, or install clang")
        subprocess.run([clang, "-target", "bpfel", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wextra", "-Werror", include, "-c", source / "kernel_load.bpf.c", "-o", self.object], check=True)
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self.program, source / "kernel_load.c", "-lbpf"], check=True)

    def run(self, relay, seconds=SECONDS, keep_back=()):
        done = subprocess.run([self.program, self.object, self.spaces.phones, relay.legs, str(seconds), "1000", *relay.ways, *map(str, keep_back)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds + 60)
        if done.returncode:
            fail(f"the load failed: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def test(self, directory):
        """Every packet is counted at the far end, one that is missing is missed, and one that comes to the wrong phone is wrong."""
        straight = Straight(directory, self.spaces)
        whole = self.run(straight, 1)
        if not 0 < whole["asked"] == whole["sent"] == whole["heard"] or any(whole[name] for name in ("gaps", "late", "wrong", "strays", "silent_streams")):
            fail(f"the load does not hear what it sends: {whole}")
        less = self.run(straight, 1, [KEPT_BACK])
        # What a stream keeps back at its end is followed by nothing that would tell.
        if less["sent"] - less["kept_back"] != less["heard"] or not less["kept_back"] - 2 * CALLS <= less["gaps"] <= less["kept_back"] or not less["gaps"] or less["wrong"]:
            fail(f"the load does not miss what it keeps back: {less}")
        crossed = self.run(Straight(directory, self.spaces, shift=2), 1)
        if not 0 < crossed["wrong"] == crossed["heard"]:
            fail(f"the load takes what is for another phone: {crossed}")


class Straight:
    name = "nobody"

    def __init__(self, directory, spaces, shift=0):
        self.legs, self.ways = directory / f"straight{shift}.txt", spaces.straight
        a, b = ([(address, 10_000 + 2 * call) for call in range(CALLS)] for address in (STRAIGHT_A, STRAIGHT_B))
        self.legs.write_text("".join(f"{a[n][0]} {a[n][1]} {b[n][0]} {b[n][1] + shift}\n{b[n][0]} {b[n][1]} {a[n][0]} {a[n][1] + shift}\n" for n in range(CALLS)))

    def stop(self):
        pass


class Ours:
    def __init__(self, name, binaries, directory, spaces, interfaces, mode):
        self.name, self.ways = name, spaces.relayed
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
        self.legs, self.ways = directory / "rtpengine.txt", spaces.relayed
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
        load = Load(directory, spaces)
        load.test(directory)
        results = {}
        for round in range(runs):
            # Each alone: the next one begins when the one before is gone.
            makers = [lambda: Straight(directory, spaces), lambda: Ours("xdp", binaries, directory, spaces, "wa,wb", "native"),
                      lambda: Ours("generic", binaries, directory, spaces, "wa,wb", "generic"), lambda: Ours("worker", binaries, directory, spaces, "off", "auto")]
            if peers:
                makers.append(lambda: Rtpengine(directory, spaces))
            for make in makers if round % 2 == 0 else reversed(makers):
                relay = make()
                relays.append(relay)
                result = load.run(relay)
                relays.remove(relay)
                relay.stop()
                lost = 100 * (1 - result["heard"] / result["sent"])
                print(f"  {relay.name:<10} {result['whole_us']:7.3f} µs a packet, the whole machine  {result['cores']:.3f} cores  lost {lost:.4f} %  "
                      f"delay {result['delay_p50_us']} and {result['delay_p99_us']} µs  late {result['late_max_us']} µs", flush=True)
                if result["wrong"] or result["strays"] or result["silent_streams"] or lost > LOST_MAX:
                    fail(f"{relay.name}: {result}")
                results.setdefault(relay.name, []).append(result["whole_us"])
        straight = results["nobody"]
        net = {name: [whole - own for whole, own in zip(values, straight)] for name, values in results.items()}
        figures.add("rtp.load_packet_cpu", straight, "µs")
        labels = {"xdp": "rtp.xdp_packet_cpu", "generic": "rtp.xdp_generic_packet_cpu", "worker": "rtp.veth_packet_cpu", "rtpengine": "peer.rtpengine.rtp.veth_packet_cpu"}
        for name, label in labels.items():
            if name in results:
                figures.add(label, results[name], "µs")
                figures.add(f"{label}_net", net[name], "µs")
        if peers:
            for name in ("xdp", "generic", "worker"):
                figures.add(f"ratio.{labels[name]}", [a / b for a, b in zip(results[name], results["rtpengine"])], "ours/theirs")
                figures.add(f"ratio.{labels[name]}_net", [a / b for a, b in zip(net[name], net["rtpengine"])], "ours/theirs")
    finally:
        for relay in relays:
            relay.stop()
        spaces.remove()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-xdp-"))
    spaces = Spaces()
    try:
        Load(directory, spaces).test(directory)
    finally:
        spaces.remove()
        shutil.rmtree(directory, ignore_errors=True)
    print("the load hears what it sends, misses what it keeps back, and refuses what is for another phone")


if __name__ == "__main__":
    main()
