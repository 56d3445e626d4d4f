#!/usr/bin/env python3
"""The demo: a real call, from the phone to the proof. Run it through tools/demo."""
import argparse
import datetime
import decimal
import json
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import tone
from phone import Phone
from platform_under_test import Api, Process, run

HTTP, DESK, FEED = "127.0.0.1:8480", "127.0.0.1:7401", "127.0.0.1:7402"
CLUSTER = "127.0.0.1:5060"
SIGNAL = {"s1": ("127.0.0.1:5061", "127.0.0.1:7411"), "s2": ("127.0.0.1:5062", "127.0.0.1:7412")}
MEDIA = {"m1": ("30000-30999", "127.0.0.1:7421"), "m2": ("31000-31999", "127.0.0.1:7422")}
# Ports of the phones; nothing listens on the last one. All on one address, because a phone that listens to one loopback
# address sends its media from another, and a media worker takes that for a stranger.
PHONES, ALICE, BOB, CARRIER, DORA, DEAD_GATEWAY = "127.0.0.1", 5090, 5092, 5094, 5096, 5099
STRANGER = "127.0.0.1:5069", "127.0.0.1:7499"
CONTROL_OFFSET = 1000
DOMAIN, SHORT_DOMAIN = "acme.kages.example", "short.kages.example"
ALICE_TONE, BOB_TONE, CARRIER_TONE, DORA_TONE = 440, 1000, 1400, 620
NUMBER, OUTSIDE, DIALLED = "+12095550100", "+12092488700", "2092488700"


def use_ports_from(first):
    """Instead of the usual ports two hundred in a row, so that a test disturbs nobody."""
    global HTTP, DESK, FEED, CLUSTER, SIGNAL, MEDIA, STRANGER, ALICE, BOB, CARRIER, DORA, DEAD_GATEWAY, CONTROL_OFFSET
    HTTP, DESK, FEED, CLUSTER = (f"127.0.0.1:{first + n}" for n in range(4))
    SIGNAL = {name: (f"127.0.0.1:{first + n}", f"127.0.0.1:{first + n + 1}") for name, n in (("s1", 4), ("s2", 6))}
    MEDIA = {name: (f"{first + n}-{first + n + 49}", f"127.0.0.1:{first + bus}") for name, n, bus in (("m1", 100, 8), ("m2", 150, 9))}
    STRANGER = f"127.0.0.1:{first + 10}", f"127.0.0.1:{first + 11}"
    ALICE, BOB, CARRIER, DORA, DEAD_GATEWAY = (first + n for n in (20, 22, 24, 26, 29))
    CONTROL_OFFSET = 20


