#!/usr/bin/env python3
"""What speech is worth that went by a media worker, by PESQ (tools/listening/setup): a real phone (baresip) says sentences to a phone that says again
whatever it hears, in another codec or in the same, and what comes back is compared with what was said. A codec is therefore gone through twice.

Run by the process tests; by hand: tools/lib/listening.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import pathlib
import socket
import subprocess
import sys
import time
import wave

import checked_run
import demo as base
import tone
from demo import Demo
from phone import Phone
from silent_phone import SilentPhone

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / ".build/listening/python"))
try:
    import numpy
    import pesq
except ImportError as missing:
    raise SystemExit(f"{missing}: tools/listening/setup fetches it")

TEXT = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background."
# Name of the line: extension, codec as baresip names it, rate of its speech.
LINES = {"uma": ("1040", "PCMU/8000/1", 8000), "olga": ("1041", "opus/48000/2", 16000), "gina": ("1042", "G722/16000/1", 16000), "gus": ("1043", "GSM/8000/1", 8000)}
# What echoes speak: extension, number and name. They send under the number of their own description, which is the first that we offer too.
ECHOES = {
    "PCMU": ("1050", 0, "PCMU/8000"), "PCMA": ("1051", 8, "PCMA/8000"), "opus": ("1052", 96, "opus/48000/2"), "G722": ("1053", 9, "G722/8000"), "GSM": ("1054", 3, "GSM/8000"),
    "speex": ("1055", 96, "speex/8000"), "G729": ("1056", 18, "G729/8000"), "G726-32": ("1057", 96, "G726-32/8000"),
}
# Who calls which echo, in which band it is scored, and what the score is at least: some half of a point below what was measured (docs/media.md).
CALLS = [
    ("uma", "PCMU", "nb", 3.6), ("uma", "PCMA", "nb", 3.6), ("uma", "opus", "nb", 3.0), ("uma", "G722", "nb", 3.3), ("uma", "GSM", "nb", 1.9), ("uma", "speex", "nb", 2.3),
    ("uma", "G729", "nb", 1.9), ("uma", "G726-32", "nb", 2.0), ("olga", "PCMU", "nb", 3.0), ("gina", "PCMU", "nb", 2.9), ("gus", "PCMU", "nb", 1.7), ("gina", "opus", "wb", 2.1),
]


# A phone that does not get the processor in time leaves something out, which can only make a score worse: the best of so many calls counts.
ATTEMPTS = 3


class Listening(Demo):
    calls = 0

    def speak(self):
        """The sentences, with silence around them, in each rate."""
        spoken = self.directory / "spoken.wav"
        subprocess.run(["espeak-ng", "-v", "en", "-s", "150", "-w", str(spoken), TEXT], check=True)
        samples, rate = tone.read(spoken)
        self.said = {}
        for wanted in (8000, 16000):
            # A low-pass as wide as the narrower of both rates, then the values between the samples.
            reach = numpy.arange(-200, 201) / rate
            window = numpy.sinc(2 * 0.45 * wanted * reach) * numpy.hamming(401)
            filtered = numpy.convolve(numpy.array(samples, dtype=float), window / window.sum(), "same") if wanted < rate else numpy.array(samples, dtype=float)
            at = numpy.arange(0, len(samples) / rate, 1 / wanted)
            resampled = numpy.interp(at, numpy.arange(len(filtered)) / rate, filtered)
            resampled *= 12000 / numpy.abs(resampled).max()
            pause = numpy.zeros(wanted // 2)
            self.said[wanted] = numpy.concatenate([pause, resampled, pause]).astype(numpy.int16)
            with wave.open(str(self.directory / f"said-{wanted}.wav"), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(wanted)
                # A file that ends is begun again, at a moment of which the score would have to know.
                out.writeframes(numpy.concatenate([self.said[wanted], numpy.zeros(wanted * 60, dtype=numpy.int16)]).tobytes())

    def start_phones(self):
        for index, (name, (extension, codec, rate)) in enumerate(LINES.items()):
            password = f"secret-of-{name}"
            line = self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": name, "password": password, "aliases": [extension]})
            via = "s1" if index % 2 == 0 else "s2"
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={password};outbound=\"sip:{base.SIGNAL[via][0]}\";"
                       f"regint=600;answermode=manual;audio_codecs={codec};ptime=20")
            port = base.BOB + 10 + 2 * index
            modules = "".join(f"module {m}.so\n" for m in ("opus", "g722", "gsm"))
            phone = Phone(name, self.directory / f"phone-{name}", base.PHONES, port, port + base.CONTROL_OFFSET, account, self.directory / f"said-{rate}.wav", extra=modules)
            config = phone.directory / "config"
            config.write_text(config.read_text().replace("srate 8000", f"srate {rate}"))
            self.phones[name] = phone.start()
            self.api.wait_until(f"/v1/subscribers/{line['id']}/bindings", lambda a: a["items"], f"{name} registered")
        self.api.patch(f"/v1/customers/{self.customer['id']}", {"subscribers_max": 40})
        self.echoes = {}
        for codec, (extension, number, name) in ECHOES.items():
            user = f"echo{extension}"
            self.echoes[codec] = self.held()
            port = self.echoes[codec].getsockname()[1]
            self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": user, "password": f"secret-of-{user}", "aliases": [extension], "codecs": [codec],
                                              "is_trunk": True, "trunk_addresses": [f"{base.PHONES}:{port}"]})

    @staticmethod
    def held(port=0):
        """Nobody else takes the port of an echo before it is called: phones take theirs for media from anywhere."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((base.PHONES, port))
        return made

    def talk(self, caller, codec, band):
        """What the speech that comes back in a call is worth, and what the record says of the media."""
        phone, (_, _, rate) = self.phones[caller], LINES[caller]
        extension, payload_type, name = ECHOES[codec]
        self.calls += 1
        port = self.echoes[codec].getsockname()[1]
        self.echoes[codec].close()
        echo = SilentPhone(self.directory / f"echo-{self.calls}", base.PHONES, port, codec=(payload_type, name), echoes=True)
        phone.forget_recordings()
        mark = phone.mark()
        phone.dial(f"sip:{extension}@{base.DOMAIN}")
        phone.wait("CALL_ESTABLISHED", since=mark, timeout=20)
        seconds, deadline = len(self.said[rate]) / rate + 0.5, time.monotonic() + 60
        heard, heard_rate = (), rate
        while len(heard) < seconds * heard_rate:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{caller} heard {len(heard) / heard_rate} s of an echo in {codec} within 60 s")
            time.sleep(0.1)
            for file in phone.heard_files():
                heard, heard_rate = tone.read(file)
        phone.hang_up()
        if echo.finish() != 0:
            raise RuntimeError(f"the echo in {codec} had another call than it waited for: {self.directory}/echo-{self.calls}/errors")
        self.echoes[codec] = self.held(port)
        # What G.711 leaves is scored as telephones are. It has nothing above 4 kHz, and what baresip records of Opus, at 48,000, nothing above 8: samples are left out.
        rate = 8000 if band == "nb" else rate
        heard = numpy.array(heard[:int(seconds * heard_rate)], dtype=numpy.int16)[::heard_rate // rate]
        return round(float(pesq.pesq(rate, self.said[rate], heard, band)), 2), self.newest_cdr(self.calls)["media"]

    def score(self, caller, codec, band, least):
        attempts = []
        while len(attempts) < ATTEMPTS and (not attempts or attempts[-1][0] < least):
            attempts.append(self.talk(caller, codec, band))
        score, media = max(attempts, key=lambda attempt: attempt[0])
        spoken = LINES[caller][1]
        self.check(f"{spoken} with an echo in {codec}: speech comes back worth at least {least} ({band})", score >= least, scores=[s for s, _ in attempts])
        converted = spoken.split("/")[0] != codec
        self.check(f"{spoken} with an echo in {codec}: {'converted' if converted else 'passed on'}, as the record says", bool(media["converted"]) == converted
                   and media["called"]["codec"].lower() == codec.lower(), codec=media["called"]["codec"], lost=media["caller"]["lost"])

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.provision()
        self.speak()
        self.start_phones()
        for call in CALLS:
            self.say(f"{call[0]} calls an echo in {call[1]}")
            self.score(*call)


if __name__ == "__main__":
    sys.exit(checked_run.main("listening", Listening, ("baresip", "sipp", "espeak-ng")))
