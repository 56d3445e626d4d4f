"""Linphone on a pseudo-terminal: its console (`linphonec`) wants one, and neither a screen nor a sound card."""
import os
import pathlib
import pty
import select
import subprocess
import time


class LinphoneError(Exception):
    pass


class Linphone:
    """`ports`: of SIP by UDP and TCP, and of sound."""

    def __init__(self, directory, ports, authorities):
        self.directory = pathlib.Path(directory)
        # Its database is made in a directory that it does not make.
        (self.directory / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        (self.directory / ".config/linphone").mkdir(parents=True, exist_ok=True)
        (self.directory / "rc").write_text(f"""\
[sip]
sip_port={ports[0]}
sip_tcp_port={ports[1]}
sip_tls_port=-1
guess_hostname=0
root_ca={authorities}
verify_server_certs=1
[rtp]
audio_rtp_port={ports[2]}
[video]
enabled=0
""")
        self.text = ""

    def start(self):
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(
            ["linphonec", "-c", str(self.directory / "rc"), "-d", "6", "-l", str(self.directory / "log")], stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=self.directory, env={**os.environ, "HOME": str(self.directory), "TERM": "dumb", "COLUMNS": "400"})
        os.close(theirs)
        self.wait("linphonec>")
        self.command("soundcard use files")
        return self

    def command(self, line):
        """- Returns: a mark for what is printed from here on."""
        mark = len(self.text)
        os.write(self._terminal, line.encode() + b"\n")
        return mark

    def wait(self, *words, since=0, timeout=30):
        """Until one of the words is printed."""
        deadline = time.monotonic() + timeout
        while not any(word in self.text[since:] for word in words):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise LinphoneError(f"none of {words}: {self.text[since:][-1500:]}")
            if select.select([self._terminal], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self._terminal, 65536).decode(errors="replace")
                except OSError:
                    raise LinphoneError(f"linphone has ended: {self.text[-1500:]}") from None
        return self.text[since:]

    def register(self, line, server, password, timeout=30):
        self.command(f"register sip:{line} {server} {password}")
        deadline = time.monotonic() + timeout
        while True:
            mark = self.command("status register")
            said = self.wait("registered=", "registered, identity", since=mark)
            if "registered, identity" in said:
                return
            if time.monotonic() > deadline:
                raise LinphoneError(f"it is not registered: {said}")
            time.sleep(0.2)

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        os.close(self._terminal)
