#!/usr/bin/env python3
"""Calls that are recorded and held: what the recording holds of each side is measured, and what is heard on hold.

Run by the process tests; by hand: tools/lib/recordings.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import hashlib
import pathlib
import struct
import sys
import wave

import checked_run
import demo as base
import tone
from demo import Demo
from phone import Phone
from silent_phone import SilentPhone, free_port

# Name of the line: extension, codec, tone that it plays.
LINES = {
    "rita": ("1020", "PCMU/8000/1", 440),
    "sam": ("1021", "PCMU/8000/1", 880),
    "gina": ("1022", "G722/16000/1", 620),
    "otto": ("1023", "PCMA/8000/1", 1000),
}
MUSIC = 300
UNNAMED_PACKETS, UNNAMED_TYPE = 10, 126
# Of the tenant's country, which is 1.
RING_BACK = (440, 480)
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def channels(path):
    """Samples of each channel, and the rate."""
    with wave.open(str(path), "rb") as source:
        frames = source.readframes(source.getnframes())
        samples = struct.unpack("<%dh" % (len(frames) // 2), frames)
        count = source.getnchannels()
        return [samples[n::count] for n in range(count)], source.getframerate()


def seconds(samples, rate, hertz, threshold=0.8):
    """For how long that tone is what there is."""
    size = rate // 10
    return round(sum(tone.power(samples[i:i + size], rate, hertz) >= threshold for i in range(0, len(samples) - size + 1, size)) / 10, 1)


class Recordings(Demo):
    def start_phones(self):
        sounds = self.directory / "sounds"
        sounds.mkdir(exist_ok=True)
        tone.write(sounds / "harp.wav", MUSIC, 3, rate=44100)
        self.ids = {}
        for index, (name, (extension, codec, hertz)) in enumerate(LINES.items()):
            password = f"secret-of-{name}"
            line = self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": name, "password": password, "aliases": [extension]})
            self.ids[name] = line["id"]
            play = self.directory / f"{name}.wav"
            rate = 16000 if codec.startswith("G722") else 8000
            tone.write(play, hertz, 60, rate=rate)
            via = "s1" if index % 2 == 0 else "s2"
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={password};outbound=\"sip:{base.SIGNAL[via][0]}\";"
                       f"regint=600;answermode=manual;audio_codecs={codec};ptime=20")
            port = base.BOB + 10 + 2 * index
            phone = Phone(name, self.directory / f"phone-{name}", base.PHONES, port, port + base.CONTROL_OFFSET, account, play, extra="module g722.so\n")
            if rate == 16000:
                config = phone.directory / "config"
                config.write_text(config.read_text().replace("ausrc_srate 8000", "ausrc_srate 16000").replace("auplay_srate 8000", "auplay_srate 16000"))
            self.phones[name] = phone.start()
        for name, line in self.ids.items():
            self.api.wait_until(f"/v1/subscribers/{line}/bindings", lambda a: a["items"], f"{name} registered")

    def set_tenant(self, **fields):
        self.api.patch(f"/v1/tenants/{self.tenant['id']}", fields)

    def begin(self, caller, called):
        a, b = self.phones[caller], self.phones[called]
        mark_a, mark_b = a.mark(), b.mark()
        a.forget_recordings()
        b.forget_recordings()
        a.dial(f"sip:{LINES[called][0]}@{base.DOMAIN}")
        b.wait("CALL_INCOMING", since=mark_b, timeout=30)
        b.answer()
        a.wait("CALL_ESTABLISHED", since=mark_a, timeout=30)
        b.wait("CALL_ESTABLISHED", since=mark_b, timeout=30)
        return a, b

    def talk(self, a, b, seconds):
        """Until each has heard the other's tone for so long, from now on."""
        wanted = [(listener, LINES[speaker.name][2], listener.heard(LINES[speaker.name][2]) + seconds) for listener, speaker in ((a, b), (b, a))]
        for listener, hertz, most in wanted:
            listener.hears(hertz, most)

    def end(self, a, b):
        mark = b.mark()
        a.hang_up()
        b.wait("CALL_CLOSED", since=mark, timeout=20)

    def recording_of(self, number):
        call = self.newest_cdr(number)["call_id"]
        answer = self.api.wait_until(f"/v1/recordings?call_id={call}", lambda a: a["items"] and a["items"][0]["state"] != "running", "a recording")
        return answer["items"][0]

    def fetch(self, recording, name):
        path = self.directory / f"{name}.wav"
        self.ledgerline("recording", "get", recording["id"], "--out", str(path), "--url", f"http://{base.HTTP}", "--token", self.token)
        return path

    def file_of(self, recording):
        return next((self.directory / "control" / "recordings").glob(f"*/{recording['id']}.*"))

    def record_and_listen(self, number, caller, called, title, channel_count=2):
        a, b = self.begin(caller, called)
        self.talk(a, b, 3.5)
        self.end(a, b)
        recording = self.recording_of(number)
        seconds_long = self.newest_cdr(number)["duration_ms"] / 1000
        self.check(f"{title}: the recording is as long as the call", recording["state"] == "finished" and abs(recording["milliseconds"] / 1000 - seconds_long) < 1.5
                   and recording["lost_packets"] == 0, state=recording["state"], milliseconds=recording["milliseconds"], call=seconds_long, lost=recording["lost_packets"])
        file = self.file_of(recording)
        self.check(f"{title}: the log has its digest", hashlib.sha256(file.read_bytes()).hexdigest() == recording["sha256"], bytes=recording["bytes"])
        parts, rate = channels(self.fetch(recording, f"recording-{number}"))
        tones = LINES[caller][2], LINES[called][2]
        if channel_count == 2:
            figures = [seconds(parts[0], rate, tones[0]), seconds(parts[1], rate, tones[1])]
            strange = [seconds(parts[0], rate, tones[1], 0.1), seconds(parts[1], rate, tones[0], 0.1)]
            self.check(f"{title}: each side's tone is in its own channel", len(parts) == 2 and min(figures) >= 3 and max(strange) <= 0.1,
                       caller_seconds=figures[0], called_seconds=figures[1], rate=rate, in_the_wrong_one=max(strange))
        else:
            figures = [seconds(parts[0], rate, hertz, 0.35) for hertz in tones]
            self.check(f"{title}: both tones are in the one channel", len(parts) == 1 and min(figures) >= 3, caller_seconds=figures[0], called_seconds=figures[1])
        return recording

    def announced(self, number):
        self.set_tenant(recording="all", recording_announced=True)
        a, b = self.begin("rita", "sam")
        # Behind the announcement they hear each other.
        self.talk(a, b, 0.5)
        self.end(a, b)
        self.recording_of(number)
        prompt = ROOT / "Sources/CPrompts/audio/call_recorded.en.wav"
        said = [tone.says(phone.recording(), prompt)[0] for phone in (a, b)]
        self.check("announced: both sides hear that the call is recorded", min(said) >= 0.9, likeness_at_caller=said[0], likeness_at_called=said[1])
        self.set_tenant(recording_announced=False)

    def killed(self, number):
        """The media worker is killed: what it wrote up to then is a recording, and the call's other part on another worker is one too."""
        a, b = self.begin("rita", "sam")
        call = self.api.wait_until("/v1/calls", lambda l: l["items"], "a live call")["items"][0]
        self.talk(a, b, 4)
        worker = call["media_worker"]
        self.processes[worker].kill()
        self.api.wait_until("/v1/calls", lambda l: l["items"] and l["items"][0]["media_worker"] not in ("", worker), "another media worker", timeout=60)
        self.talk(a, b, 2.5)
        self.end(a, b)
        self.start_media(worker)
        call = self.newest_cdr(number)["call_id"]
        answer = self.api.wait_until(f"/v1/recordings?call_id={call}", lambda l: len(l["items"]) == 2 and all(r["state"] == "finished" for r in l["items"]),
                                     "both parts of the recording", timeout=30)
        first, second = answer["items"]
        self.check("killed: all but the last second of what the killed worker had heard is there", first["cut_off"] and first["milliseconds"] >= 2800,
                   milliseconds=first["milliseconds"])
        parts, rate = channels(self.fetch(first, "recording-cut"))
        self.check("killed: and is to be heard", seconds(parts[0], rate, LINES["rita"][2]) >= 2.5, seconds=seconds(parts[0], rate, LINES["rita"][2]))
        self.check("killed: the other worker goes on recording", not second["cut_off"] and second["milliseconds"] >= 1500, milliseconds=second["milliseconds"])

    def held(self, number):
        """The held side is SIPp with a socket: baresip writes nothing of what it hears after it was held."""
        self.set_tenant(recording="off", music="harp")
        port = free_port(base.PHONES)
        self.api.post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "hal", "password": "secret-of-hal", "aliases": ["1029"], "is_trunk": True,
                                          "trunk_addresses": [f"{base.PHONES}:{port}"]})
        hal = SilentPhone(self.directory / "hal", base.PHONES, port, offers=("recvonly", "sendrecv"))
        rita = self.phones["rita"]
        mark = rita.mark()
        rita.dial(f"sip:1029@{base.DOMAIN}")
        rita.wait("CALL_ESTABLISHED", since=mark, timeout=15)
        speech = LINES["rita"][2]
        before = hal.hears(speech, 1.4)
        hal.say(UNNAMED_PACKETS, UNNAMED_TYPE)
        rita.command("hold")
        held = hal.hears(MUSIC, 4)
        rita.command("resume")
        after = hal.hears(speech, before + 1.4)
        rita.hang_up()
        status = hal.finish()
        music = hal.heard(MUSIC)
        self.check("hold: the held side hears the tenant's music, longer than it is, and the other side before and after", status == 0 and music <= held + 1,
                   music_seconds=music, speech_seconds=after, sipp=status)
        side = self.newest_cdr(number)["media"]["called"]
        self.check("hold: packets of a payload type that nobody has named are dropped, and stand in the record", side["packets_in"] == 0
                   and {"reason": "not_negotiated", "packets": UNNAMED_PACKETS} in side["drops"], drops=side["drops"], packets_in=side["packets_in"])

    def rung(self):
        """Ring-back is made here: as early media where the called line wants that, and for whoever is sent on."""
        self.set_tenant(recording="off", music="")
        rita, sam, otto = (self.phones[name] for name in ("rita", "sam", "otto"))
        self.api.patch(f"/v1/subscribers/{self.ids['sam']}", {"ring_back": "tone"})
        for phone in (rita, sam, otto):
            phone.forget_recordings()
        marks = {phone: phone.mark() for phone in (rita, sam, otto)}
        rita.dial(f"sip:{LINES['sam'][0]}@{base.DOMAIN}")
        sam.wait("CALL_INCOMING", since=marks[sam], timeout=30)
        early = rita.hears(RING_BACK, 1.5)
        sam.answer()
        talked = rita.hears(LINES["sam"][2], 1)
        self.check("ring-back: before the answer the caller hears the country's tone, then who answers", early >= 1.5 and talked >= 1, tone_seconds=early, speech_seconds=talked)
        # One round has two seconds of it, so that more is of the second call.
        mark = rita.heard(RING_BACK)
        sam.command("transfer", f"sip:{LINES['otto'][0]}@{base.DOMAIN}")
        otto.wait("CALL_INCOMING", since=marks[otto], timeout=30)
        again = rita.hears(RING_BACK, mark + 1.5)
        otto.answer()
        talked = rita.hears(LINES["otto"][2], 1)
        self.check("ring-back: who is sent on hears it until somebody answers", again >= mark + 1.5 and talked >= 1, tone_seconds=round(again - mark, 1), speech_seconds=talked)
        rita.hang_up()
        otto.wait("CALL_CLOSED", since=marks[otto], timeout=30)
        self.api.patch(f"/v1/subscribers/{self.ids['sam']}", {"ring_back": "harp"})
        for phone in (rita, sam):
            phone.forget_recordings()
        mark = sam.mark()
        rita.dial(f"sip:{LINES['sam'][0]}@{base.DOMAIN}")
        sam.wait("CALL_INCOMING", since=mark, timeout=30)
        sound = rita.hears(MUSIC, 3.5)
        self.check("ring-back: or a sound of the operator's, over again", sound >= 3.5, seconds=sound)
        rita.hang_up()
        sam.wait("CALL_CLOSED", since=mark, timeout=30)

    def erase(self, recording):
        self.api.post(f"/v1/subjects/{self.ids['sam']}/erase", {"reason": "asked for"})
        problem = self.api.request("GET", f"/v1/recordings/{recording['id']}/audio", expect=(409,))
        self.check("erasure: once a side is erased, nobody reads what was said", "erased" in problem["detail"], answer=problem["detail"])

    def removed(self, recording):
        self.api.post(f"/v1/recordings/{recording['id']}/remove", {"reason": "request 7"})
        gone = not list((self.directory / "control" / "recordings").glob(f"*/{recording['id']}.*"))
        self.check("removal: the file is gone, the digest stays", gone and self.api.get(f"/v1/recordings/{recording['id']}")["state"] == "removed")

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.provision()
        self.start_phones()
        self.set_tenant(recording="all")
        first = self.record_and_listen(1, "rita", "sam", "G.711 that passes")
        self.record_and_listen(2, "gina", "otto", "G.722 converted to G.711")
        self.set_tenant(recording_mixed=True)
        third = self.record_and_listen(3, "sam", "rita", "one channel", channel_count=1)
        self.set_tenant(recording_mixed=False)
        self.announced(4)
        self.killed(5)
        self.held(6)
        self.rung()
        self.removed(third)
        events = self.api.get("/v1/audit?limit=100")["items"]
        self.check("that somebody listened is in the audit", any(e["type"] == "records.read" and "recording_audio" in str(e) for e in events))
        self.erase(first)


if __name__ == "__main__":
    sys.exit(checked_run.main("recordings", Recordings, ("baresip", "sipp")))
