"""A phone of which SIPp does the signalling and a socket of ours the media: what it is sent is measured as it comes, with nothing in between."""
import pathlib
import socket
import struct
import subprocess
import threading
import time
import wave

import tone

SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answers, is held, is resumed">
  <recv request="INVITE" crlf="true"/>
  {ok}
  <recv request="ACK"/>
  {again}
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""
OK = """<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {port} RTP/AVP {format}
a=rtpmap:{format} {name}
a={direction}
]]></send>"""


def mu_law(byte):
    bits = ~byte & 0xFF
    level = ((((bits & 0x0F) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84
    return -level if bits & 0x80 else level


def free_port(address):
    """That nobody had a moment ago: phones take theirs for media from anywhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class SilentPhone:
    """`offers`: directions of the answers to the re-INVITEs that come in the call. `codec`: what it speaks, as in `a=rtpmap`. `echoes`: it says what it hears."""

    def __init__(self, directory, address, port, offers=(), codec=(0, "PCMU/8000"), echoes=False):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.packets, self.peer = [], None
        self.type, self.echoes = codec[0], echoes
        media = self.socket.getsockname()[1]
        answer = lambda direction, version, tag: OK.format(tag=tag, version=version, port=media, format=codec[0], name=codec[1], direction=direction)
        again = "".join('<recv request="INVITE"/>' + answer(direction, number + 2, "") + '<recv request="ACK"/>' for number, direction in enumerate(offers))
        scenario = self.directory / "phone.xml"
        scenario.write_text(SCENARIO.format(ok=answer("sendrecv", 1, ";tag=[call_number]"), again=again))
        self.process = subprocess.Popen(
            ["sipp", "-sf", str(scenario), "-i", address, "-p", str(port), "-m", "1", "-nostdin", "-trace_err", "-error_file", str(self.directory / "errors")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.directory)
        # Nobody calls before it listens.
        line, deadline = f":{port:04X} ", time.monotonic() + 10
        while line not in pathlib.Path("/proc/net/udp").read_text():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("SIPp does not listen")
            time.sleep(0.02)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                packet, source = self.socket.recvfrom(2048)
                if len(packet) >= 12 and packet[1] & 0x7F == self.type:
                    self.peer = source
                    self.packets.append(packet)
                    if self.echoes:
                        self.socket.sendto(packet, source)
            except OSError:
                return

    def say(self, count, payload_type):
        """Packets of that payload type, whatever was agreed on, to whom it hears."""
        for number in range(count):
            self.socket.sendto(struct.pack("!BBHII", 0x80, payload_type, number, number * 160, 0x5A5A) + bytes(160), self.peer)

    def write(self, path):
        """What it heard, one packet after the other, as a WAV file."""
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(b"".join(struct.pack("<h", mu_law(b)) for packet in list(self.packets) for b in packet[12:]))
        return path

    def heard(self, hertz):
        return tone.heard(self.write(self.directory / "heard.wav"), hertz)

    def hears(self, hertz, seconds, timeout=60):
        """Waits until it has heard that tone for so long."""
        deadline = time.monotonic() + timeout
        while (heard := self.heard(hertz)) < seconds:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{hertz} Hz were heard for {heard} s within {timeout} s, not {seconds} s")
            time.sleep(0.1)
        return heard

    def finish(self, timeout=10):
        """SIPp's exit status: 0, if everything came as it was to."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.socket.close()
