"""rtpengine of the distribution in user space, told of calls by its own protocol (ng: bencoded dictionaries by UDP)."""
import os
import socket
import subprocess
import time

OPTIONS = ["--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--timeout=36000", "--silent-timeout=36000", "--config-file=none"]


def bencode(value):
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return str(len(value)).encode() + b":" + value.encode()


def description_of(reply):
    """The text of an `sdp` entry in a bencoded reply; no other is asked for."""
    at = reply.index(b"3:sdp") + 5
    length, text = reply[at:].split(b":", 1)
    return text[:int(length)].decode()


class Rtpengine:
    """A running one; `before`: what it is started by (`ip netns exec …`), `control`: a socket from where its loopback is reached."""

    def __init__(self, log, control, port, options, before=()):
        self.log = log
        self.process = subprocess.Popen([*before, "rtpengine", *OPTIONS, f"--listen-ng=127.0.0.1:{port}", *options],
                                        stdin=subprocess.DEVNULL, stdout=open(log, "wb"), stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        self.socket = control
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(0.5)
        self.asked = 0
        try:
            self.ask({"command": "ping"})
        except BaseException:
            self.stop()
            raise

    def ask(self, request, timeout=10):
        """Asked again until it answers: at first nobody listens yet."""
        self.asked += 1
        cookie = f"{os.getpid()}_{self.asked}".encode()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(self.log.read_text()[-2000:])
            try:
                self.socket.send(cookie + b" " + bencode(request))
                while True:
                    reply = self.socket.recv(65536)
                    if reply.startswith(cookie + b" "):
                        if b"6:result2:ok" not in reply and b"6:result4:pong" not in reply:
                            raise SystemExit(f"rtpengine says {reply!r}")
                        return reply
            except ConnectionRefusedError:
                time.sleep(0.05)
            except socket.timeout:
                pass
        raise SystemExit("rtpengine does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.socket.close()
