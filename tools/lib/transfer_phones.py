#!/usr/bin/env python3
"""Three baresip phones: one calls another, which puts it on hold, takes it back, and sends it on to the third at once. What was recorded
says whom each has heard. Arguments: address of the platform's SIP port, domain, working folder, first of nine free ports; the lines are
alice, bob (1002) and carol (1003)."""
import json
import pathlib
import sys
import time

import tone
from phone import Phone

server, domain, folder, first = sys.argv[1:5]
# A machine that builds beside the tests is slow.
WAIT = 40
TONES = {"alice": 440, "bob": 660, "carol": 880}
phones = {}
try:
    for index, (name, hertz) in enumerate(TONES.items()):
        play = pathlib.Path(folder) / f"{name}.wav"
        tone.write(play, hertz, 60)
        # The next port is where it listens for TLS.
        port = int(first) + 3 * index
        account = (f"<sip:{name}@{domain}>;auth_user={name};auth_pass=correct-horse;outbound=\"sip:{server}\";"
                   f"regint=300;answermode={'manual' if name == 'alice' else 'auto'}")
        phones[name] = Phone(name, pathlib.Path(folder) / name, "127.0.0.1", port, port + 2, account, play).start()
        # It may have registered before its control socket was there to tell.
        deadline = time.monotonic() + WAIT
        while "OK" not in str(phones[name].command("reginfo").get("data", "")):
            if time.monotonic() > deadline:
                raise SystemExit(f"{name} is not registered: {phones[name].command('reginfo')}")
    alice, bob, carol = phones["alice"], phones["bob"], phones["carol"]
    alice.dial(f"sip:1002@{domain}")
    bob.wait("CALL_ESTABLISHED", timeout=WAIT)
    alice.wait("CALL_ESTABLISHED", timeout=WAIT)
    mark = bob.mark()
    # Its re-INVITE that resumes is still under way when it transfers, as when a person does it.
    replies = [bob.command("hold"), bob.command("resume"), bob.command("transfer", f"sip:1003@{domain}")]
    carol.wait("CALL_ESTABLISHED", timeout=WAIT)
    bob.wait("CALL_CLOSED", since=mark, timeout=WAIT)
    # They talk: the recordings are what was played to the phones, and are there when the call has ended.
    time.sleep(4)
    alice.hang_up()
    carol.wait("CALL_CLOSED", timeout=WAIT)
    print(json.dumps({"replies": [r.get("ok") for r in replies], "alice_at_carol": tone.heard(carol.recording(), TONES["alice"]),
                      "bob": [e["type"] for _, e in bob.events[mark:]]}))
finally:
    for phone in phones.values():
        phone.stop()
