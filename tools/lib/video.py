#!/usr/bin/env python3
"""Two real phones with cameras see each other by way of the media worker: baresip with VP8, plain and with keys of their own (SDES).

Run by the process tests; by hand: tools/lib/video.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import re
import sys

import checked_run
import demo as base
import tone
from demo import Demo
from phone import Phone

TONES = {"alice": base.ALICE_TONE, "bob": base.BOB_TONE}
CAMERA = """\
module fakevideo.so
module vp8.so
video_source fakevideo,nil
video_display fakevideo,nil
video_size 352x288
video_bitrate 256000
video_fps 15
"""


class Video(Demo):
    def start_phones(self, title="plain", more=""):
        for name, port, via in (("alice", base.ALICE, "s1"), ("bob", base.BOB, "s2")):
            play = self.directory / f"{name}.wav"
            tone.write(play, TONES[name], 60)
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={self.passwords[name]};outbound=\"sip:{base.SIGNAL[via][0]}\";"
                       f"regint=600;answermode=manual;audio_codecs=PCMU;video_codecs=vp8;ptime=20{more}")
            # A short name: baresip has room for 127 characters of a recording's path.
            self.phones[name] = Phone(name, self.directory / f"{name}-{title}", base.PHONES, port, port + base.CONTROL_OFFSET, account, play, extra=CAMERA).start()
        for name, line in (("alice", self.alice), ("bob", self.bob)):
            self.api.wait_until(f"/v1/subscribers/{line['id']}/bindings", lambda a: a["items"], f"{name} registered")

    def stop_phones(self):
        for name, line in (("alice", self.alice), ("bob", self.bob)):
            bindings = f"/v1/subscribers/{line['id']}/bindings"
            if not self.phones.pop(name).stop():
                self.api.request("DELETE", bindings)
            self.api.wait_until(bindings, lambda a: not a["items"], f"{name}'s old phone gone")

    def see(self, title, number):
        # baresip says every five seconds how much has come.
        figures = self.call("alice", "bob", f"sip:1001@{base.DOMAIN}", 8, "alice")
        self.speech_check(f"{title}: beside the picture", figures, 6)
        for name in TONES:
            log = (self.phones[name].directory / "log").read_text(errors="replace")
            rates = [int(rate) for rate in re.findall(r"video=\d+/(\d+) ", log)]
            self.check(f"{title}: {name} has decoded the other's picture", "video: receiving with resolution 352 x 288" in log, bits_a_second=max(rates, default=0))
            self.check(f"{title}: {name} goes on receiving it", max(rates, default=0) > 2_000)
        self.check(f"{title}: by way of the media worker", self.newest_cdr(number)["media_path"] == "anchored")

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.provision()
        self.start_phones()
        self.see("plain", 1)
        self.stop_phones()
        for line in (self.alice, self.bob):
            self.api.request("PATCH", f"/v1/subscribers/{line['id']}", {"media_security": "sdes"})
        self.start_phones("sdes", ";mediaenc=srtp-mand")
        self.see("SDES", 2)


if __name__ == "__main__":
    sys.exit(checked_run.main("video", Video, ("baresip",)))
