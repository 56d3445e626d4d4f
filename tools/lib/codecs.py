#!/usr/bin/env python3
"""Real phones that share no codec call each other: baresip with Opus, G.722, GSM and G.711, each of them with one only.

Run by the process tests; by hand: tools/lib/codecs.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import decimal
import math
import sys
import time

import checked_run
import demo as base
import tone
from demo import Demo
from phone import Phone

# Name of the line: extension, codec as baresip names it, as the record names it, and the tone that it plays.
LINES = {
    "olga": ("1010", "opus/48000/2", "opus", 440),
    "uma": ("1011", "PCMU/8000/1", "PCMU", 620),
    "gina": ("1012", "G722/16000/1", "G722", 880),
    "gus": ("1013", "GSM/8000/1", "GSM", 520),
    "paul": ("1015", "PCMA/8000/1", "PCMA", 1000),
}
# Who calls whom; every codec is heard and spoken.
CALLS = [("olga", "uma"), ("uma", "olga"), ("gina", "paul"), ("gus", "gina"), ("paul", "gus"), ("olga", "gina")]
AMPLITUDE = 12000


class Codecs(Demo):
    def start_phones(self):
        self.ids = {}
        for index, (name, (extension, codec, _, hertz)) in enumerate(LINES.items()):
            password = f"secret-of-{name}"
            # One line may be offered nothing else.
            codecs = ["GSM"] if name == "gus" else []
            line = self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": name, "password": password, "aliases": [extension], "codecs": codecs})
            self.ids[name] = line["id"]
            play = self.directory / f"{name}.wav"
            tone.write(play, hertz, 60, rate=16000 if codec.startswith(("opus", "G722")) else 8000, amplitude=AMPLITUDE)
            via = "s1" if index % 2 == 0 else "s2"
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={password};outbound=\"sip:{base.SIGNAL[via][0]}\";"
                       f"regint=600;answermode=manual;audio_codecs={codec};ptime=20")
            # baresip takes the next port too.
            port = base.BOB + 10 + 2 * index
            modules = "".join(f"module {m}.so\n" for m in ("opus", "g722", "gsm"))
            rate = 16000 if codec.startswith(("opus", "G722")) else 8000
            phone = Phone(name, self.directory / f"phone-{name}", base.PHONES, port, port + base.CONTROL_OFFSET, account, play, extra=modules)
            if rate == 16000:
                config = phone.directory / "config"
                config.write_text(config.read_text().replace("ausrc_srate 8000", "ausrc_srate 16000").replace("auplay_srate 8000", "auplay_srate 16000"))
            self.phones[name] = phone.start()
        for name, line in self.ids.items():
            self.api.wait_until(f"/v1/subscribers/{line}/bindings", lambda a: a["items"], f"{name} registered")

    def level(self, path, hertz):
        """Decibels of the tone that is heard, against that which was played, in the part in which it is heard."""
        samples, rate = tone.read(path)
        size = rate // 10
        loud = [samples[i:i + size] for i in range(0, len(samples) - size, size)]
        loud = [part for part in loud if tone.power(part, rate, hertz) > 0.8]
        if not loud:
            return None
        energy = sum(s * s for part in loud for s in part) / sum(len(part) for part in loud)
        return round(10 * math.log10(energy / (AMPLITUDE * AMPLITUDE / 2)), 1)

    def talk(self, number, caller, called, seconds=2.5):
        a, b = self.phones[caller], self.phones[called]
        mark_a, mark_b = a.mark(), b.mark()
        a.dial(f"sip:{LINES[called][0]}@{base.DOMAIN}")
        b.wait("CALL_INCOMING", since=mark_b, timeout=15)
        b.answer()
        a.wait("CALL_ESTABLISHED", since=mark_a)
        b.wait("CALL_ESTABLISHED", since=mark_b)
        time.sleep(seconds)
        mark = b.mark()
        a.hang_up()
        b.wait("CALL_CLOSED", since=mark, timeout=20)
        time.sleep(0.2)
        of_a, of_b = LINES[caller], LINES[called]
        title = f"{of_a[2]} calls {of_b[2]}"
        at_a, at_b = tone.heard(a.recording(), of_b[3]), tone.heard(b.recording(), of_a[3])
        self.check(f"{title}: each side hears the other's tone", at_a >= 1.5 and at_b >= 1.5, seconds_at_caller=at_a, seconds_at_called=at_b)
        levels = self.level(a.recording(), of_b[3]), self.level(b.recording(), of_a[3])
        self.check(f"{title}: as loud as it was played", all(l is not None and abs(l) <= 2 for l in levels), decibels_at_caller=levels[0], decibels_at_called=levels[1])
        media = self.newest_cdr(number)["media"]
        self.check(f"{title}: the record says so", media["converted"] and media["caller"]["codec"].lower() == of_a[2].lower()
                   and media["called"]["codec"].lower() == of_b[2].lower(), codec_of_caller=media["caller"]["codec"], codec_of_called=media["called"]["codec"])
        for side in ("caller", "called"):
            mos = media[side]["mos"]
            self.check(f"{title}: the {side}'s speech came well", mos is not None and decimal.Decimal(mos) >= decimal.Decimal("3.4") and media[side]["lost"] == 0,
                       mos=mos, lost=media[side]["lost"], jitter_us=media[side]["jitter_us"])

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.provision()
        self.start_phones()
        for number, (caller, called) in enumerate(CALLS, start=1):
            self.say(f"{caller} ({LINES[caller][2]}) calls {called} ({LINES[called][2]})")
            self.talk(number, caller, called)


if __name__ == "__main__":
    sys.exit(checked_run.main("codecs", Codecs, ("baresip",)))
