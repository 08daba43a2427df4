# SPDX-License-Identifier: Apache-2.0
"""The programs under test, each run as its own user, and what they log."""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass

import provider as provider_module
import slapd as slapd_module
from tsan import own_reports
from waiting import wait_for

RUN = pathlib.Path("/run/mailhaul")
CONTROL = RUN / "milter.ctl"
FETCHER_CONTROL = RUN / "fetcher.ctl"
SOCKET = "unix:/var/spool/postfix/mailhaul/milter.sock"

# What the kernel ends a faulty program with.
_FAULTS = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE}
_REPORT = re.compile(r"(?:Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")
_PLAIN = re.compile(r"[A-Za-z0-9/.][A-Za-z0-9/._@+-]*\Z")
_LINE = re.compile(r"^(mailhaul[a-z-]*)\[(\d+)\]: (.*)$")
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|<[^>]*>(?:,<[^>]*>)*|[^\s,]+|)')


def to_yaml(value, indent=0):
    """Block-style YAML of dicts, lists and scalars."""
    pad = "  " * indent
    lines = []
    if isinstance(value, dict):
        entries = [(f"{key}:", item) for key, item in value.items()]
    else:
        entries = [("-", item) for item in value]
    for label, item in entries:
        if isinstance(item, (dict, list)) and item:
            lines.append(f"{pad}{label}\n{to_yaml(item, indent + 1)}")
        else:
            lines.append(f"{pad}{label} {_scalar(item)}\n")
    return "".join(lines)


