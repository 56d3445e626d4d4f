#!/usr/bin/env python3
"""Real phones over every transport against two signalling workers: baresip over TCP and TLS, a WebSocket phone, IPv6, hostile peers.

Run by the process tests; by hand: tools/lib/transports.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import decimal
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import threading
import time

import checked_run
import demo as base
import tone
from demo import Demo
from phone import Phone
from websocket_phone import WebSocketPhone

HOST = "sip.kages.example"
# Addresses of their own: what comes from 127.0.0.1 may be the carrier.
SIPP, STRANGER = "127.0.0.8", "127.0.0.9"


class Transports(Demo):
    def __init__(self, options):
        super().__init__(options)
        first = options.ports_from
        # For each worker its own addresses; the last two belong to both.
        self.ports = {worker: {name: first + offset + n for n, name in enumerate(("tcp", "tls", "ws", "wss", "tcp6", "udp6"))}
                      for worker, offset in (("s1", 60), ("s2", 70))}
        self.shared_tcp, self.shared_tls = first + 80, first + 81
        self.certificates = self.directory / "certificates"
        self.root = self.directory / "root.pem"

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name, days="2", kind="DNS", directory=None):
        """A certificate for `name`, put where the workers look."""
        d, directory = self.directory, directory or self.certificates
        (d / "extensions").write_text(f"subjectAltName={kind}:{name}")
        ec = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"
        self.openssl("req", "-new", *ec, "-subj", f"/CN={name}", "-keyout", str(d / "new.key"), "-out", str(d / "new.csr"))
        self.openssl("x509", "-req", "-in", str(d / "new.csr"), "-CA", str(self.root), "-CAkey", str(d / "root.key"), "-CAcreateserial",
                     "-days", days, "-extfile", str(d / "extensions"), "-out", str(d / "new.crt"))
        (d / "new.key").replace(directory / f"{name}.key")
        (d / "new.crt").replace(directory / f"{name}.crt")

    def start(self, name, *arguments):
        if name in self.ports and arguments[0] == "signal":
            own = self.ports[name]
            more = [x for t in ("tcp", "tls", "ws", "wss") for x in ("--listen", f"{t}:127.0.0.1:{own[t]}")]
            more += ["--listen", f"tcp:[::1]:{own['tcp6']}", "--listen", f"[::1]:{own['udp6']}", "--cluster", f"tcp:127.0.0.1:{self.shared_tcp}",
                     "--cluster", f"tls:127.0.0.1:{self.shared_tls}", "--certificates", str(self.certificates), "--authorities", str(self.root), "--connections-per-source", "60"]
            more += [x for origin in self.origins(name) for x in ("--web-origin", origin)]
            arguments = (*arguments, *more)
        return super().start(name, *arguments)

    def origins(self, worker):
        """Whose pages may be phones by WebSocket."""
        return ["https://*.kages.example", f"{HOST}=https://phone.example"]

    def phone(self, name, port, hertz, via, transport, extra=""):
        play = self.directory / f"{name}.wav"
        tone.write(play, hertz, 60)
        account = (f"<sip:{name}@{base.DOMAIN};transport={transport}>;auth_user={name};auth_pass={self.passwords[name]};"
                   f"outbound=\"sip:127.0.0.1:{self.ports[via][transport]};transport={transport}\";regint=600;answermode=manual;"
                   f"audio_codecs=PCMU,PCMA;ptime=20{extra}")
        directory = self.directory / f"phone-{name}-{transport}"
        self.phones[name] = Phone(name, directory, base.PHONES, port, port + base.CONTROL_OFFSET, account, play).start()

    def start_phones(self):
        self.phone("alice", base.ALICE, base.ALICE_TONE, "s1", "tls")
        self.phone("bob", base.BOB, base.BOB_TONE, "s2", "tcp")
        play = self.directory / "carrier.wav"
        tone.write(play, base.CARRIER_TONE, 60)
        # What the carrier shows when it is called by TLS: its address, because that is what the gateway is configured with.
        self.issue(base.PHONES, kind="IP", directory=self.directory)
        pem = self.directory / "carrier.pem"
        pem.write_text("".join((self.directory / f"{base.PHONES}.{end}").read_text() for end in ("key", "crt")))
        self.phones["carrier"] = Phone("carrier", self.directory / "phone-carrier", base.PHONES, base.CARRIER, base.CARRIER + base.CONTROL_OFFSET,
                                       f"<sip:{base.OUTSIDE}@{base.PHONES}:{base.CARRIER}>;regint=0;answermode=manual;audio_codecs=PCMU;ptime=20", play,
                                       extra=f"sip_certificate {pem}").start()
        for name, via, subscriber in (("alice", "s1", self.alice), ("bob", "s2", self.bob)):
            items = self.api.wait_until(f"/v1/subscribers/{subscriber['id']}/bindings", lambda a: a["items"], f"{name} registered")["items"]
            self.check(f"{name} is registered by a connection to {via}", items[0]["worker"] == via)

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.certificates.mkdir()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=root",
                     "-keyout", str(self.directory / "root.key"), "-out", str(self.root))
        self.issue(HOST)
        self.start_platform()
        self.provision()
        self.start_phones()
        self.call_between_phones()
        self.call_over_websocket()
        self.call_by_tls_carrier()
        self.call_with_sipp()
        self.speak_ipv6()
        self.reload_certificate()
        self.hostile_peers()

    def call_between_phones(self):
        self.say("alice (TLS, s1) calls bob (TCP, s2)")
        first = self.call("alice", "bob", f"sip:1001@{base.DOMAIN}", 2, "alice")
        self.speech_check("TLS to TCP on another worker", first, 1.0)
        cdr = self.newest_cdr(1)
        self.check("TLS to TCP: one CDR of the talk", cdr["cause"] == "caller_hung_up" and abs(cdr["duration_ms"] / 1000 - first["talk_seconds"]) < 0.6,
                   cdr_seconds=cdr["duration_ms"] / 1000)
        self.say("bob (TCP, s2) calls alice (TLS, s1)")
        second = self.call("bob", "alice", f"sip:1000@{base.DOMAIN}", 2, "alice")
        self.speech_check("TCP to TLS on another worker", second, 1.0)
        self.check("TCP to TLS: ended by the called side", self.newest_cdr(2)["cause"] == "called_hung_up")
        self.say("alice (TLS) calls out by the carrier (UDP)")
        third = self.call("alice", "carrier", f"sip:{base.DIALLED}@{base.DOMAIN}", 2, "alice")
        self.speech_check("TLS to a carrier", third, 1.0)
        cdr = self.newest_cdr(3)
        retail = next((c for c in cdr["charges"] if c["edge"] == "retail"), None)
        self.check("TLS to a carrier: priced", retail is not None and decimal.Decimal(retail["amount"]["amount"]) == decimal.Decimal("0.022"),
                   price=retail["amount"]["amount"] if retail else "none")
        self.say("the carrier (UDP) calls bob's number (TCP)")
        fourth = self.call("carrier", "bob", f"sip:{base.NUMBER}@{base.CLUSTER}", 2, "bob")
        self.speech_check("carrier to TCP", fourth, 1.0)
        self.check("carrier to TCP: recorded as inbound", self.newest_cdr(4)["direction"] == "inbound")

    def call_over_websocket(self):
        password = "over the web"
        self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "wanda", "password": password, "aliases": ["1002"], "display_name": "Wanda"})
        wanda = WebSocketPhone("wanda", base.DOMAIN, password, "127.0.0.1", self.ports["s1"]["wss"], True, str(self.root), HOST)
        self.check("a secure WebSocket is opened with a certificate that proves the domain", wanda.tls in ("TLSv1.2", "TLSv1.3"), tls=wanda.tls)
        self.check("it registers", wanda.register() == "200")
        self.check("its pings are answered", wanda.ping(b"still there") == b"still there")
        mark = self.phones["bob"].mark()
        bob = self.phones["bob"]
        answering = threading.Thread(target=lambda: (bob.wait("CALL_INCOMING", since=mark, timeout=10), bob.answer()))
        answering.start()
        contact = wanda.call("1001")
        answering.join()
        self.check("it calls bob (TCP, s2), and our Contact leads back by its WebSocket", "transport=ws" in contact, contact=contact)
        time.sleep(0.5)
        mark = bob.mark()
        wanda.hang_up()
        bob.wait("CALL_CLOSED", since=mark)
        self.check("the call over WebSocket has its CDR", self.newest_cdr(5)["cause"] == "caller_hung_up")
        mark = self.phones["bob"].mark()
        bob.dial(f"sip:1002@{base.DOMAIN}")
        invite = wanda.be_called()
        bob.wait("CALL_ESTABLISHED", since=mark)
        time.sleep(0.5)
        bob.hang_up()
        wanda.wait_for_bye()
        self.check("bob (TCP, s2) calls it by its connection to s1", "Via: SIP/2.0/WSS" in invite and self.newest_cdr(6)["cause"] == "caller_hung_up")
        wanda.close()
        for origin, is_ours in (("https://www.kages.example", True), ("https://phone.example", True), ("https://kages.example.evil.example", False), ("null", False)):
            try:
                WebSocketPhone("wanda", base.DOMAIN, password, "127.0.0.1", self.ports["s1"]["wss"], True, str(self.root), HOST, origin=origin).close()
                told = "101"
            except PermissionError as refusal:
                told = str(refusal)
            self.check(f"a page of {origin} {'opens' if is_ours else 'does not open'} a WebSocket", told == "101" if is_ours else "403" in told, told=told)
        self.check("the worker's log says whose page it was", self.processes["s1"].says("WebSocket is not open to pages of https://kages.example.evil.example"))

    def call_by_tls_carrier(self):
        self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "sam", "password": "correct-horse", "aliases": ["1003"], "allowed_prefixes": ["+1"]})
        carrier = self.api.get("/v1/carriers?limit=1")["items"][0]
        gateway = next(g for g in carrier["gateways"] if g["name"] == "secondary")
        gateway.update(transport="tls", port=base.CARRIER + 1)
        changed = self.api.request("PATCH", f"/v1/carriers/{carrier['id']}", {"gateways": [gateway]})
        self.check("a gateway is called by TLS when it says so", changed["gateways"][0]["transport"] == "tls")
        # From here on 127.0.0.1 is the carrier's, from any port, as soon as the workers know; so another address calls out.
        self.say("SIPp (TCP) calls out by the carrier (TLS)")
        status, by_tls = self.sipp(base.CARRIER + 1)
        self.check("SIPp by TCP to a carrier by TLS", status == 0 and by_tls >= 1, connections=by_tls)
        cdr = self.newest_cdr(7)
        self.check("SIPp by TCP to a carrier by TLS: priced", len(cdr["charges"]) >= 2, attempts=len(cdr["attempts"]))
        time.sleep(2)
        self.say("the carrier (TLS) calls bob's number (TCP)")
        uri = f"sip:{base.NUMBER}@127.0.0.1:{self.ports['s1']['tls']};transport=tls"
        inbound = self.call("carrier", "bob", uri, 2, "carrier")
        self.speech_check("carrier by TLS to TCP", inbound, 1.0)
        cdr = self.newest_cdr(8)
        self.check("a carrier by TLS is known by its address, whatever port it comes from", cdr["direction"] == "inbound")
        gateway.update(transport="udp", port=base.CARRIER)
        self.api.request("PATCH", f"/v1/carriers/{carrier['id']}", {"gateways": [gateway]})

    def peers_by_tcp(self, port):
        """Connections to that port that are there."""
        wanted = f":{port:04X}"
        return sum(line.split()[2].endswith(wanted) and line.split()[3] == "01" for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])

    def sipp(self, port):
        """One call of SIPp by TCP, with a description that makes a request too large for a datagram: its status, and how many
        connections lead to the carrier's port when it rings."""
        scenario = (pathlib.Path(__file__).parents[2] / "Tests/Fixtures/sipp/caller.xml").read_text()
        filler = "".join(f"    a=x-filler-{n}:{'x' * 60}\n" for n in range(16))
        scenario = (scenario.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace(' retrans="500"', "").replace("alice", "sam")
                    .replace("[local_port]>", "[local_port];transport=tcp>").replace("    a=rtpmap:0 PCMU/8000\n", "    a=rtpmap:0 PCMU/8000\n" + filler))
        path = self.directory / "caller-by-tcp.xml"
        path.write_text(scenario)
        carrier, mark = self.phones["carrier"], self.phones["carrier"].mark()
        moved = []

        def answer():
            carrier.wait("CALL_INCOMING", since=mark, timeout=20)
            moved.append(self.peers_by_tcp(port))
            carrier.answer()
        answering = threading.Thread(target=answer)
        answering.start()
        first = self.options.ports_from
        run = subprocess.run(["timeout", "--signal=KILL", "60", "sipp", "-sf", str(path), "-t", "t1", "-i", SIPP, "-p", str(first + 90), "-mp", str(first + 92),
                              "-nostdin", "-m", "1", "-timeout", "40", f"127.0.0.1:{self.ports['s1']['tcp']}"], capture_output=True, text=True)
        answering.join()
        if run.returncode:
            print(run.stdout[-3_000:], run.stderr[-3_000:])
        return run.returncode, moved[0] if moved else 0

    def call_with_sipp(self):
        status, moved = self.sipp(base.CARRIER)
        self.check("SIPp calls out by TCP", status == 0, status=status)
        cdr = self.newest_cdr(9)
        retail = next((c for c in cdr["charges"] if c["edge"] == "retail"), None)
        self.check("SIPp by TCP: priced", retail is not None and decimal.Decimal(retail["amount"]["amount"]) == decimal.Decimal("0.022"), price=retail["amount"]["amount"] if retail else "none")
        self.check("a request too large for a datagram went to the carrier by TCP", moved >= 1, connections=moved)

    def speak_ipv6(self):
        own = self.ports["s1"]
        request = lambda transport, port: (
            f"OPTIONS sip:{base.DOMAIN} SIP/2.0\r\nVia: SIP/2.0/{transport} [::1]:{port};branch=z9hG4bK6{transport};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:anna@x.example>;tag=1\r\nTo: <sip:x.example>\r\nCall-ID: six-{transport}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            udp.settimeout(5)
            udp.bind(("::1", 0))
            udp.sendto(request("UDP", udp.getsockname()[1]), ("::1", own["udp6"]))
            answer = udp.recv(65536)
            self.check("OPTIONS over IPv6 and UDP is answered", answer.startswith(b"SIP/2.0 200"), answer=answer.split(b"\r\n")[0].decode())
            transaction = bytes(range(12))
            udp.sendto(b"\0\1\0\0\x21\x12\xa4\x42" + transaction, ("::1", own["udp6"]))
            answer = udp.recv(65536)
            self.check("a STUN keep-alive is answered on the SIP port", answer[:2] == b"\1\1" and answer[8:20] == transaction and len(answer) == 44)
        with socket.create_connection(("::1", own["tcp6"]), timeout=5) as tcp:
            tcp.sendall(request("TCP", tcp.getsockname()[1]) + b"\r\n\r\n")
            data = b""
            # The keep-alive is answered at once, and is the first to come.
            while not data.endswith(b"\r\n\r\n"):
                chunk = tcp.recv(65536)
                if not chunk:
                    break
                data += chunk
            self.check("OPTIONS and an empty keep-alive over IPv6 and TCP are answered", data.startswith(b"\r\nSIP/2.0 200"))

    def serial(self, port, name):
        context = ssl.create_default_context(cafile=str(self.root))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw, context.wrap_socket(raw, server_hostname=name) as tls:
            return tls.getpeercert()["serialNumber"], tls.version()

    def reload_certificate(self):
        port = self.ports["s2"]["tls"]
        before, version = self.serial(port, HOST)
        self.issue(HOST)
        self.issue("sip.other.example")
        self.processes["s2"].wait_for("certificates: 2 loaded", timeout=20)
        after, _ = self.serial(port, HOST)
        self.check("a new certificate is shown without a restart", before != after, tls=version)
        self.check("a domain that was added is served", bool(self.serial(port, "sip.other.example")))

    def hostile_peers(self):
        own = self.ports["s1"]
        stalled = [socket.create_connection(("127.0.0.1", own["tls"]), source_address=(STRANGER, 0)) for _ in range(20)]
        slow = [socket.create_connection(("127.0.0.1", own["tcp"]), source_address=(STRANGER, 0)) for _ in range(20)]
        for peer in slow:
            peer.sendall(b"INVITE sip:x SIP/2.0\r\n")
        flood = [socket.create_connection(("127.0.0.1", own["tcp"]), source_address=(STRANGER, 0)) for _ in range(100)]
        for peer in flood:
            peer.setblocking(False)
        # 60 for an address: those that stall have 40.
        wanted, deadline, refused = 80, time.monotonic() + 10, set()
        while len(refused) < wanted and time.monotonic() < deadline:
            for peer in select.select([p for p in flood if p not in refused], [], [], 0.1)[0]:
                refused.add(peer)
        self.check("connections of one address are bounded", len(refused) == wanted, refused=len(refused))
        last = self.call("carrier", "bob", f"sip:{base.NUMBER}@{base.CLUSTER}", 1, "bob")
        self.check("meanwhile others call", last["talk_seconds"] >= 0.9)
        for peer in stalled + slow + flood:
            peer.close()
        self.flood_websocket()
        self.register_far_too_often()
        last = self.call("carrier", "bob", f"sip:{base.NUMBER}@{base.CLUSTER}", 1, "bob")
        self.check("after all of them others call", last["talk_seconds"] >= 0.9)

    def flood_websocket(self):
        """Pings as fast as they go: the connection ends, and the log says why, once."""
        flooder = WebSocketPhone("flooder", base.DOMAIN, "none", "127.0.0.1", self.ports["s1"]["ws"])
        sent = 0
        try:
            for sent in range(100_000):
                flooder._send_frame(9, b"x")
        except OSError:
            pass
        flooder.socket.close()
        self.check("a WebSocket that floods is closed", sent < 99_999, pings=sent)
        words = "more keep-alives than anybody needs"
        self.check("the worker's log says so once", self.processes["s1"].says(words) and self.processes["s1"].text().count(words) == 1)

    def register_far_too_often(self):
        """500 contacts in one REGISTER, in lines of their own and in one."""
        for title, contacts in (("500 lines", "".join(f"Contact: <sip:bob{n}@192.0.2.1>\r\n" for n in range(500))),
                                ("one line", "Contact: " + ",".join(f"<sip:b{n}@192.0.2.1>" for n in range(500)) + "\r\n")):
            peer = socket.create_connection(("127.0.0.1", self.ports["s1"]["tcp"]), timeout=10)
            peer.sendall((f"REGISTER sip:{base.DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{len(contacts)}\r\nMax-Forwards: 70\r\n"
                          f"From: <sip:bob@{base.DOMAIN}>;tag=1\r\nTo: <sip:bob@{base.DOMAIN}>\r\nCall-ID: many{len(contacts)}\r\nCSeq: 1 REGISTER\r\n{contacts}"
                          "Content-Length: 0\r\n\r\n").encode())
            told = peer.recv(65536).split(b"\r\n")[0].decode()
            peer.close()
            # Whether the password is asked for first or the message refused: none of them is registered.
            self.check(f"a REGISTER with 500 contacts in {title} registers nobody", told.split()[1] in ("400", "401", "403"), told=told)
        items = self.api.get(f"/v1/subscribers/{self.bob['id']}/bindings")["items"]
        self.check("bob is reached as before", len(items) == 1, bindings=len(items))


if __name__ == "__main__":
    sys.exit(checked_run.main("transports", Transports, ("baresip", "openssl")))
