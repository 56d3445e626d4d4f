#!/usr/bin/env python3
"""Two real phones of a tenant with direct media hear each other while no media worker runs at all.

Run by the process tests; by hand: tools/lib/direct.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import sys
import time

import checked_run
import demo as base
from demo import Demo


class Direct(Demo):
    def hold_and_resume(self, talk):
        """In the middle of the call: who is on hold hears nothing meanwhile, and the other one again afterwards."""
        time.sleep(talk / 2)
        replies = [self.phones["bob"].command("hold"), self.phones["bob"].command("resume")]
        time.sleep(talk / 2)
        return all(reply.get("ok") for reply in replies)

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.provision()
        self.api.request("PATCH", f"/v1/tenants/{self.tenant['id']}", {"media": "direct"})
        self.start_phones()
        stopped = {name: self.processes.pop(name).stop() for name in base.MEDIA}
        self.check("every media worker has ended before the calls", all(status == 0 for status in stopped.values()), statuses=stopped)
        figures = self.call("alice", "bob", f"sip:1001@{base.DOMAIN}", 4, "alice")
        self.speech_check("without a media worker", figures, 2.5)
        cdr = self.newest_cdr(1)
        passed = [cdr["media"][side]["packets_in"] + cdr["media"][side]["packets_out"] for side in ("caller", "called")]
        self.check("the record says that media went from phone to phone", cdr["media_path"] == "direct" and passed == [0, 0] and not cdr["media"]["media_worker"],
                   media_path=cdr["media_path"], packets_by_us=passed)
        figures = self.call("bob", "alice", f"sip:1000@{base.DOMAIN}", 7, "bob", during=self.hold_and_resume)
        # A phone's recording begins anew with each description: this is what was heard since it was resumed.
        self.speech_check("hold and resume", figures, 2.0)
        self.check("hold and resume: the phone did both", figures["extra"])
        # Who needs a media worker does not get through without one.
        alice, mark = self.phones["alice"], self.phones["alice"].mark()
        alice.dial(f"sip:{base.DIALLED}@{base.DOMAIN}")
        _, event = alice.wait("CALL_CLOSED", since=mark, timeout=20)
        self.check("a call to a carrier is refused meanwhile", "503" in event.get("param", ""), told=event.get("param"))


if __name__ == "__main__":
    sys.exit(checked_run.main("direct", Direct, ("baresip",)))
