#!/usr/bin/env python3
"""Chromium against the platform: it calls a SIP phone and is called by one, over WSS, DTLS-SRTP and ICE, while strangers send to its ports;
and baresip with DTLS-SRTP, with SDES and with ICE.

Run by the process tests; by hand: tools/lib/browsers.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import json
import os
import random
import socket
import sys
import threading
import time

import checked_run
import demo as base
import tone
from browser_phone import BrowserError, BrowserPhone
from phone import Phone
from transports import HOST, Transports

MICROPHONE, SECOND_MICROPHONE = 700, 1100


class Browsers(Transports):
    def origins(self, worker):
        return [f"http://127.0.0.1:{browser.port}" for browser in (self.browser, self.second)] if worker == "s1" else ["https://elsewhere.example"]

    def start_phones(self):
        for name, hertz, port in (("alice", base.ALICE_TONE, base.ALICE), ("bob", base.BOB_TONE, base.BOB)):
            play = self.directory / f"{name}.wav"
            tone.write(play, hertz, 60)
            # alice's phone has the one or the other kind of encryption, in calls of its own.
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={self.passwords[name]};outbound=\"sip:{base.SIGNAL['s2'][0]}\";"
                       "regint=600;answermode=manual;audio_codecs=PCMU,PCMA;ptime=20")
            if name == "bob":
                self.phones[name] = Phone(name, self.directory / f"phone-{name}", base.PHONES, port, port + base.CONTROL_OFFSET, account, play).start()
            else:
                self.account, self.tone_of_alice = account, play
        self.api.wait_until(f"/v1/subscribers/{self.bob['id']}/bindings", lambda a: a["items"], "bob registered")

    def alice_with(self, title, more, modules):
        bindings = f"/v1/subscribers/{self.alice['id']}/bindings"
        if "alice" in self.phones and not self.phones["alice"].stop():
            self.api.request("DELETE", bindings)
        self.api.wait_until(bindings, lambda a: not a["items"], "alice's old phone gone")
        port = base.ALICE
        extra = "\n".join(f"module {m}" for m in modules)
        self.phones["alice"] = Phone("alice", self.directory / f"phone-alice-{title}", base.PHONES, port, port + base.CONTROL_OFFSET,
                                     self.account + more, self.tone_of_alice, extra=extra).start()
        self.api.wait_until(bindings, lambda a: a["items"], "alice registered")

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.certificates.mkdir()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=root",
                     "-keyout", str(self.directory / "root.key"), "-out", str(self.root))
        self.issue(HOST)
        password = "over the web"
        microphone = self.directory / "microphone.wav"
        tone.write(microphone, MICROPHONE, 20, rate=48_000)
        # It takes its time to start, while the platform does.
        self.browser = BrowserPhone(self.directory / "browser", microphone).start()
        other = self.directory / "microphone-2.wav"
        tone.write(other, SECOND_MICROPHONE, 20, rate=48_000)
        self.second = BrowserPhone(self.directory / "browser-2", other).start()
        self.start_platform()
        self.provision()
        self.start_phones()
        self.wanda = self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "wanda", "password": password, "aliases": ["1002"], "display_name": "Wanda"})
        try:
            status = self.browser.register(f"wss://127.0.0.1:{self.ports['s2']['wss']}/", "wanda", base.DOMAIN, password)
        except BrowserError as error:
            status = str(error)
        self.check("Chromium is refused where its page is not allowed", status != 200, told=status)
        self.check("the worker's log says whose page it was", self.processes["s2"].says(f"WebSocket is not open to pages of http://127.0.0.1:{self.browser.port}"))
        status = self.browser.register(f"wss://127.0.0.1:{self.ports['s1']['wss']}/", "wanda", base.DOMAIN, password)
        self.check("Chromium registers over WSS", status == 200, status=status)
        self.browser_calls_phone()
        self.phone_calls_browser()
        self.browser_calls_browser(password)
        for browser in (self.browser, self.second):
            browser.stop()
        self.encrypted_phones()

    # -- the browser -----------------------------------------------------------------------------

    def legs(self, number):
        media = self.newest_cdr(number)["media"]
        return media["caller"], media["called"]

    def speech(self, title):
        """Both talk until each has heard the other for two seconds."""
        by_browser, by_bob = self.browser.hears(base.BOB_TONE, 2), self.phones["bob"].hears(MICROPHONE, 2)
        self.check(f"{title}: each side heard the tone that the other played", by_browser >= 2 and by_bob >= 2,
                   seconds_heard_by_browser=by_browser, seconds_heard_by_phone=by_bob)

    def browser_calls_phone(self):
        self.say("Chromium calls bob (RTP over UDP), and strangers send to its ports")
        bob, browser = self.phones["bob"], self.browser
        mark = bob.mark()
        bob.forget_recordings()
        answering = threading.Thread(target=lambda: (bob.wait("CALL_INCOMING", since=mark, timeout=15), bob.answer()))
        answering.start()
        call = browser.do("call", "1001")
        answering.join()
        self.check("Chromium's call is answered", call["status"] == 200, status=call["status"])
        answer = call["answer"]
        self.check("its answer is ICE-lite with DTLS, one port and one bundle",
                   all(part in answer for part in ("a=ice-lite", "a=setup:passive", "a=rtcp-mux", "a=group:BUNDLE 0", "UDP/TLS/RTP/SAVPF", "a=candidate:1 1 UDP ")))
        browser.wait("MEDIA", state="connected")
        port = int(answer.split("m=audio ")[1].split(" ")[0])
        sent = self.attack(port)
        self.speech("Chromium to phone")
        figures = browser.do("statistics")
        self.check("Chromium says that media are SRTP by DTLS, with next to nothing lost", figures["dtls"] == "connected" and figures["lost"] <= figures["received"] / 100 and figures["received"] > 100,
                   cipher=figures["srtp"], dtls=figures["dtlsVersion"], codec=figures["codec"], received=figures["received"], lost=figures["lost"])
        restarted = browser.do("restart")
        fragment = lambda sdp: sdp.split("a=ice-ufrag:")[1].split("\r\n")[0]
        self.check("an ICE restart is answered with new credentials", restarted["status"] == 200 and fragment(restarted["answer"]) != fragment(answer))
        after = browser.hears(base.BOB_TONE, 1.5)
        self.check("and bob is heard after it as before", after >= 1.5, seconds_heard=after)
        mark = bob.mark()
        self.check("Chromium hangs up", browser.do("hangUp") == 200)
        bob.wait("CALL_CLOSED", since=mark)
        cdr = self.newest_cdr(1)
        a, _ = self.legs(1)
        drops = {d["reason"]: d["packets"] for d in a["drops"]}
        self.check("the call has its record, and says how Chromium's side was protected", cdr["cause"] == "caller_hung_up" and a["protection"].startswith("dtls "),
                   protection=a["protection"])
        self.check("strangers' packets were dropped and are on the record by reason", drops.get("stranger", 0) >= sent["rtp"] + sent["dtls"] and drops.get("wrong_password", 0) >= sent["stun"],
                   sent=json.dumps(sent), dropped=json.dumps(drops))

    def attack(self, port):
        """RTP, handshakes, and checks with a wrong password, from elsewhere."""
        generator = random.Random(7)
        hello = bytes.fromhex("16feff0000000000000000") + (100).to_bytes(2, "big") + generator.randbytes(100)
        check = (bytes.fromhex("000100382112a442") + generator.randbytes(12) + bytes.fromhex("00060008") + b"abcd:efg" + bytes.fromhex("00080014") + generator.randbytes(20))
        check = check[:2] + (len(check) - 20 + 8).to_bytes(2, "big") + check[4:]
        import zlib
        check += bytes.fromhex("80280004") + (zlib.crc32(check) ^ 0x5354554E).to_bytes(4, "big")
        rtp = bytes([0x80, 0]) + generator.randbytes(170)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.9", 0))
            for _ in range(200):
                for packet in (rtp, hello, check):
                    stranger.sendto(packet, ("127.0.0.1", port))
                time.sleep(0.001)
        return {"rtp": 200, "dtls": 200, "stun": 200}

    def phone_calls_browser(self):
        self.say("bob calls Chromium")
        bob, browser = self.phones["bob"], self.browser
        mark, mark_b = bob.mark(), browser.mark()
        bob.forget_recordings()
        bob.dial(f"sip:1002@{base.DOMAIN}")
        offer = browser.wait("INCOMING", since=mark_b)["offer"]
        self.check("Chromium is offered DTLS, and nothing that it does not understand", "UDP/TLS/RTP/SAVPF" in offer and "a=setup:actpass" in offer and "a=group:BUNDLE" in offer)
        browser.do("answer")
        bob.wait("CALL_ESTABLISHED", since=mark)
        browser.wait("MEDIA", since=mark_b, state="connected")
        self.speech("phone to Chromium")
        # A phone that holds makes an offer, which the browser answers.
        mark_b = browser.mark()
        bob.command("hold")
        held = browser.wait("REINVITED", since=mark_b)["offer"]
        self.check("bob's hold reaches Chromium", "a=sendonly" in held or "a=inactive" in held)
        mark_b = browser.mark()
        bob.command("resume")
        browser.wait("REINVITED", since=mark_b)
        heard = browser.hears(base.BOB_TONE, 1)
        self.check("and after it bob is heard again", heard >= 1.0, seconds_heard=heard)
        mark_b = browser.mark()
        bob.hang_up()
        browser.wait("CLOSED", since=mark_b)
        _, b = self.legs(2)
        self.check("the called side's protection is on the record", b["protection"].startswith("dtls "), protection=b["protection"])

    def browser_calls_browser(self, password):
        self.say("Chromium calls Chromium")
        first, second = self.browser, self.second
        self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "wilma", "password": password, "aliases": ["1003"]})
        status = second.register(f"wss://127.0.0.1:{self.ports['s1']['wss']}/", "wilma", base.DOMAIN, password)
        self.check("a second Chromium registers", status == 200, status=status)
        marks = {browser: browser.mark() for browser in (first, second)}
        calling = first.send("call", "1003")
        offer = second.wait("INCOMING", since=marks[second], timeout=30)["offer"]
        second.do("answer")
        call = first.result(calling)
        self.check("each is offered, and answered, DTLS with a key of ours, not of the other",
                   call["status"] == 200 and all("UDP/TLS/RTP/SAVPF" in sdp for sdp in (offer, call["answer"])) and "a=ice-lite" in offer and "a=ice-lite" in call["answer"])
        for browser in (first, second):
            browser.wait("MEDIA", since=marks[browser], state="connected", timeout=30)
        by_first, by_second = first.hears(SECOND_MICROPHONE, 2), second.hears(MICROPHONE, 2)
        figures = first.do("statistics")
        self.check("Chromium to Chromium: each side heard the tone that the other played", by_first >= 2 and by_second >= 2 and figures["lost"] <= figures["received"] / 100,
                   seconds_heard_by_caller=by_first, seconds_heard_by_called=by_second, codec=figures["codec"], lost=figures["lost"])
        first.do("hangUp")
        second.wait("CLOSED", since=marks[second])
        a, b = self.legs(3)
        self.check("both sides' protection is on the record", all(leg["protection"].startswith("dtls ") for leg in (a, b)), caller=a["protection"], called=b["protection"])

    # -- phones ----------------------------------------------------------------------------------

    def encrypted_phones(self):
        number = 3
        for title, more, modules, security, expected in (
                ("dtls", ";mediaenc=dtls_srtp", ["dtls_srtp.so"], "dtls", "dtls "),
                ("sdes", ";mediaenc=srtp-mand", [], "sdes", "sdes "),
                ("ice", ";medianat=ice", ["ice.so"], "plain", "")):
            self.say(f"baresip with {more.strip(';')} calls bob and is called")
            self.alice_with(title, more, modules)
            self.api.request("PATCH", f"/v1/subscribers/{self.alice['id']}", {"media_security": security})
            # Plain phones are not offered ICE, and baresip 1.0 with it sends nothing then. With ICE and DTLS together it is heard in most calls
            # that it makes and not in all, so that is not held to (docs/interop.md).
            for caller, called, alias in (("alice", "bob", "1001"), ("bob", "alice", "1000"))[:1 if "ice" in title else 2]:
                figures = self.call(caller, called, f"sip:{alias}@{base.DOMAIN}", 2.5, caller)
                number += 1
                # A handshake whose first message is lost begins again after a second.
                self.speech_check(f"{title}, {caller} calls {called}", figures, 1.2)
                legs = dict(zip("ab", self.legs(number)))
                leg = legs["a" if caller == "alice" else "b"]
                self.check(f"{title}, {caller} calls {called}: alice's side was protected as asked", leg["protection"].startswith(expected) and bool(leg["protection"]) == bool(expected),
                           protection=leg["protection"] or "none")

    def stop(self):
        for browser in (getattr(self, name) for name in ("browser", "second") if hasattr(self, name)):
            browser.stop()
        return super().stop()


if __name__ == "__main__":
    sys.exit(checked_run.main("browsers", Browsers, ("baresip", "openssl", "chromium")))
