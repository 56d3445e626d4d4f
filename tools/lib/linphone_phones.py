#!/usr/bin/env python3
"""Linphone by UDP, TCP and TLS, each time another one: it registers, calls baresip, holds and resumes, and is called.

Arguments: the platform's SIP port (UDP and TCP) and TLS port on 127.0.0.1 (with a certificate for localhost: linphone knows no addresses in
certificates), the authorities' file, domain, working folder, first of 40 free ports; the lines are alice (1001, baresip) and bob (1002,
linphone)."""
import json
import pathlib
import re
import sys
import time

import tone
from linphone import Linphone
from phone import Phone

sip, tls, authorities, domain, folder, first = sys.argv[1:7]
first, folder = int(first), pathlib.Path(folder)
told = {}
play = folder / "alice.wav"
tone.write(play, 440, 60)
account = f"<sip:alice@{domain}>;auth_user=alice;auth_pass=correct-horse;outbound=\"sip:127.0.0.1:{sip}\";regint=300;answermode=auto"
alice = Phone("alice", folder / "alice", "127.0.0.1", first, first + 2, account, play).start()
try:
    deadline = time.monotonic() + 30
    while "OK" not in str(alice.command("reginfo").get("data", "")) and time.monotonic() < deadline:
        time.sleep(0.1)
    for index, (name, server) in enumerate([("udp", f"sip:127.0.0.1:{sip}"), ("tcp", f"sip:127.0.0.1:{sip};transport=tcp"), ("tls", f"sip:localhost:{tls};transport=tls")]):
        phone = Linphone(folder / name, [first + 10 * index + n for n in (4, 5, 6)], authorities)
        try:
            phone.start()
            phone.register(f"bob@{domain}", server, "correct-horse")
            # Its console has no way to name a route, and DNS knows no such domain: so it calls the number at the server.
            mark, since = phone.command("call " + server.replace("sip:", "sip:1001@")), alice.mark()
            alice.wait("CALL_ESTABLISHED", since=since, timeout=30)
            phone.wait("Media streams established", since=mark)
            time.sleep(1)
            held = phone.command("pause")
            phone.wait("paused", since=held)
            resumed = phone.command("resume")
            phone.wait("resumed", "Media streams established", since=resumed)
            phone.command("terminate")
            alice.wait("CALL_CLOSED", since=since, timeout=30)
            since, mark = alice.mark(), len(phone.text)
            alice.dial(f"sip:1002@{domain}")
            phone.wait("incoming call", since=mark)
            phone.command("answer")
            alice.wait("CALL_ESTABLISHED", since=since, timeout=30)
            time.sleep(1)
            alice.hang_up()
            phone.wait("ended", since=mark)
            log = (phone.directory / "log").read_text(errors="replace")
            told[name] = {"gruu": "pub-gruu=" in log, "instance": "+sip.instance=" in log, "held": bool(re.search(r"a=(sendonly|inactive)", log))}
        finally:
            phone.stop()
    print(json.dumps(told))
finally:
    alice.stop()
