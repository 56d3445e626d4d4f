"""A phone in a real browser: Chromium without a screen, on a page of ours that speaks SIP over WebSocket and WebRTC."""
import http.server
import itertools
import json
import os
import pathlib
import queue
import signal
import struct
import subprocess
import threading
import time
import wave

import tone

PAGE = pathlib.Path(__file__).with_name("browser_phone.html")


class BrowserError(Exception):
    pass


class BrowserPhone:
    """`play` is a WAV file that its microphone hears, again and again."""

    def __init__(self, directory, play):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.play = play
        self.commands, self.results = queue.Queue(), {}
        self.events, self.numbers = [], itertools.count(1)
        self.sounds = queue.Queue()
        self.news = threading.Condition()

    def start(self, timeout=60):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def give(self, body, kind="application/json"):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path == "/next":
                    try:
                        command = outer.commands.get(timeout=20)
                    except queue.Empty:
                        command = {}
                    return self.give(json.dumps(command).encode())
                self.give(PAGE.read_bytes() if self.path == "/" else b"", "text/html; charset=utf-8")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/sound":
                    outer.sounds.put(body)
                else:
                    value = json.loads(body)
                    with outer.news:
                        if self.path == "/result":
                            outer.results[value["id"]] = value
                        else:
                            outer.events.append(value)
                        outer.news.notify_all()
                self.give(b"{}")

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # the browser was ended while it asked for the next command

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.port}/"
        self.log = open(self.directory / "chromium.log", "wb")
        # A session of its own, so that its helpers end with it.
        self.process = subprocess.Popen(
            ["timeout", "--signal=KILL", "300", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             f"--user-data-dir={self.directory / 'profile'}", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
             f"--use-file-for-fake-audio-capture={self.play}", "--allow-loopback-in-peer-connection", "--ignore-certificate-errors",
             "--autoplay-policy=no-user-gesture-required", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-background-timer-throttling", "--disable-renderer-backgrounding", url],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        self.timeout = timeout
        return self

    def send(self, name, *parameters):
        number = next(self.numbers)
        self.commands.put({"id": number, "name": name, "parameters": list(parameters)})
        return number

    def result(self, number, timeout=30):
        deadline = time.monotonic() + timeout
        with self.news:
            while number not in self.results:
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise BrowserError(f"no answer from the browser; events: {[e.get('type') for e in self.events]}, see {self.directory / 'chromium.log'}")
                self.news.wait(min(left, 1))
            answer = self.results.pop(number)
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer.get("value")

    def do(self, name, *parameters, timeout=30):
        return self.result(self.send(name, *parameters), timeout)

    def register(self, url, name, domain, password):
        """The status of its REGISTER. The first command also waits for the browser to start."""
        number = next(self.numbers)
        self.commands.put({"id": number, "name": "start", "parameters": {"url": url, "name": name, "domain": domain, "password": password}})
        return self.result(number, self.timeout)

    def mark(self):
        return len(self.events)

    def wait(self, kind, since=0, timeout=15, **fields):
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                for event in self.events[since:]:
                    if event.get("type") == kind and all(event.get(k) == v for k, v in fields.items()):
                        return event
                left = deadline - time.monotonic()
                if left <= 0:
                    raise BrowserError(f"no {kind} {fields} within {timeout} s; seen: {self.events[since:]}")
                self.news.wait(left)

    def heard(self, name):
        """A WAV file of what it has heard since it was last asked."""
        self.do("sound")
        samples = self.sounds.get(timeout=10)
        path = self.directory / f"{name}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(48_000)
            out.writeframes(samples[:len(samples) // 2 * 2])
        return path

    def hears(self, hertz, seconds, timeout=60):
        """Waits until it has heard that tone for so long, from now on."""
        deadline, total = time.monotonic() + timeout, 0.0
        self.heard("before")
        while total < seconds:
            if time.monotonic() > deadline:
                raise BrowserError(f"heard {hertz} Hz for {total} s within {timeout} s, not {seconds} s")
            time.sleep(0.5)
            total += tone.heard(self.heard("heard"), hertz)
        return round(total, 1)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.server.shutdown()
        self.log.close()
