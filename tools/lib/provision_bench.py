"""The provision group of tools/bench: tenants and subscribers made through the HTTP API of a control process, one request each."""
import http.client
import json
import multiprocessing
import pathlib
import resource
import secrets
import shutil
import tempfile
import threading
import time

from platform_under_test import Api, Process

TENANTS, SUBSCRIBERS, CUSTOMERS = 10_000, 100_000, 100
CLIENTS, CONNECTIONS = 2, 16


def client(address, token, requests, results):
    """One process with its connections; each takes the next request that nobody has taken."""
    place, lock, latencies, created, failures = [0], threading.Lock(), [], {}, []

    def connection():
        link = http.client.HTTPConnection(address, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while not failures:
            with lock:
                if place[0] == len(requests):
                    return
                index = place[0]
                place[0] += 1
            path, body = requests[index]
            began = time.monotonic()
            link.request("POST", path, body=json.dumps(body), headers=headers)
            answer = link.getresponse()
            content = answer.read()
            latencies.append(time.monotonic() - began)
            if answer.status != 201:
                failures.append(f"{path} answered {answer.status}: {content.decode(errors='replace')}")
                return
            created[index] = json.loads(content)["id"]

    threads = [threading.Thread(target=connection) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((failures, latencies, [created.get(index) for index in range(len(requests))]))


def post_all(address, token, requests):
    """(seconds, latencies, ids in the order of the requests)."""
    results = multiprocessing.Queue()
    parts = [requests[number::CLIENTS] for number in range(CLIENTS)]
    began = time.monotonic()
    processes = []
    answers = []
    for part in parts:
        queue = multiprocessing.Queue()
        process = multiprocessing.Process(target=client, args=(address, token, part, queue))
        process.start()
        processes.append((process, queue))
    for process, queue in processes:
        answers.append(queue.get())
        process.join()
    seconds = time.monotonic() - began
    results.close()
    for failures, _, _ in answers:
        if failures:
            raise SystemExit(f"provisioning failed: {failures[0]}")
    ids = [None] * len(requests)
    for number, (_, _, created) in enumerate(answers):
        ids[number::CLIENTS] = created
    return seconds, sorted(latency for _, latencies, _ in answers for latency in latencies), ids


def memory_mebibytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no memory of process {pid}")


def measure(figures, binaries, directory, tenants=TENANTS, subscribers=SUBSCRIBERS):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    home = pathlib.Path(tempfile.mkdtemp(prefix="ledgerline-bench-", dir=directory))
    control = Process("control", [str(binaries / "ledgerline"), "control", "--data", str(home / "data"), "--http", "127.0.0.1:0",
                                  "--desk", "127.0.0.1:0", "--feed", "127.0.0.1:0"], home / "control.log")
    try:
        token = control.wait_for(r"admin token[^\n]*?(llt_\S+)").group(1)
        address = control.wait_for(r"http://(127\.0\.0\.1:\d+)").group(1)
        api = Api(f"http://{address}", token)
        provider = api.post("/v1/providers", {"name": "Bench", "namespace": "bench.example", "currency": "EUR"})["id"]
        contact = api.post("/v1/contacts", {"provider_id": provider, "name": "Anna"})["id"]
        deck = api.post("/v1/rate-decks", {"provider_id": provider, "name": "Retail", "currency": "EUR", "decimals": 4})["id"]
        plan_of_calls = api.post("/v1/dial-plans", {"provider_id": provider, "name": "E.164", "rules": []})["id"]
        plan = api.post("/v1/service-plans", {"provider_id": provider, "name": "Default", "payment_mode": "postpaid", "rate_deck_id": deck,
                                              "dial_plan_id": plan_of_calls})["id"]
        customers = [api.post("/v1/customers", {"provider_id": provider, "contact_id": contact, "service_plan_id": plan, "name": f"Customer {number}",
                                                "currency": "EUR"})["id"] for number in range(CUSTOMERS)]
        seconds, waited, made = post_all(address, token, [
            ("/v1/tenants", {"customer_id": customers[number % CUSTOMERS], "name": f"Tenant {number}", "domain": f"t{number}.bench.example", "country_code": "49"})
            for number in range(tenants)])
        figures.add("provision.tenants", [tenants / seconds], "tenants/s")
        total = seconds
        seconds, waited, lines = post_all(address, token, [
            ("/v1/subscribers", {"tenant_id": made[number % tenants], "username": f"line{number // tenants}", "password": secrets.token_hex(12),
                                 "display_name": f"Line {number}"}) for number in range(subscribers)])
        total += seconds
        figures.add("provision.subscribers", [subscribers / seconds], "subscribers/s")
        figures.add("provision.subscriber_p50", [waited[len(waited) // 2] * 1000], "ms")
        figures.add("provision.subscriber_p99", [waited[len(waited) * 99 // 100] * 1000], "ms")
        figures.add("provision.all", [total], "s")
        figures.add("provision.memory", [memory_mebibytes(control.pid)], "MiB")
        # What was answered is there, the last like the first.
        for path in (f"/v1/tenants/{made[-1]}", f"/v1/subscribers/{lines[0]}", f"/v1/subscribers/{lines[-1]}"):
            api.get(path)
        if len(set(lines)) != subscribers or None in lines:
            raise SystemExit("not every subscriber has an id of its own")
    finally:
        control.stop()
        shutil.rmtree(home)