class Demo:
    def __init__(self, options):
        self.options = options
        self.binary = str(pathlib.Path(options.binary).resolve())
        self.directory = pathlib.Path(options.directory or tempfile.mkdtemp(prefix="ledgerline-demo-")).resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.began = time.monotonic()
        self.checks, self.processes, self.phones = [], {}, {}

    # -- telling ---------------------------------------------------------------------------------

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def check(self, name, passed, **figures):
        self.checks.append({"name": name, "passed": bool(passed), **figures})
        shown = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures.items())
        self.say(f"  {'✓' if passed else '✗ FAILED'} {name}{': ' + shown if shown else ''}")

    def ledgerline(self, *arguments):
        return run(self.binary, *arguments)

    # -- starting --------------------------------------------------------------------------------

    def start(self, name, *arguments):
        process = Process(name, [self.binary, *arguments], self.directory / f"{name}.log")
        self.processes[name] = process
        return process

    def start_platform(self):
        data = self.directory / "control"
        control = self.start("control", "control", "--data", str(data), "--http", HTTP, "--desk", DESK, "--feed", FEED)
        token = control.wait_for(r"admin token[^\n]*?(llt_\S+)").group(1)
        control.wait_for(r"ready")
        # The log file is the operator's terminal here; the token is printed there once and nowhere else.
        self.token = token
        self.api = Api(f"http://{HTTP}", token)
        self.say(f"control is ready: HTTP {HTTP}, desk {DESK}, feed {FEED}")
        for name, kind in [(n, "signal") for n in SIGNAL] + [(n, "media") for n in MEDIA]:
            self.enrol(name, kind)
        for name, (listen, bus) in SIGNAL.items():
            self.start(name, "signal", "--key", str(self.directory / f"{name}.key"), "--listen", listen,
                       "--cluster", CLUSTER, "--bus", bus, "--state", str(self.directory / name))
        for name in MEDIA:
            self.start_media(name)
        workers = self.api.wait_until("/v1/workers", lambda a: sum(w["state"] == "alive" for w in a["items"]) == 4, "four workers alive")
        self.say("workers are up: " + ", ".join(f"{w['name']} ({w['kind']}, pid {self.processes[w['name']].pid})" for w in workers["items"]))
        self.check("four enrolled workers talk to control over CURVE", True, workers=len(workers["items"]))

    def start_media(self, name):
        ports, bus = MEDIA[name]
        self.start(name, "media", "--key", str(self.directory / f"{name}.key"), "--address", "127.0.0.1", "--ports", ports, "--bus", bus,
                   "--recordings", str(self.directory / "control" / "recordings"), "--sounds", str(self.directory / "sounds"))

    def enrol(self, name, kind):
        status, output = self.ledgerline("worker", "enroll", name, "--kind", kind, "--out", str(self.directory / f"{name}.key"),
                                         "--url", f"http://{HTTP}", "--token", self.token)
        if status != 0:
            raise SystemExit(f"enrolling {name} failed with status {status}: {output}")

    def refuse_stranger(self):
        """A worker whose key is not enrolled (any more) must not get a word in."""
        self.enrol("stranger", "signal")
        self.ledgerline("worker", "revoke", "stranger", "--url", f"http://{HTTP}", "--token", self.token)
        stranger = self.start("stranger", "signal", "--key", str(self.directory / "stranger.key"), "--listen", STRANGER[0],
                              "--bus", STRANGER[1], "--state", str(self.directory / "stranger"))
        stranger.wait_for("signal worker runs")
        self.processes["control"].wait_for("not enrolled tried to connect")
        alive = [w["name"] for w in self.api.get("/v1/workers")["items"] if w["state"] == "alive"]
        stranger.stop()
        self.check("a worker whose key is not enrolled is refused", sorted(alive) == ["m1", "m2", "s1", "s2"], alive=" ".join(sorted(alive)))

    def provision(self):
        post = self.api.post
        self.provider = post("/v1/providers", {"name": "Kages Telecom", "namespace": "kages.example", "currency": "USD", "time_zone": "America/Los_Angeles"})
        contact = post("/v1/contacts", {"provider_id": self.provider["id"], "name": "Ada Acme", "company": "Acme Corp", "email": "ada@acme.example", "country": "US"})
        retail = post("/v1/rate-decks", {"provider_id": self.provider["id"], "name": "Retail USA", "currency": "USD", "decimals": 4})
        post(f"/v1/rate-decks/{retail['id']}/versions", {"entries": [
            {"prefix": "1", "destination": "USA", "connection_fee": "0.01", "per_minute": "0.03", "first_increment_seconds": 30, "next_increment_seconds": 6},
            {"prefix": "1209", "destination": "USA, Stockton", "connection_fee": "0.01", "per_minute": "0.024", "first_increment_seconds": 30, "next_increment_seconds": 6}]})
        cost = post("/v1/rate-decks", {"provider_id": self.provider["id"], "name": "Carrier One cost", "currency": "USD", "decimals": 6})
        post(f"/v1/rate-decks/{cost['id']}/versions", {"entries": [
            {"prefix": "1", "destination": "USA", "connection_fee": "0", "per_minute": "0.006", "first_increment_seconds": 1, "next_increment_seconds": 1}]})
        dial_plan = post("/v1/dial-plans", {"provider_id": self.provider["id"], "name": "USA", "rules": [
            {"description": "seven digits", "match": "^[1-9][0-9]{6}$", "substitution": "([1-9][0-9]{6})", "replacement": "+1_AC\\1"},
            {"description": "ten digits", "match": "^[2-9][0-9]{9}$", "substitution": "^([2-9][0-9]{9})$", "replacement": "+_CC\\1"},
            {"description": "eleven digits", "match": "^1[2-9][0-9]{9}$", "substitution": "^(1[2-9][0-9]{9})$", "replacement": "+\\1"}]})
        carrier = post("/v1/carriers", {"provider_id": self.provider["id"], "name": "Carrier One", "cost_deck_id": cost["id"], "gateways": [
            {"name": "primary", "host": PHONES, "port": DEAD_GATEWAY},
            {"name": "secondary", "host": PHONES, "port": CARRIER, "add_pai": True}]})
        plan = post("/v1/service-plans", {"provider_id": self.provider["id"], "name": "Default", "payment_mode": "prepaid", "rate_deck_id": retail["id"],
                                          "dial_plan_id": dial_plan["id"], "carrier_id": carrier["id"], "subscribers_max": 10, "concurrent_calls_max": 5})
        self.customer = post("/v1/customers", {"provider_id": self.provider["id"], "contact_id": contact["id"], "service_plan_id": plan["id"],
                                               "name": "Acme Corp", "external_id": "C-1001", "currency": "USD"})
        post(f"/v1/customers/{self.customer['id']}/top-ups", {"amount": {"amount": "10.00", "currency": "USD"}, "reason": "first payment"}, headers={"Idempotency-Key": "first-payment"})
        self.tenant = post("/v1/tenants", {"customer_id": self.customer["id"], "name": "Acme", "domain": DOMAIN, "country_code": "1", "area_code": "209"})
        # A second customer, whose money lasts for eight seconds.
        thrifty = post("/v1/rate-decks", {"provider_id": self.provider["id"], "name": "By the second", "currency": "USD", "decimals": 4})
        post(f"/v1/rate-decks/{thrifty['id']}/versions", {"entries": [
            {"prefix": "1", "destination": "USA", "connection_fee": "0", "per_minute": "0.60", "first_increment_seconds": 1, "next_increment_seconds": 1}]})
        short = post("/v1/service-plans", {"provider_id": self.provider["id"], "name": "By the second", "payment_mode": "prepaid", "rate_deck_id": thrifty["id"],
                                           "dial_plan_id": dial_plan["id"], "carrier_id": carrier["id"], "subscribers_max": 10, "concurrent_calls_max": 5})
        self.short = post("/v1/customers", {"provider_id": self.provider["id"], "contact_id": contact["id"], "service_plan_id": short["id"],
                                            "name": "Short of money", "currency": "USD"})
        post(f"/v1/customers/{self.short['id']}/top-ups", {"amount": {"amount": "0.08", "currency": "USD"}, "reason": "first payment"}, headers={"Idempotency-Key": "short-payment"})
        tenant = post("/v1/tenants", {"customer_id": self.short["id"], "name": "Short", "domain": SHORT_DOMAIN, "country_code": "1", "area_code": "209"})
        number = post("/v1/numbers", {"provider_id": self.provider["id"], "e164": NUMBER, "source": "Carrier One", "type": "local", "price": {"amount": "1.00", "currency": "USD"},
                                      "vendor_price": {"amount": "0.40", "currency": "USD"}, "voice": True, "sms": False, "carrier_id": carrier["id"]})
        self.passwords = {name: secrets.token_hex(12) for name in ("alice", "bob", "dora")}
        self.dora = post("/v1/subscribers", {"tenant_id": tenant["id"], "username": "dora", "password": self.passwords["dora"], "display_name": "Dora",
                                             "allowed_prefixes": ["+1"], "language": "pt-BR"})
        self.alice = post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "alice", "password": self.passwords["alice"], "aliases": ["1000"],
                                              "display_name": "Alice", "allowed_prefixes": ["+1"], "caller_id": NUMBER})
        self.bob = post("/v1/subscribers", {"tenant_id": self.tenant["id"], "username": "bob", "password": self.passwords["bob"], "aliases": ["1001"], "display_name": "Bob"})
        post(f"/v1/numbers/{number['id']}/assign", {"subscriber_id": self.bob["id"]})
        self.check("provider, contact, plan, decks, dial plan, carrier, customer, tenant, number and two subscribers provisioned over HTTP",
                   self.api.get(f"/v1/numbers/{number['id']}")["subscriber_id"] == self.bob["id"])

    def start_phones(self):
        for name, domain, port, hertz, via in (("alice", DOMAIN, ALICE, ALICE_TONE, "s1"), ("bob", DOMAIN, BOB, BOB_TONE, "s2"),
                                               ("dora", SHORT_DOMAIN, DORA, DORA_TONE, "s1")):
            play = self.directory / f"{name}.wav"
            tone.write(play, hertz, 90)
            account = (f"<sip:{name}@{domain}>;auth_user={name};auth_pass={self.passwords[name]};outbound=\"sip:{SIGNAL[via][0]}\";"
                       "regint=600;answermode=manual;audio_codecs=PCMU,PCMA;ptime=20")
            self.phones[name] = Phone(name, self.directory / f"phone-{name}", PHONES, port, port + CONTROL_OFFSET, account, play).start()
        play = self.directory / "carrier.wav"
        tone.write(play, CARRIER_TONE, 90)
        self.phones["carrier"] = Phone("carrier", self.directory / "phone-carrier", PHONES, CARRIER, CARRIER + CONTROL_OFFSET,
                                       f"<sip:{OUTSIDE}@{PHONES}:{CARRIER}>;regint=0;answermode=manual;audio_codecs=PCMU;ptime=20", play).start()
        for name, via, subscriber in (("alice", "s1", self.alice), ("bob", "s2", self.bob), ("dora", "s1", self.dora)):
            bindings = self.api.wait_until(f"/v1/subscribers/{subscriber['id']}/bindings", lambda a: a["items"], f"{name} registered")["items"]
            worker = bindings[0]["worker"] if bindings else "none"
            self.check(f"{name} is registered with digest on {via}", worker == via, worker=worker)

    # -- calls -----------------------------------------------------------------------------------

    def call(self, caller, called, uri, talk, hang_up, during=None):
        """One call between two phones; what happened, with the recordings' tones."""
        a, b = self.phones[caller], self.phones[called]
        mark_a, mark_b = a.mark(), b.mark()
        dialled_at = time.monotonic()
        a.dial(uri)
        b.wait("CALL_INCOMING", since=mark_b, timeout=15)
        rang_at, _ = a.wait("CALL_RINGING", "CALL_PROGRESS", since=mark_a)
        time.sleep(0.3)
        b.answer()
        answered_at, _ = a.wait("CALL_ESTABLISHED", since=mark_a)
        b.wait("CALL_ESTABLISHED", since=mark_b)
        extra = during(talk) if during else time.sleep(talk)
        other = a if hang_up == called else b
        mark = other.mark()
        hung_up_at = time.monotonic()
        self.phones[hang_up].hang_up()
        closed_at, _ = other.wait("CALL_CLOSED", since=mark, timeout=20)
        time.sleep(0.2)
        tones = {"alice": ALICE_TONE, "bob": BOB_TONE, "carrier": CARRIER_TONE, "dora": DORA_TONE}
        return {"post_dial_delay_ms": round((rang_at - dialled_at) * 1000), "talk_seconds": round(hung_up_at - answered_at, 2),
                "release_ms": round((closed_at - hung_up_at) * 1000),
                "heard_a": tone.heard(a.recording(), tones[called]), "heard_b": tone.heard(b.recording(), tones[caller]), "extra": extra}

    def newest_cdr(self, count):
        """The CDR with number `count`, as soon as there is one."""
        answer = self.api.wait_until("/v1/cdrs?limit=100", lambda a: len(a["items"]) >= count, f"{count} CDRs")
        return sorted(answer["items"], key=lambda c: c["number"])[count - 1]

    def speech_check(self, title, figures, least):
        self.check(f"{title}: each side heard the tone that the other played", figures["heard_a"] >= least and figures["heard_b"] >= least,
                   seconds_heard_by_caller=figures["heard_a"], seconds_heard_by_called=figures["heard_b"], talked=figures["talk_seconds"])

    def duration_check(self, title, cdr, figures, tolerance=0.5):
        seconds = cdr["duration_ms"] / 1000
        self.check(f"{title}: the CDR's duration is the call's", abs(seconds - figures["talk_seconds"]) <= tolerance,
                   cdr_seconds=seconds, phone_seconds=figures["talk_seconds"])

    def run_calls(self):
        self.say("alice dials 1001 (bob), registered on the other worker")
        first = self.call("alice", "bob", f"sip:1001@{DOMAIN}", 3, "alice")
        self.speech_check("internal call", first, 2.0)
        cdr = self.newest_cdr(1)
        self.duration_check("internal call", cdr, first)
        self.check("internal call: free, one CDR", cdr["direction"] == "on_net" and not cdr["charges"] and cdr["cause"] == "caller_hung_up",
                   post_dial_delay_ms=first["post_dial_delay_ms"])

        self.say(f"alice dials {DIALLED}; the first gateway is down")
        second = self.call("alice", "carrier", f"sip:{DIALLED}@{DOMAIN}", 3, "alice")
        self.speech_check("outbound call", second, 2.0)
        cdr = self.newest_cdr(2)
        self.check("outbound call: the dial plan made it E.164", cdr["called_e164"] == OUTSIDE, dialled=cdr["dialled"], called=cdr["called_e164"])
        statuses = [a["sip_status"] for a in cdr["attempts"]]
        self.check("outbound call: the first gateway failed, the second answered", len(statuses) == 2 and statuses[0] != 200 and statuses[1] == 200,
                   attempts=" → ".join(map(str, statuses)), post_dial_delay_ms=second["post_dial_delay_ms"])
        charges = {c["edge"]: c for c in cdr["charges"]}
        # 0.01 for the connection and one first increment of 30 s at 0.024 a minute.
        price, cost = decimal.Decimal("0.022"), None
        retail = charges.get("retail")
        self.check("outbound call: charged by the longest prefix of the deck", retail is not None and decimal.Decimal(retail["amount"]["amount"]) == price
                   and retail["entry"]["prefix"] == "1209" and retail["billed_seconds"] == 30,
                   price=f"{retail['amount']['amount']} {retail['amount']['currency']}" if retail else "none",
                   billed_seconds=retail["billed_seconds"] if retail else 0)
        carrier = charges.get("carrier")
        self.check("outbound call: the carrier's cost is booked beside it", carrier is not None and decimal.Decimal(carrier["amount"]["amount"]) ==
                   decimal.Decimal("0.0001") * -(-cdr["duration_ms"] // 1000), cost=carrier["amount"]["amount"] if carrier else "none")
        self.proof_of = cdr

        self.say(f"the carrier calls {NUMBER}, which is bob's")
        third = self.call("carrier", "bob", f"sip:{NUMBER}@{CLUSTER}", 2, "bob")
        self.speech_check("inbound call", third, 1.0)
        cdr = self.newest_cdr(3)
        self.check("inbound call: recorded as inbound to bob", cdr["direction"] == "inbound" and cdr["called"]["subscriber_id"] == self.bob["id"],
                   cause=cdr["cause"])
        self.duration_check("inbound call", cdr, third)

        self.say("dora, whose money lasts for 8 seconds, dials the same number")
        self.run_out_of_money()

        self.say("alice calls bob again, and the signal worker that owns the call is killed with SIGKILL")
        fourth = self.call("alice", "bob", f"sip:1001@{DOMAIN}", 8, "bob", during=self.kill_owner)
        owner, survivor = fourth["extra"]
        self.speech_check(f"call of the killed worker {owner}", fourth, 7.0)
        cdr = self.newest_cdr(5)
        self.duration_check(f"call of the killed worker {owner}", cdr, fourth)
        self.check(f"call of the killed worker {owner}: ended by bob through {survivor}", cdr["cause"] == "called_hung_up" and cdr["worker"] == survivor,
                   cause=cdr["cause"], worker=cdr["worker"])
        self.check("every call has exactly one CDR", len(self.api.get("/v1/cdrs?limit=100")["items"]) == 5)
        self.api.wait_until("/v1/calls", lambda a: not a["items"], "no call left over")

    def run_out_of_money(self):
        dora, carrier = self.phones["dora"], self.phones["carrier"]
        mark_a, mark_b = dora.mark(), carrier.mark()
        dora.dial(f"sip:{DIALLED}@{SHORT_DOMAIN}")
        carrier.wait("CALL_INCOMING", since=mark_b, timeout=15)
        carrier.answer()
        answered_at, _ = dora.wait("CALL_ESTABLISHED", since=mark_a)
        closed_at, _ = dora.wait("CALL_CLOSED", since=mark_a, timeout=20)
        time.sleep(0.2)
        cdr = self.newest_cdr(4)
        balance = self.api.get(f"/v1/customers/{self.short['id']}/balance")
        self.check("prepaid call: it ends when the money does, and costs no more than there was",
                   cdr["cause"] == "credit_exhausted" and decimal.Decimal(balance["balance"]["amount"]) == 0 and 7.5 <= closed_at - answered_at <= 9,
                   cause=cdr["cause"], talked=round(closed_at - answered_at, 2), balance=balance["balance"]["amount"])
        likeness, begins = tone.says(dora.recording(), pathlib.Path(__file__).parents[2] / "Sources/CPrompts/audio/credit_used_up.pt.wav")
        self.check("prepaid call: before that its caller is told so, in Portuguese", likeness > 0.9, likeness=likeness, begins_at_second=begins)

    def kill_owner(self, talk):
        calls = self.api.wait_until("/v1/calls", lambda a: len(a["items"]) == 1 and a["items"][0]["answered_at"], "one live call")["items"]
        owner = calls[0]["worker"]
        time.sleep(2)
        self.processes[owner].kill()
        self.say(f"  killed {owner} (pid {self.processes[owner].pid}); the phones go on talking")
        time.sleep(talk - 2)
        return owner, next(name for name in SIGNAL if name != owner)

    # -- the books -------------------------------------------------------------------------------

    def show_books(self):
        print()
        print("  CDR  direction  caller           called           answered                     seconds  price        cause             worker")
        for cdr in sorted(self.api.get("/v1/cdrs?limit=100")["items"], key=lambda c: c["number"]):
            price = next((f"{c['amount']['amount']} {c['amount']['currency']}" for c in cdr["charges"] if c["edge"] == "retail"), "free")
            print(f"  {cdr['number']:>3}  {cdr['direction']:<9}  {cdr['caller']['number']:<15}  {cdr['called_e164'] or cdr['called']['number']:<15}  "
                  f"{cdr['answered_at'] or '-':<27}  {cdr['duration_ms'] / 1000:>7.2f}  {price:<11}  {cdr['cause']:<16}  {cdr['worker']}")
        print()
        for account in self.api.get("/v1/accounts?limit=100")["items"]:
            print(f"  {account['kind']:<20} {account['owner_id'] or '-':<36}  {account['balance']['amount']:>12} {account['balance']['currency']}")
        trial = self.api.get("/v1/trial-balance")
        for line in trial["lines"]:
            print(f"  {'sum of all accounts':<20} {'':<36}  {line['sum']:>12} {line['currency']}")
        print()
        self.check("trial balance is zero", trial["is_zero"] and trial["lines"] and all(decimal.Decimal(line["sum"]) == 0 for line in trial["lines"]),
                   sum=", ".join(f"{line['sum']} {line['currency']}" for line in trial["lines"]), log_position=trial["log_position"])
        balance = self.api.get(f"/v1/customers/{self.customer['id']}/balance")
        self.check("the customer's balance is the top-up less the call", decimal.Decimal(balance["balance"]["amount"]) == decimal.Decimal("9.978")
                   and decimal.Decimal(balance["held"]["amount"]) == 0, balance=balance["balance"]["amount"], held=balance["held"]["amount"])

    def prove(self):
        data = str(self.directory / "control")
        status, output = self.ledgerline("log", "verify", "--data", data, "--json")
        report = json.loads(output) if status == 0 else {}
        self.check("log verify: every leaf, the tree head and its signature", status == 0 and report.get("intact") is True,
                   events=report.get("events"), root=str(report.get("root_hash", ""))[:16])
        proof = self.directory / f"cdr-{self.proof_of['number']}.tlog-proof"
        status, output = self.ledgerline("log", "prove", "--data", data, "--cdr", str(self.proof_of["number"]), "--out", str(proof))
        verified, text = self.ledgerline("log", "prove", "--verify", str(proof), "--key", str(self.directory / "control" / "keys" / "log-signing.pub"))
        self.check(f"inclusion proof of CDR {self.proof_of['number']} verifies offline", status == 0 and verified == 0, bytes=proof.stat().st_size if proof.exists() else 0)
        if status or verified:
            print(output, text)
        self.dispute(data)
        self.dispute_invoice(data)
        self.reconcile(data)
        status, output = self.ledgerline("replay", "--data", data, "--check", "--json")
        report = json.loads(output) if status == 0 else {}
        self.check("replay --check: every view rebuilt from the log and found equal", status == 0 and report.get("equal") is True,
                   events=report.get("events"), seconds=report.get("seconds"))
        if status:
            print(output)

    def dispute(self, data):
        number = self.proof_of["number"]
        pack, page = self.directory / f"cdr-{number}.json", self.directory / f"cdr-{number}.html"
        key = str(self.directory / "control" / "keys" / "log-signing.pub")
        made, output = self.ledgerline("dispute", "--cdr", str(number), "--data", data, "--out", str(pack), "--html", str(page))
        status, text = self.ledgerline("dispute", "verify", str(pack), "--key", key, "--json")
        report = json.loads(text) if status == 0 else {}
        self.check(f"dispute pack of CDR {number} explains and proves its charge offline", made == 0 and report.get("holds") is True and page.exists(),
                   proven=len(report.get("proven", [])), bytes=pack.stat().st_size if pack.exists() else 0)
        if made or status:
            print(output, text)
            return
        forged = json.loads(pack.read_text())
        forged["explanation"]["charges"][0]["amount"] = "9.99"
        changed = self.directory / "forged.json"
        changed.write_text(json.dumps(forged))
        status, text = self.ledgerline("dispute", "verify", str(changed), "--key", key)
        self.check("a pack with another amount is refused", status == 1 and "does not follow from the events" in text)

    def dispute_invoice(self, data):
        """What the calls came to, on paper, and the file that proves it to somebody who has the public key alone."""
        issued = self.api.post(f"/v1/customers/{self.customer['id']}/invoices", {}, headers={"Idempotency-Key": "invoice"})
        pack, page = self.directory / "invoice.jsonl", self.directory / "invoice.html"
        key = str(self.directory / "control" / "keys" / "log-signing.pub")
        made, output = self.ledgerline("dispute", "--invoice", issued["id"], "--data", data, "--out", str(pack), "--html", str(page))
        status, text = self.ledgerline("dispute", "verify", str(pack), "--key", key, "--json")
        report = json.loads(text) if status == 0 else {}
        self.check(f"dispute pack of invoice {issued['number']} proves its lines and the balance offline", made == 0 and report.get("holds") is True and report.get("kind") == "invoice",
                   total=f"{issued['total']} {issued['currency']}", proven=len(report.get("proven", [])), bytes=pack.stat().st_size if pack.exists() else 0)
        if made or status:
            print(output, text)
            return
        lines = pack.read_text().splitlines(keepends=True)
        changed = self.directory / "forged.jsonl"
        changed.write_text("".join(lines[:1] + [line.replace('"type":"journal.posted"', '"type":"journal.lost"') for line in lines[1:]]))
        status, text = self.ledgerline("dispute", "verify", str(changed), "--key", key)
        self.check("an invoice's pack with a changed line is refused", status == 1 and "is not what the pack says it is" in text)

    def reconcile(self, data):
        """A statement of the carrier's: the outbound call an hour ahead in its time zone, and one that was never made."""
        cdr = self.proof_of
        start = datetime.datetime.fromisoformat(cdr["answered_at"].replace("Z", "+00:00")) + datetime.timedelta(hours=1)
        amount = next(c["amount"]["amount"] for c in cdr["charges"] if c["edge"] == "carrier")
        seconds = -(-cdr["duration_ms"] // 1000)
        lines = ["Rufnummer;Beginn;Dauer;Betrag"]
        for called, begin in ((cdr["called_e164"].replace("+", "00"), start), ("004930123456", start)):
            lines.append(f"{called};{begin:%d.%m.%Y %H:%M:%S};00:00:{seconds:02};{amount.replace('.', ',')}")
        statement, out = self.directory / "statement.csv", self.directory / "claim"
        statement.write_text("\r\n".join(lines) + "\r\n")
        carrier = next(iter(self.api.get("/v1/carriers?limit=1")["items"]))
        status, text = self.ledgerline("cdr", "reconcile", str(statement), "--data", data, "--carrier", carrier["name"], "--zone", "+01:00", "--basis", "answered",
                                       "--out", str(out), "--json")
        report = json.loads(text) if status == 0 else {}
        classes = {name: c["lines"] for name, c in report.get("classes", {}).items() if c["lines"]}
        self.check("a carrier's statement: one line agrees, the invented one is claimed", classes == {"agreed": 1, "missing_ours": 1} and (out / "claim.html").exists(),
                   claim=report.get("claim", {}).get("amount"))
        if status:
            print(text)

    # -- the whole -------------------------------------------------------------------------------

    def run(self):
        self.say(f"data, keys and recordings are in {self.directory}")
        self.start_platform()
        self.refuse_stranger()
        self.provision()
        self.start_phones()
        self.run_calls()
        self.show_books()
        self.prove()
        self.check("all of it took less than 60 seconds", time.monotonic() - self.began < 60, seconds=round(time.monotonic() - self.began, 1))

    def keep(self):
        print(f"""
Still running (end them with: kill {' '.join(str(p.pid) for p in self.processes.values() if p.running)}):
  HTTP API    http://{HTTP}/v1   document http://{HTTP}/openapi.json
  API token   {self.token}
  SIP         {CLUSTER} (UDP), domain {DOMAIN}
  account     user alice  password {self.passwords['alice']}  extension 1000
  account     user bob    password {self.passwords['bob']}  extension 1001
  data        {self.directory}""")

    def stop(self):
        statuses = {}
        for phone in self.phones.values():
            phone.stop()
        for name, process in reversed(list(self.processes.items())):
            if process.running:
                statuses[name] = process.stop()
        return statuses


def main():
    parser = argparse.ArgumentParser(prog="tools/demo")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--directory", metavar="DIR")
    parser.add_argument("--ports-from", metavar="N", type=int, help="200 ports in a row instead of the usual ones")
    options = parser.parse_args()
    if options.ports_from:
        use_ports_from(options.ports_from)
    for name in ("baresip",):
        if not shutil.which(name):
            raise SystemExit(f"{name} is not installed; run tools/demo, which installs it")
    demo = Demo(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failure, kept = None, False
    try:
        demo.run()
        if options.keep:
            for phone in demo.phones.values():
                phone.stop()
            demo.keep()
            kept = True
    except Exception as error:  # told below, after everything that runs has been ended
        failure = error
        demo.check(f"the demo ran to its end ({type(error).__name__})", False)
        print(error, file=sys.stderr)
    finally:
        if not kept:
            statuses = demo.stop()
            if failure is None:
                demo.check("everything stopped cleanly", all(s == 0 for s in statuses.values()) and statuses,
                           statuses=" ".join(f"{n}={s}" for n, s in statuses.items()))
    passed = sum(c["passed"] for c in demo.checks)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"passed": passed, "total": len(demo.checks), "checks": demo.checks}, indent=2) + "\n")
    print(f"demo: {passed} of {len(demo.checks)} checks passed")
    if passed != len(demo.checks):
        print(f"the logs are in {demo.directory}", file=sys.stderr)
        return 1
    if not options.directory and not kept:
        shutil.rmtree(demo.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
