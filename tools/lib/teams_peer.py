#!/usr/bin/env python3
"""The far end of Microsoft Teams Direct Routing as its documentation describes it: SIP over mutual TLS, SRTP with SDES keys, our name
where other carriers see an address. It insists on what Teams insists on, is called once, and calls once.

Arguments: --listen HOST:PORT --certificate PEM (with key) --authorities PEM --name OUR-NAME --platform HOST:PORT --number E164
One line of JSON at the end: what was checked.
"""
import argparse
import base64
import json
import os
import re
import socket
import ssl
import sys

SAVP = ("v=0\r\no=- 1 {version} IN IP4 {host}\r\ns=session\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 49500 RTP/SAVP 0 101\r\n"
        "a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n")


class Message:
    def __init__(self, head, body):
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        self.start, self.body = lines[0], body
        self.headers = [(n.strip().lower(), v.strip()) for n, v in (line.split(":", 1) for line in lines[1:] if ":" in line)]

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name):
        return (self.all(name) or [""])[0]

    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def status(self):
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0") else 0

    def host(self, name):
        found = re.search(r"sips?:(?:[^@>;]*@)?([^:;>]+)", self.get(name))
        return found.group(1) if found else ""


class Wire:
    """One TLS connection and the messages that come by it."""

    def __init__(self, tls):
        self.tls, self.data = tls, b""
        tls.settimeout(40)

    def read(self):
        while True:
            # Keep-alives are no messages.
            self.data = self.data.lstrip(b"\r\n")
            head, found, rest = self.data.partition(b"\r\n\r\n")
            if found:
                length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
                need = int(length.group(1)) if length else 0
                if len(rest) >= need:
                    self.data = rest[need:]
                    return Message(head.decode(), rest[:need].decode())
            chunk = self.tls.recv(65536)
            if not chunk:
                raise SystemExit("the platform closed the connection")
            self.data += chunk

    def send(self, lines, body=""):
        kind = ["Content-Type: application/sdp"] if body else []
        self.tls.sendall(("\r\n".join(lines + kind + [f"Content-Length: {len(body.encode())}"]) + "\r\n\r\n" + body).encode())

    def reply(self, request, status, extra=(), body=""):
        same = [f"Via: {v}" for v in request.all("via")] + [f"From: {request.get('from')}"]
        to = request.get("to")
        same += [f"To: {to}" if ";tag=" in to else f"To: {to};tag=teams"]
        self.send([f"SIP/2.0 {status}"] + same + [f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}", *extra], body)


class Teams:
    def __init__(self, options):
        self.options, self.checks = options, {}
        self.host, self.port = options.listen.rsplit(":", 1)
        self.key = base64.b64encode(os.urandom(30)).decode()

    def check(self, name, passed, said=""):
        # One that has failed stays so.
        self.checks[name] = self.checks.get(name, True) and bool(passed)
        if not passed:
            print(f"not so: {name}: {said}", file=sys.stderr)

    def contact(self):
        return "Contact: <sip:api-du-a-euwe.pstnhub.microsoft.com:443;transport=tls>"

    def insist(self, message, what):
        self.check(f"{what}: Contact bears our name and TLS", message.host("contact") == self.options.name and "transport=tls" in message.get("contact"), message.get("contact"))
        self.check(f"{what}: no REFER is offered", "REFER" not in message.get("allow"), message.get("allow"))

    def sdp(self, version, direction="sendrecv", tag=1):
        return SAVP.format(host=self.host, version=version, key=self.key, direction=direction, tag=tag)

    def accept(self):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.options.authorities)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self.options.certificate)
        listener = socket.create_server((self.host, int(self.port)))
        listener.settimeout(60)
        print("listening", file=sys.stderr, flush=True)
        raw, _ = listener.accept()
        raw.settimeout(20)
        tls = context.wrap_socket(raw, server_side=True)
        names = [v for k, v in tls.getpeercert().get("subjectAltName", ()) if k == "DNS"]
        self.check("mutual TLS: our certificate bears our name", self.options.name in names, names)
        return Wire(tls)

    def options_answered(self, wire):
        request = wire.read()
        self.check("it asks whether we are there (OPTIONS)", request.method == "OPTIONS", request.start)
        self.insist(request, "OPTIONS")
        self.check("OPTIONS: From bears our name, without a user", request.host("from") == self.options.name and "@" not in request.get("from").split(";")[0], request.get("from"))
        wire.reply(request, "200 OK", ["Allow: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY"])

    def ask_options(self, wire):
        """Teams asks by a connection of its own."""
        wire.send([f"OPTIONS sip:{self.options.name}:{self.options.platform.rsplit(':', 1)[1]};transport=tls SIP/2.0",
                   f"Via: SIP/2.0/TLS {self.host}:5061;branch=z9hG4bKoptions", "Max-Forwards: 70", "From: <sip:sip-du-a-eu.pstnhub.microsoft.com:5061>;tag=o1",
                   f"To: <sip:{self.options.name}>", "Call-ID: options-of-teams", "CSeq: 1 OPTIONS", "Contact: <sip:sip-du-a-eu.pstnhub.microsoft.com:5061>"])
        answer = wire.read()
        self.check("OPTIONS of ours is answered 200", answer.status == 200, answer.start)
        self.check("200 of OPTIONS: no REFER is offered", "REFER" not in answer.get("allow"), answer.get("allow"))

    def next(self, wire, method):
        """The next request of that method; OPTIONS are answered on the way."""
        while True:
            message = wire.read()
            if message.method == method:
                return message
            if message.method == "OPTIONS":
                wire.reply(message, "200 OK")
            elif not message.status:
                raise SystemExit(f"{message.start} instead of {method}")

    def be_called(self, wire):
        invite = self.next(wire, "INVITE")
        self.insist(invite, "INVITE")
        self.check("INVITE: From bears our name", invite.host("from") == self.options.name, invite.get("from"))
        self.check("INVITE: SRTP with a key is offered, nothing else", "RTP/SAVP " in invite.body and "a=crypto:" in invite.body and "RTP/AVP" not in invite.body, invite.body)
        tag = int(re.search(r"a=crypto:(\d+)", invite.body).group(1)) if "a=crypto:" in invite.body else 1
        wire.reply(invite, "100 Trying")
        wire.reply(invite, "180 Ringing", [self.contact()])
        wire.reply(invite, "200 OK", [self.contact()], self.sdp(1, tag=tag))
        self.next(wire, "ACK")
        held = self.next(wire, "INVITE")
        self.insist(held, "hold")
        self.check("hold: a=inactive, and SRTP still", "a=inactive" in held.body and "RTP/SAVP " in held.body, held.body)
        tag = int(re.search(r"a=crypto:(\d+)", held.body).group(1)) if "a=crypto:" in held.body else 1
        wire.reply(held, "200 OK", [self.contact()], self.sdp(2, "inactive", tag))
        self.next(wire, "ACK")
        wire.reply(self.next(wire, "BYE"), "200 OK")

    def call(self, wire):
        """From a number outside, by the connection that Teams has made: to our name."""
        common = ["From: <sip:+12065550123@sip.pstnhub.microsoft.com:5061>;tag=c1", "Call-ID: call-of-teams", "Max-Forwards: 70"]
        uri = f"sip:{self.options.number}@{self.options.name}:{self.options.platform.rsplit(':', 1)[1]};user=phone;transport=tls"
        via = f"Via: SIP/2.0/TLS {self.host}:5061;branch=z9hG4bK"
        wire.send([f"INVITE {uri} SIP/2.0", via + "call", *common, f"To: <sip:{self.options.number}@{self.options.name}>", "CSeq: 1 INVITE", self.contact()], self.sdp(1))
        answer = wire.read()
        while answer.status < 200:
            answer = wire.read()
        self.check("its call is taken without a password", answer.status == 200, answer.start)
        self.insist(answer, "200 of its call")
        self.check("its call: SRTP is answered", "RTP/SAVP " in answer.body and "a=crypto:1 " in answer.body, answer.body)
        target = re.search(r"<([^>]+)>", answer.get("contact")).group(1)
        wire.send([f"ACK {target} SIP/2.0", via + "ack", *common, f"To: {answer.get('to')}", "CSeq: 1 ACK"])
        wire.send([f"BYE {target} SIP/2.0", via + "bye", *common, f"To: {answer.get('to')}", "CSeq: 2 BYE"])
        bye = wire.read()
        while "BYE" not in bye.get("cseq"):
            bye = wire.read()
        self.check("its call ends with its BYE", bye.status == 200, bye.start)

    def connect(self):
        context = ssl.create_default_context(cafile=self.options.authorities)
        context.load_cert_chain(self.options.certificate)
        host, port = self.options.platform.rsplit(":", 1)
        raw = socket.create_connection((host, int(port)), timeout=20, source_address=(self.host, 0))
        return Wire(context.wrap_socket(raw, server_hostname=self.options.name))


def main():
    parser = argparse.ArgumentParser(prog="tools/lib/teams_peer.py")
    for name in ("listen", "certificate", "authorities", "name", "platform", "number"):
        parser.add_argument("--" + name, required=True)
    teams = Teams(parser.parse_args())
    wire = teams.accept()
    teams.options_answered(wire)
    # The platform must know its own carrier before that calls; it does once it has asked.
    own = teams.connect()
    teams.ask_options(own)
    print("options are exchanged", file=sys.stderr, flush=True)
    teams.be_called(wire)
    teams.call(own)
    print(json.dumps(teams.checks))
    return 0 if all(teams.checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
