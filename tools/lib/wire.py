"""What passes the loopback interface, with the kernel's time of each packet: the delay that a system adds to a call by itself, without
that of the phones. Needs the right to open packet sockets."""
import collections
import re
import socket
import struct
import threading

SO_TIMESTAMPNS, SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS, PACKET_OUTGOING = 35, 33, 263, 6, 4
CALL_ID = re.compile(rb"\r\nCall-ID: *([^\r]+)", re.IGNORECASE)
CSEQ = re.compile(rb"\r\nCSeq: *(\d+)", re.IGNORECASE)


class Wire(threading.Thread):
    """UDP datagrams to and from `port`: (seconds, source port, destination port, payload)."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.datagrams, self.lost, self._listens = port, [], 0, True
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self._socket.bind(("lo", 0x0800))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.settimeout(0.2)

    def run(self):
        while self._listens:
            try:
                frame, ancillary, _, address = self._socket.recvmsg(2048, 64)
            except TimeoutError:
                continue
            # Loopback shows each packet twice: as it leaves and as it comes.
            if address[2] == PACKET_OUTGOING or frame[23] != socket.IPPROTO_UDP:
                continue
            start = 14 + (frame[14] & 15) * 4
            source, destination = struct.unpack_from("!HH", frame, start)
            if self.port in (source, destination):
                seconds, nanoseconds = struct.unpack_from("qq", ancillary[0][2])
                self.datagrams.append((seconds + nanoseconds / 1e9, source, destination, frame[start + 8:]))

    def stop(self):
        self._listens = False
        self.join()
        self.lost = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        self._socket.close()


class Leg:
    """Of one side of a call: when each kind of message first passed."""

    def __init__(self):
        self.seen, self.called = {}, b""


def added_delays(datagrams, port):
    """For each call the seconds, of those from its first INVITE to its ringing, in which the system at `port` had the word: from the
    INVITE to the challenge, from the INVITE with credentials to the one that goes on, from the ringing that comes to the one that is
    passed on. The legs of a call are paired by the called user, in order of time: a proxy keeps the Call-ID, another system need not."""
    incoming, outgoing = collections.defaultdict(Leg), collections.defaultdict(Leg)
    for time, source, _, payload in datagrams:
        found = CALL_ID.search(payload)
        if not found:
            continue
        start, ours = payload[:payload.index(b"\r\n")], source == port
        if start.startswith(b"INVITE "):
            leg = (outgoing if ours else incoming)[found[1]]
            leg.called = start.split(b" ")[1].split(b"@")[0]
            leg.seen.setdefault(("INVITE", int(CSEQ.search(payload)[1])), time)
        elif start.startswith((b"SIP/2.0 407", b"SIP/2.0 401")) and ours:
            incoming[found[1]].seen.setdefault("challenge", time)
        elif start.startswith(b"SIP/2.0 180"):
            (incoming if ours else outgoing)[found[1]].seen.setdefault("ringing", time)
    waiting = collections.defaultdict(list)
    for leg in outgoing.values():
        invited = min((t for kind, t in leg.seen.items() if kind[0] == "INVITE"), default=None)
        if invited is not None and "ringing" in leg.seen:
            waiting[leg.called].append((invited, leg.seen["ringing"]))
    for legs in waiting.values():
        legs.sort(reverse=True)
    delays = []
    for leg in sorted(incoming.values(), key=lambda leg: max(t for kind, t in leg.seen.items() if kind[0] == "INVITE") if leg.called else 0):
        invites = sorted(t for kind, t in leg.seen.items() if kind[0] == "INVITE")
        if len(invites) != 2 or "challenge" not in leg.seen or "ringing" not in leg.seen:
            continue
        while waiting[leg.called]:
            invited, ringing = waiting[leg.called].pop()
            if invites[1] <= invited <= ringing <= leg.seen["ringing"]:
                delays.append((leg.seen["challenge"] - invites[0]) + (invited - invites[1]) + (leg.seen["ringing"] - ringing))
                break
    return delays
