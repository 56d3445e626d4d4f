#!/usr/bin/env python3
"""A real phone keeps two flows (RFC 5626) to two signalling workers; the worker that holds the one that is called is killed, and the phone is
called by the other.

Run by the process tests; by hand: tools/lib/flows.py --binary .build/debug/ledgerline --directory DIR --ports-from N
"""
import sys

import checked_run
import demo as base
import tone
from phone import Phone
from transports import HOST, Transports


class Flows(Transports):
    def start_phones(self):
        for name, port, hertz in (("alice", base.ALICE, base.ALICE_TONE), ("bob", base.BOB, base.BOB_TONE)):
            play = self.directory / f"{name}.wav"
            tone.write(play, hertz, 60)
            # alice calls by the address that the workers share, so that it does not matter which of them lives.
            ways = (f";outbound=\"sip:{base.CLUSTER}\"" if name == "alice" else
                    ";sipnat=outbound" + "".join(f";outbound{n}=\"sip:127.0.0.1:{self.ports[via]['tcp']};transport=tcp\"" for n, via in ((1, "s1"), (2, "s2"))))
            account = (f"<sip:{name}@{base.DOMAIN}>;auth_user={name};auth_pass={self.passwords[name]};regint=600;answermode=manual;"
                       f"audio_codecs=PCMU;ptime=20{ways}")
            self.phones[name] = Phone(name, self.directory / f"phone-{name}", base.PHONES, port, port + base.CONTROL_OFFSET, account, play).start()
        self.api.wait_until(f"/v1/subscribers/{self.alice['id']}/bindings", lambda a: a["items"], "alice registered")

    def flows(self):
        items = self.api.wait_until(f"/v1/subscribers/{self.bob['id']}/bindings", lambda a: len(a["items"]) == 2, "bob's two flows")["items"]
        return {item["worker"]: item for item in items}

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.certificates.mkdir()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=root",
                     "-keyout", str(self.directory / "root.key"), "-out", str(self.root))
        self.issue(HOST)
        self.start_platform()
        self.provision()
        self.start_phones()
        flows = self.flows()
        self.check("bob's phone has two flows of one device, at two workers", set(flows) == {"s1", "s2"} and len({f["instance_id"] for f in flows.values()}) == 1,
                   flows=[(f["worker"], f.get("reg_id")) for f in flows.values()])
        first = self.call("alice", "bob", f"sip:1001@{base.DOMAIN}", 2, "alice")
        self.speech_check("both flows are there", first, 1.0)
        tried = [a["sip_status"] for a in self.newest_cdr(1)["attempts"]]
        self.check("one flow rings", tried == [200], tried=tried)
        # The one that was called is that which was heard last; they are listed in the order in which they came.
        last = list(flows)[-1]
        self.say(f"worker {last}, which holds the flow that was heard last, is killed")
        self.processes.pop(last).kill()
        second = self.call("alice", "bob", f"sip:1001@{base.DOMAIN}", 2, "alice")
        self.speech_check("one flow is left", second, 1.0)
        tried = [a["sip_status"] for a in self.newest_cdr(2)["attempts"]]
        self.check("the call went by the other flow", tried in ([503, 200], [408, 200]), tried=tried)


if __name__ == "__main__":
    sys.exit(checked_run.main("flows", Flows, ("baresip", "openssl")))