def _scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    text = str(value)
    if _PLAIN.match(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass
class LogLine:
    """One line of a program: its words as a dict, and the whole text."""

    program: str
    text: str
    words: dict

    def __getitem__(self, name):
        return self.words.get(name)


def _replace(path, text, mode, *owners):
    """A daemon that reads it meanwhile finds the one or the other."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    draft.chmod(mode)
    shutil.chown(draft, *owners)
    draft.rename(path)


def _processes_of(user, name=".*"):
    """Those that live.  Nobody else in the sandbox has this user."""
    wanted = re.compile(rf"^Name:\t{name}\n(?s:.*)^State:\t[^ZX](?s:.*)^Uid:\t{pwd.getpwnam(user).pw_uid}\t", re.M)
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if wanted.search(path.read_text()):
                found.append(int(path.parent.name))
    return found


def parse(text):
    lines = []
    for raw in text.splitlines():
        if match := _LINE.match(raw):
            words = {k: v.strip('"') for k, v in _PAIR.findall(match[3])}
            lines.append(LogLine(match[1], match[3], words))
    return lines


@dataclass
class Result:
    """How a program ended, and what it wrote."""

    status: int
    out: str
    err: str

    def lines(self, **words):
        """The log lines that have these words."""
        return [
            line for line in parse(self.err) if all(line[k] == v for k, v in words.items())
        ]

    def expect(self, status):
        assert self.status == status, f"exit {self.status}, not {status}\n{self.out}{self.err}"
        return self


class Mailhaul:
    """One installation with its own YAML file and state.

    `config` is what the YAML file will hold: change it before the first start,
    or call write() after.  `flavour` is the build of all programs that are
    started, unless another is asked for.
    """

    def __init__(self, folder, programs, certificates):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.yaml = self.folder / "mailhaul.yaml"
        self.state = self.folder / "state"
        self.state.mkdir()
        shutil.chown(self.state, "mailhaul", "mailhaul")
        self.state.chmod(0o2770)
        self.groups = []  # of the fetcher, besides mailhaul
        self.before = []  # words of a command that runs the daemons
        self._programs = pathlib.Path(programs)
        self._ca = str(certificates.ca)
        self._processes = {}
        self._ended = []  # (program, status, what it wrote)
        self._started = []  # (name, process)
        self.flavour = "release"
        self._written = None
        password = self.secret("ldap.password", slapd_module.BIND_PASSWORD, "mailhaul-milter")
        self.config = {
            "postmaster": "postmaster@example.org",
            "accepted_domains": ["example.org", "lan.example.org"],
            "directory": [
                {
                    "ldap": {
                        "uri": [f"ldaps://ldap.example.org:{slapd_module.LDAPS}"],
                        "schema": "openldap",
                        "base": slapd_module.BASE,
                        "bind_dn": slapd_module.BIND_DN,
                        "password": {"file": password},
                        "ca_file": self._ca,
                        "timeout": "9s",  # the fetcher waits for 10 s
                    }
                }
            ],
            "milter": {"socket": SOCKET, "control": str(CONTROL)},
            "state_dir": str(self.state),
            "accounts": [],
        }

    def secret(self, name, text, owner="mailhaul"):
        """Write a secret file that only `owner` may read; return its path."""
        path = self.folder / name
        _replace(path, text + "\n", 0o600, owner)
        return str(path)

    def add_account(self, mailbox, name="office", **settings):
        """An account over POP3S; `settings` replace the usual ones.  Unless there
        is a port, it is the one of the protocol at the provider."""
        account = {
            "name": name,
            "protocol": "pop3s",
            "tls": {"mode": "required", "ca_file": self._ca},
            "host": provider_module.HOST,
            "user": mailbox.user,
            "password": {"file": self.secret(f"{name}.password", mailbox.password)},
            "mailbox": "catch_all",
            "fallback": "office@example.org",
            "every": "1s",
            "timeout": "10s",
        }
        account.update(settings)
        self.config["accounts"].append(account)
        return account

    def write(self):
        """Write the YAML file, if it has changed."""
        accounts = [
            {"port": provider_module.PORTS.get(account["protocol"], 0), **account}
            for account in self.config["accounts"]
        ]
        text = to_yaml({**self.config, "accounts": accounts})
        if text != self._written:
            _replace(self.yaml, text, 0o640, "root", "mailhaul")
            self._written = text

    def _command(self, program, user, arguments, flavour):
        rights = ["setpriv", f"--reuid={user}", "--regid=mailhaul", "--clear-groups"] if user else []
        if user == "mailhaul" and self.groups:
            rights[-1] = f"--groups={','.join(self.groups)}"
        return [*self.before, *rights, self._programs / flavour / program, "-c", self.yaml, *arguments]

    def _environment(self, crash):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        if crash:
            environment["MAILHAUL_CRASH"] = crash
        return environment

    def _start(self, name, user, arguments=(), flavour=None, crash=None, umask=0o077):
        self.write()
        flavour = flavour or self.flavour
        log = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            self._command(f"mailhaul-{name}", user, arguments, flavour),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=umask, cwd="/",
            env=self._environment(crash),
        )
        log.close()
        self._processes[name] = process
        self._started.append((name, process))
        return process

    # The milter.

    def ask_milter(self):
        """Its answer to READY, "" when there is none."""
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(10)
                link.connect(str(CONTROL))
                link.sendall(b"READY\n")
                return link.recv(1000).decode().strip()
        except OSError:
            return ""

    def milter_statistics(self):
        """The report of STATS: a dict, with the list `sources` of dicts."""
        text = b""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(str(CONTROL))
            link.sendall(b"STATS\n")
            while not text.endswith(b"\n\n"):
                more = link.recv(65536)
                assert more, "half a report"
                text += more
        report = {"sources": []}
        target = report
        for line in text.decode("ascii").splitlines()[:-1]:
            key, value = line.split(" ", 1)
            if key == "source":
                target = {}
                report["sources"].append(target)
            target[key] = int(value) if value.isdecimal() else value
        return report

    def start_milter(self):
        """Start it unless it runs; wait until it answers."""
        if self.runs("milter"):
            return
        # Not the socket's file: one that was killed has left that.
        before = self.log("milter").count(" listens at ")
        process = self._start("milter", "mailhaul-milter", umask=0o007)

        def answers():
            assert process.poll() is None, f"mailhaul-milter ended\n{self.log('milter')}"
            return self.log("milter").count(" listens at ") > before and self.ask_milter()

        wait_for(answers, "the milter's sockets", 30, lambda: self.log("milter"))

    # The fetcher.

    def start_fetcher(self, crash=None, flavour=None, milter=True):
        """The daemon; `crash` is the name of a crash point."""
        if milter:
            self.start_milter()
        return self._start(
            "fetcher", "mailhaul", flavour=flavour or ("crash" if crash else None), crash=crash
        )

    def control(self, command):
        """The fetcher's answer on its control socket, "" when there is none."""
        text = b""
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(60)
                link.connect(str(FETCHER_CONTROL))
                link.sendall(command.encode() + b"\n")
                while more := link.recv(65536):
                    text += more
                    if text.endswith(b"\n\n"):
                        break
        except OSError:
            pass
        return text.decode("ascii")

    def passes(self):
        """How many the fetcher has ended, of all accounts; 0 while it does not answer."""
        return sum(map(int, re.findall(r"^passes (\d+)$", self.control("STATUS"), re.M)))

    def fetch_once(self, *arguments, milter=True, timeout=60, crash=None, flavour=None):
        """`mailhaul-fetcher --once`: its Result."""
        if milter:
            self.start_milter()
        flavour = flavour or ("crash" if crash else self.flavour)
        result = self._run(
            "mailhaul-fetcher", "mailhaul", ("--once", *arguments), timeout, crash, flavour
        )
        with (self.folder / "fetcher.log").open("a") as log:
            log.write(result.err)
        if crash:
            self._wait_for_lock()
        return result

    def command(self, *arguments, stdin="", timeout=30, flavour="release", before=()):
        """`mailhaul ARGUMENTS`, as root: its Result.  The verb comes first.  `before`: a command that runs it."""
        self.write()
        verb, *rest = arguments
        return self._finish(
            [*before, self._programs / flavour / "mailhaul", verb, "-c", self.yaml, *rest],
            stdin, timeout, None,
        )

    def _run(self, program, user, arguments, timeout, crash, flavour):
        self.write()
        return self._finish(self._command(program, user, arguments, flavour), "", timeout, crash)

    def _finish(self, command, stdin, timeout, crash):
        try:
            done = subprocess.run(
                command, input=stdin if isinstance(stdin, bytes) else stdin.encode(), cwd="/",
                capture_output=True, timeout=timeout, env=self._environment(crash),
            )
        except subprocess.TimeoutExpired as late:
            text = (late.stderr or b"").decode("utf-8", "replace")
            raise AssertionError(f"{command} did not end within {timeout} s\n{text}") from None
        result = Result(
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )
        self._ended.append((pathlib.Path(command[0]).name, result.status, result.err))
        return result

    # Both.

    def faults(self):
        """What no program may do, whatever the test: crash, or be reported by a sanitizer."""
        ended = [*self._ended]
        ended += [(name, process.poll(), self.log(name)) for name, process in self._started]
        return [
            f"{name}: exit {status}\n{text}"
            for name, status, text in ended
            if -(status or 0) in _FAULTS or _REPORT.search(text) or own_reports(text)
        ]

    def runs(self, name):
        return name in self._processes and self._processes[name].poll() is None

    def send_signal(self, name, number):
        self._processes[name].send_signal(number)

    def kill(self, name):
        """kill -9, and wait for the end."""
        self.stop(name, signal.SIGKILL)
        if name == "fetcher":
            self._wait_for_lock()

    @staticmethod
    def _wait_for_lock():
        """A child of a fetcher that was killed has the lock until it is sendmail(1)."""
        wait_for(lambda: not _processes_of("mailhaul", "mailhaul-fetche"), "the fetcher's last child")

    def stop(self, name, number=signal.SIGTERM, timeout=40):
        """End a daemon; return its exit status."""
        process = self._processes.pop(name)
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end within {timeout} s of signal {number}") from None

    def stop_fetcher(self):
        """At once, and whatever it had begun: a sendmail(1) that outlives it would
        bring its mail into another test."""
        if "fetcher" in self._processes:
            self.kill("fetcher")
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not _processes_of("mailhaul"), "the fetcher's children", 5)
        for pid in _processes_of("mailhaul"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not _processes_of("mailhaul"), "the end of the fetcher's children", 10)
        FETCHER_CONTROL.unlink(missing_ok=True)

    def stop_all(self):
        """At once: what a test leaves is of no use."""
        self.stop_fetcher()
        for name in list(self._processes):
            self.kill(name)
        CONTROL.unlink(missing_ok=True)

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def lines(self, name="fetcher", **words):
        """The log lines of a daemon that have these words."""
        return [
            line for line in parse(self.log(name)) if all(line[k] == v for k, v in words.items())
        ]

    def peak_memory(self, name):
        """Peak resident memory in bytes."""
        text = pathlib.Path(f"/proc/{self._processes[name].pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024

    def archive(self):
        """The archived messages."""
        folder = self.state / "archive"
        if not folder.exists():
            return []
        return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]

    def spool(self):
        """The names of the spool files."""
        folder = self.state / "spool"
        return sorted(os.listdir(folder)) if folder.exists() else []

    def spooled(self):
        """The names of those that are wholly there (small ones: written at once)."""
        folder = self.state / "spool"
        return [name for name in self.spool() if (folder / name).stat().st_size > 0]
