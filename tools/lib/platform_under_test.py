"""Ledgerline's processes on loopback, and its HTTP API, for the demo and the process tests."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request


class PlatformError(Exception):
    pass


class Process:
    """One of our processes. Only processes started here are ever ended here, by PID."""

    def __init__(self, name, arguments, log):
        self.name, self.log = name, pathlib.Path(log)
        self._out = open(self.log, "ab")
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self._out, stderr=subprocess.STDOUT)

    @property
    def pid(self):
        return self._process.pid

    @property
    def running(self):
        return self._process.poll() is None

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern, timeout=15):
        """The first match of `pattern` in what the process has printed."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text())
            if match:
                return match
            if not self.running:
                raise PlatformError(f"{self.name} ended with status {self._process.returncode}:\n{self.text()[-2000:]}")
            if time.monotonic() > deadline:
                raise PlatformError(f"{self.name} did not print {pattern!r} within {timeout} s:\n{self.text()[-2000:]}")
            time.sleep(0.02)

    def says(self, words, timeout=15):
        """Whether it prints these words before long: they come a moment after what they are about."""
        try:
            self.wait_for(re.escape(words), timeout)
            return True
        except PlatformError:
            return False

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, timeout=10):
        """Asks it to end; the exit status."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise PlatformError(f"{self.name} did not stop within {timeout} s and was killed")
        self._out.close()
        return self._process.returncode


class Api:
    """The public HTTP API, spoken as any customer would."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def request(self, method, path, body=None, headers=None, expect=(200, 201, 202, 204)):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=dict(headers or {}))
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                status, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        except urllib.error.URLError as error:
            raise PlatformError(f"{method} {path}: {error.reason}")
        if status not in expect:
            raise PlatformError(f"{method} {path} answered {status}: {content.decode(errors='replace')}")
        return json.loads(content) if content[:1] in (b"{", b"[") else content.decode()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None, **rest):
        return self.request("POST", path, {} if body is None else body, **rest)

    def patch(self, path, body):
        return self.request("PATCH", path, body)

    def wait_until(self, path, test, what, timeout=10):
        """Asks until `test(answer)` holds; the answer."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self.get(path)
            if test(answer):
                return answer
            if time.monotonic() > deadline:
                raise PlatformError(f"{what}: not so within {timeout} s; GET {path} says {json.dumps(answer)[:1500]}")
            time.sleep(0.05)


def run(*arguments, timeout=60):
    """Runs a command to its end; (status, output)."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    return done.returncode, done.stdout.decode(errors="replace")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
