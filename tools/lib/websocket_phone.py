"""A SIP phone over WebSocket (RFC 7118), made of sockets alone: registers with digest, calls, is called, sends no sound."""
import base64
import hashlib
import os
import re
import socket
import ssl
import struct


class WebSocketPhone:
    def __init__(self, name, domain, password, address, port, is_secure=False, authority=None, server_name=None, origin=None):
        self.name, self.domain, self.password = name, domain, password
        self.contact = f"{name}@{os.urandom(4).hex()}.invalid"
        self.cseq, self.tag, self.data = 0, os.urandom(4).hex(), b""
        self.transport = "WSS" if is_secure else "WS"
        self.socket = socket.create_connection((address, port), timeout=10)
        if is_secure:
            context = ssl.create_default_context(cafile=authority)
            self.socket = context.wrap_socket(self.socket, server_hostname=server_name)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET / HTTP/1.1\r\nHost: {server_name or address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n{f'Origin: {origin}' + chr(13) + chr(10) if origin else ''}\r\n").encode())
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        if not head.startswith(b"HTTP/1.1 101 "):
            raise PermissionError(head.split(b"\r\n")[0].decode())
        assert accept.encode() in head, head
        self.tls = self.socket.version() if is_secure else None

    def _more(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError(f"{self.name}: the server closed the connection")
        self.data += chunk

    def _send_frame(self, opcode, payload):
        mask = os.urandom(4)
        length = struct.pack("!B", 0x80 | len(payload)) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))

    def _frame(self):
        while True:
            if len(self.data) >= 2:
                size, start = self.data[1] & 0x7F, 2
                assert not self.data[1] & 0x80, "a server does not mask"
                if size == 126 and len(self.data) >= 4:
                    size, start = struct.unpack("!H", self.data[2:4])[0], 4
                if size != 126 and len(self.data) >= start + size or start == 4 and len(self.data) >= start + size:
                    opcode, payload = self.data[0] & 0x0F, self.data[start:start + size]
                    self.data = self.data[start + size:]
                    return opcode, payload
            self._more()

    def ping(self, payload):
        """The pong's payload."""
        self._send_frame(9, payload)
        opcode, payload = self._frame()
        assert opcode == 10, opcode
        return payload

    def receive(self, *wanted):
        """The next message whose first line holds one of `wanted`; others are passed over."""
        while True:
            opcode, payload = self._frame()
            text = payload.decode()
            if opcode in (1, 2) and any(w in text.split("\r\n", 1)[0] for w in wanted):
                return text

    def _request(self, method, uri, to, call_id, cseq, extra="", body="", branch=None):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.branch = branch or "z9hG4bK" + os.urandom(6).hex()
        text = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{self.transport} {self.contact.split('@')[1]};branch={self.branch}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{self.name}@{self.domain}>;tag={self.tag}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
                f"CSeq: {cseq} {method}\r\nContact: <sip:{self.contact};transport=ws>\r\n{extra}{kind}Content-Length: {len(body)}\r\n\r\n{body}")
        self._send_frame(1, text.encode())

    def _credentials(self, challenge, method, uri):
        realm, nonce = (re.search(f'{n}="([^"]*)"', challenge).group(1) for n in ("realm", "nonce"))
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        cnonce = os.urandom(4).hex()
        response = md5(":".join([md5(f"{self.name}:{realm}:{self.password}"), nonce, "00000001", cnonce, "auth", md5(f"{method}:{uri}")]))
        return (f'Digest username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=MD5, qop=auth, nc=00000001, '
                f'cnonce="{cnonce}", response="{response}"')

    @staticmethod
    def field(message, name):
        return re.search(rf"^{name}:\s*(.*?)\r$", message, re.M | re.I).group(1)

    def register(self, expires=600):
        call_id, uri, to = os.urandom(8).hex(), f"sip:{self.domain}", f"<sip:{self.name}@{self.domain}>"
        self._request("REGISTER", uri, to, call_id, 1, f"Expires: {expires}\r\n")
        challenge = self.receive("401")
        answer = self._credentials(self.field(challenge, "WWW-Authenticate"), "REGISTER", uri)
        self._request("REGISTER", uri, to, call_id, 2, f"Expires: {expires}\r\nAuthorization: {answer}\r\n")
        return self.receive("SIP/2.0 ").split(" ")[1]

    def description(self):
        return ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")

    def answer_to(self, invite):
        """What a browser would say: keyed by DTLS, with its part of ICE. It makes no checks and sends no sound."""
        if "UDP/TLS/RTP/SAVPF" not in invite:
            return self.description()
        fingerprint = ":".join(["AB"] * 32)
        return (self.description().replace("RTP/AVP", "UDP/TLS/RTP/SAVPF") + f"a=mid:0\r\na=rtcp-mux\r\na=setup:active\r\na=ice-ufrag:{os.urandom(4).hex()}\r\n"
                f"a=ice-pwd:{os.urandom(12).hex()}\r\na=fingerprint:sha-256 {fingerprint}\r\n")

    def call(self, user):
        """Calls, is answered, and hangs up; the Contact that we were given."""
        call_id, uri = os.urandom(8).hex(), f"sip:{user}@{self.domain}"
        self._request("INVITE", uri, f"<{uri}>", call_id, 1, body=self.description())
        challenge = self.receive("407")
        self._request("ACK", uri, self.field(challenge, "To"), call_id, 1, branch=self.branch)
        answer = self._credentials(self.field(challenge, "Proxy-Authenticate"), "INVITE", uri)
        self._request("INVITE", uri, f"<{uri}>", call_id, 2, f"Proxy-Authorization: {answer}\r\n", self.description())
        ok = self.receive("SIP/2.0 200", "SIP/2.0 4", "SIP/2.0 5", "SIP/2.0 6")
        assert ok.startswith("SIP/2.0 200"), ok
        self.dialog = (re.search("<(.*?)>", self.field(ok, "Contact")).group(1), self.field(ok, "To"), call_id)
        self._request("ACK", self.dialog[0], self.dialog[1], call_id, 2)
        return self.dialog[0]

    def hang_up(self):
        target, to, call_id = self.dialog
        self._request("BYE", target, to, call_id, 3)
        self.receive("SIP/2.0 200")

    def _respond(self, request, status, body=""):
        names = "Via", "From", "To", "Call-ID", "CSeq"
        fields = {n: self.field(request, n) for n in names}
        if ";tag=" not in fields["To"]:
            fields["To"] += ";tag=" + self.tag
        kind = "Content-Type: application/sdp\r\n" if body else ""
        head = "".join(f"{n}: {v}\r\n" for n, v in fields.items())
        self._send_frame(1, f"SIP/2.0 {status}\r\n{head}Contact: <sip:{self.contact};transport=ws>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def be_called(self):
        """Rings, answers, and waits for the other side to hang up."""
        invite = self.receive("INVITE ")
        self._respond(invite, "180 Ringing")
        self._respond(invite, "200 OK", self.answer_to(invite))
        self.receive("ACK ")
        return invite

    def wait_for_bye(self):
        self._respond(self.receive("BYE "), "200 OK")

    def close(self):
        self.socket.close()
