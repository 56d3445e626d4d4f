#!/usr/bin/env python3
"""Three phones talk together: what each hears of the two others, and of itself, is measured.

Run by the process tests; by hand: tools/lib/conferences.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import pathlib
import sys
import time

import checked_run
import demo as base
import tone
from demo import Demo
from phone import Phone

# Name of the line: extension, codec, tone that it plays.
LINES = {
    "rita": ("1020", "PCMU/8000/1", 440),
    "sam": ("1021", "PCMA/8000/1", 700),
    "gina": ("1022", "G722/16000/1", 1100),
    "otto": ("1023", "PCMU/8000/1", 1500),
}
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def share(samples, rate, hertz, first, last):
    """The tone's share of what there is between two times, in the middle one of its tenths of a second."""
    size = rate // 10
    part = samples[max(0, int(first * rate)):int(last * rate)]
    shares = sorted(tone.power(part[i:i + size], rate, hertz) for i in range(0, len(part) - size + 1, size))
    return round(shares[len(shares) // 2], 2) if shares else 0.0


class Conferences(Demo):
    def start_phones(self):
        for index, (name, (extension, codec, hertz)) in enumerate(LINES.items()):
            password = f"secret-of-{name}"
            line = self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": name, "password": password, "aliases": [extension]})
            play = self.directory / f"{name}.wav"
            rate = 16000 if codec.startswith("G722") else 8000
            tone.write(play, hertz, 60, rate=rate, amplitude=8000)
            via = "s1" if index % 2 == 0 else "s2"
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={password};outbound=\"sip:{base.SIGNAL[via][0]}\";"
                       f"regint=600;answermode=manual;audio_codecs={codec};ptime=20")
            port = base.BOB + 10 + 2 * index
            phone = Phone(name, self.directory / f"phone-{name}", base.PHONES, port, port + base.CONTROL_OFFSET, account, play, extra="module g722.so\n")
            if rate == 16000:
                config = phone.directory / "config"
                config.write_text(config.read_text().replace("ausrc_srate 8000", "ausrc_srate 16000").replace("auplay_srate 8000", "auplay_srate 16000"))
            self.phones[name] = phone.start()
            self.api.wait_until(f"/v1/subscribers/{line['id']}/bindings", lambda a: a["items"], f"{name} registered")

    def join(self, name, room):
        phone = self.phones[name]
        mark = phone.mark()
        phone.forget_recordings()
        phone.dial(f"sip:{room}@{base.DOMAIN}")
        phone.wait("CALL_ESTABLISHED", since=mark, timeout=30)
        return phone

    def says(self, phone, prompt, timeout=60):
        """Waits until the phone has heard that prompt; how like it what was heard is."""
        deadline = time.monotonic() + timeout
        while True:
            files = phone.heard_files()
            likeness = max((tone.says(path, ROOT / "Sources/CPrompts/audio" / f"{prompt}.en.wav")[0] for path in files), default=0)
            if likeness >= 0.9 or time.monotonic() > deadline:
                return likeness
            time.sleep(0.2)

    def press(self, phone, keys):
        """As a person does: the next key when the one before has been let go of."""
        for key in keys:
            phone.command("sndcode", key)
            # The phone sends a key for as long as it likes, and says nothing of its end.
            time.sleep(0.3)

    def leave(self, names):
        for name in names:
            phone = self.phones[name]
            mark = phone.mark()
            phone.hang_up()
            phone.wait("CALL_CLOSED", since=mark, timeout=20)

    def three(self):
        names = ["rita", "sam", "gina"]
        for name in names:
            self.join(name, "7000")
        # What is measured is the time when all three are in: two seconds of both others, or as much as there is after a while.
        figures = {name: self.mixed(name, names) for name in names}
        self.leave(names)
        for name, (others, own) in figures.items():
            self.check(f"three: {name} hears the two others, and not itself", min(others.values()) >= 0.3 and own <= 0.02 and abs(sum(others.values()) - 1) < 0.15,
                       own=own, **{f"of_{other}": value for other, value in others.items()})
        answer = self.api.wait_until("/v1/cdrs?limit=100", lambda a: len(a["items"]) >= 3, "three records")
        self.check("three: each participant has a record", all(c["called"]["number"] == "7000" and c["cause"] == "caller_hung_up" for c in answer["items"][:3]))

    def mixed(self, name, names, seconds=2, timeout=60):
        """Shares of the others and of itself in the last seconds that a phone has heard, as soon as those hold both others."""
        deadline = time.monotonic() + timeout
        while True:
            path = max(self.phones[name].heard_files(), key=lambda f: f.stat().st_mtime, default=None)
            samples, rate = tone.read(path) if path else ((), 8000)
            end = len(samples) / rate
            shares = {other: share(samples, rate, LINES[other][2], end - seconds, end) for other in names}
            own = shares.pop(name)
            if end > seconds and min(shares.values()) >= 0.3 or time.monotonic() > deadline:
                return shares, own
            time.sleep(0.1)

    def pin(self):
        rita = self.join("rita", "7001")
        asked = self.says(rita, "conference_pin")
        self.press(rita, "1234")
        wrong = self.says(rita, "conference_wrong_pin")
        self.press(rita, "4711")
        otto = self.join("otto", "7001")
        self.says(otto, "conference_pin")
        self.press(otto, "4711")
        heard = rita.hears(LINES["otto"][2], 1)
        self.leave(["rita", "otto"])
        self.check("pin: it is asked for, a wrong one is said to be wrong, the right one lets in", asked >= 0.9 and wrong >= 0.9 and heard >= 1,
                   asked=asked, wrong=wrong, seconds_heard=heard)

    def full(self):
        self.join("rita", "7002")
        self.join("sam", "7002")
        otto = self.phones["otto"]
        mark = otto.mark()
        self.join("otto", "7002")
        otto.wait("CALL_CLOSED", since=mark, timeout=15)
        self.leave(["rita", "sam"])
        said = self.says(otto, "conference_full")
        self.check("full: who comes after the last hears so, and the call ends", said >= 0.9, likeness=said)

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.provision()
        self.start_phones()
        self.api.patch(f"/v1/tenants/{self.tenant['id']}", {"rooms": [
            {"extension": "7000", "name": "open", "silent": True}, {"extension": "7001", "name": "closed", "pin": "4711"},
            {"extension": "7002", "name": "small", "participants_max": 2}]})
        self.three()
        self.pin()
        self.full()


if __name__ == "__main__":
    sys.exit(checked_run.main("conferences", Conferences, ("baresip",)))
