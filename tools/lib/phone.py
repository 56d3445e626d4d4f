"""A real phone: baresip without a screen, driven over its control socket, playing and recording WAV files."""
import json
import pathlib
import queue
import socket
import subprocess
import threading
import time

import tone

MODULES = next((p for p in (pathlib.Path("/usr/lib/baresip/modules"), pathlib.Path("/usr/local/lib/baresip/modules"))
                if p.is_dir()), pathlib.Path("/usr/lib/baresip/modules"))


class PhoneError(Exception):
    pass


class Phone:
    """One account on one loopback address. `account` is baresip's account line."""

    def __init__(self, name, directory, address, port, control_port, account, play, extra=""):
        self.name, self.directory = name, pathlib.Path(directory)
        self.address, self.port, self.control_port = address, port, control_port
        self.recordings = self.directory / "recordings"
        self.recordings.mkdir(parents=True, exist_ok=True)
        (self.directory / "accounts").write_text(account + "\n")
        (self.directory / "contacts").write_text("")
        (self.directory / "config").write_text(f"""\
sip_listen {address}:{port}
net_interface {address}
audio_player nullaudio,
audio_alert nullaudio,
audio_source aufile,{play}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports 20000-29999
call_max_calls 8
snd_path {self.recordings}
module_path {MODULES}
module aufile.so
module sndfile.so
module g711.so
module srtp.so
module_tmp uuid.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control_port}
{extra}
""")
        self.events = []
        self._old = set()
        self._news = threading.Condition()
        self._replies = queue.Queue()
        self._process = self._socket = None

    def start(self, timeout=10):
        self._log = open(self.directory / "log", "wb")
        self._process = subprocess.Popen(["baresip", "-4", "-f", str(self.directory)], stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._socket = socket.create_connection((self.address, self.control_port), timeout=1)
                break
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise PhoneError(f"{self.name}: baresip did not start, see {self.directory / 'log'}")
                time.sleep(0.05)
        self._socket.settimeout(None)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    @property
    def pid(self):
        return self._process.pid

    def _listen(self):
        data = b""
        while True:
            try:
                chunk = self._socket.recv(65536)
            except OSError:
                chunk = b""
            if not chunk:
                return
            data += chunk
            while b":" in data:
                length, rest = data.split(b":", 1)
                if len(rest) < int(length) + 1:
                    break
                message = json.loads(rest[:int(length)].decode("utf-8", "replace"))
                data = rest[int(length) + 1:]
                if message.get("event"):
                    with self._news:
                        self.events.append((time.monotonic(), message))
                        self._news.notify_all()
                else:
                    self._replies.put(message)

    def command(self, name, params="", timeout=5):
        body = json.dumps({"command": name, "params": params}).encode()
        self._socket.sendall(b"%d:%s," % (len(body), body))
        try:
            return self._replies.get(timeout=timeout)
        except queue.Empty:
            raise PhoneError(f"{self.name}: no answer to the command {name}")

    def mark(self):
        """A place in the list of events, to wait for what comes after it."""
        return len(self.events)

    def wait(self, *types, since=0, timeout=10):
        """The first event of one of `types` after `since`; (monotonic time, event)."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for at, event in self.events[since:]:
                    if event["type"] in types:
                        return at, event
                left = deadline - time.monotonic()
                if left <= 0:
                    seen = [e["type"] for _, e in self.events[since:]]
                    raise PhoneError(f"{self.name}: none of {', '.join(types)} within {timeout} s; seen: {seen}")
                self._news.wait(left)

    def dial(self, uri):
        return self.command("dial", uri)

    def answer(self):
        return self.command("accept")

    def hang_up(self):
        return self.command("hangup")

    def recording(self, kind="dec"):
        """The newest recording of what was heard (`dec`) or said (`enc`)."""
        files = sorted(self.recordings.glob(f"dump-*-{kind}.wav"), key=lambda f: f.stat().st_mtime)
        if not files:
            raise PhoneError(f"{self.name}: nothing was recorded")
        return files[-1]

    def forget_recordings(self):
        """What is recorded from now on is what `hears` looks at."""
        self._old |= self.heard_files()

    def heard_files(self):
        return set(self.recordings.glob("dump-*-dec.wav")) - self._old

    def heard(self, hertz):
        """Seconds of a tone, or of a pair of tones, in what was heard since `forget_recordings`."""
        return sum(tone.heard(path, hertz) for path in self.heard_files())

    def hears(self, hertz, seconds, timeout=60):
        """Waits until it has heard that for so long; (the phone writes what it hears as it hears it)."""
        deadline = time.monotonic() + timeout
        while (heard := self.heard(hertz)) < seconds:
            if time.monotonic() > deadline:
                raise PhoneError(f"{self.name}: heard {hertz} Hz for {heard} s within {timeout} s, not {seconds} s")
            time.sleep(0.1)
        return heard

    def stop(self, timeout=5):
        """Whether it ended by itself, and so has taken back its registration: now and then baresip hangs at its end."""
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.terminate()
        try:
            self._process.wait(timeout)
            ended = True
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            ended = False
        self._log.close()
        return ended
