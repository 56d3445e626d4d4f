"""Three baresip phones: one calls another, which puts it on hold, takes it back, and sends it on to the third. What each recorded says
whom it has heard. Arguments: address of the platform's SIP port, domain, working folder, path of tools/lib, first of nine free ports."""
import json
import pathlib
import sys
import time

server, domain, folder, library, first = sys.argv[1:6]
sys.path.insert(0, library)
import tone  # noqa: E402
from phone import Phone  # noqa: E402

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
        deadline = time.monotonic() + 20
        while "OK" not in str(phones[name].command("reginfo").get("data", "")):
            if time.monotonic() > deadline:
                raise SystemExit(f"{name} is not registered: {phones[name].command('reginfo')}")
    alice, bob, carol = phones["alice"], phones["bob"], phones["carol"]
    alice.dial(f"sip:1002@{domain}")
    bob.wait("CALL_ESTABLISHED")
    alice.wait("CALL_ESTABLISHED")
    replies = [bob.command("hold"), bob.command("resume")]
    mark = bob.mark()
    replies.append(bob.command("transfer", f"sip:1003@{domain}"))
    carol.wait("CALL_ESTABLISHED", timeout=20)
    bob.wait("CALL_CLOSED", since=mark, timeout=20)
    # Long enough to be heard: the recordings are what was played to the phones.
    carol.wait("CALL_RTCP", "CALL_CLOSED", timeout=20)
    alice.hang_up()
    carol.wait("CALL_CLOSED", timeout=20)
    print(json.dumps({"replies": [r.get("ok") for r in replies], "alice_at_carol": tone.heard(carol.recording(), TONES["alice"])}))
finally:
    for phone in phones.values():
        phone.stop()
