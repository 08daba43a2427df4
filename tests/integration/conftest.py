# SPDX-License-Identifier: Apache-2.0
"""The servers, a fresh installation for each test, and the oracle behind each."""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from hostile_imap import BAIT  # noqa: E402
from mails import who_got  # noqa: E402
from scripted_imap import ScriptedImap  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import World  # noqa: E402

LISTENER = "/var/spool/postfix/public/mailhaul"
LOG_SHOWN = 12000  # characters of each log with a failure


@pytest.fixture(scope="session")
def world():
    world = World()
    world.start()
    yield world
    world.stop()


class TookTooLong(BaseException):
    """Not an Exception: no test swallows it."""


@pytest.fixture(autouse=True)
def deadline(request):
    """Nothing may hang: 2 minutes for each test, 10 for a slow one."""
    limit = 600 if request.node.get_closest_marker("slow") else 120

    def end(*_):
        raise TookTooLong(f"{limit} s")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(limit)
    yield
    signal.alarm(0)


class Scene:
    """One test's view: its mailbox, its installation, and who got what.

    The oracle judges when the test is over; what a test expects beyond plain
    delivery it says in `may_bounce` (addresses) and `may_leave_queue`.
    """

    def __init__(self, world):
        self.world = world
        self.postfix = world.postfix
        self.provider = world.provider
        self.slapd = world.slapd
        self.sink = world.sink
        self.mailbox = world.mailbox()
        self.mailhaul = world.installation()
        self.account = self.mailhaul.add_account(self.mailbox)
        self.may_bounce = set()
        self.mail_log_start = world.postfix.log_size()
        self.provider_log_start = world.provider.log_size()

    def inject_by_smtp(self, **target):
        """Not by sendmail(1); see the fixture `listener`."""
        target = target or {"socket": LISTENER}
        self.mailhaul.config.setdefault("inject", {}).update(method="smtp", smtp=target)
        self.mailhaul.groups = ["postdrop"]

    def put(self, *messages):
        """Store messages in the mailbox; return their UIDs."""
        return [self.mailbox.put(message) for message in messages]

    def fetch(self, status=0, **settings):
        """One --once run that must end so, and all its mail delivered."""
        result = self.mailhaul.fetch_once(**settings).expect(status)
        self.postfix.wait_until_idle()
        return result

    def got(self):
        """{case: [addresses]} of all that was delivered to virtual mailboxes."""
        return who_got(self.postfix.delivered())

    def provider_log(self):
        return self.provider.log(self.provider_log_start)

    def expect_in_provider_log(self, words):
        """Dovecot writes it by a process of its own, a little later."""
        wait_for(lambda: words in self.provider_log(), f"{words} in the provider's log", 30, self.provider_log)

    def mail_log(self):
        return self.postfix.log(self.mail_log_start)

    def messages(self):
        return self.postfix.messages(self.mail_log_start)

    def judge(self):
        """The oracle: nothing vanished, nothing went outside, nothing crashed."""
        assert not self.mailhaul.faults(), "\n".join(self.mailhaul.faults())
        self.postfix.wait_until_idle()
        self.got()
        for queued in self.messages().values():
            allowed = set(queued.bounced) and set(queued.bounced) <= self.may_bounce
            assert queued.sent or not queued.removed or allowed, (
                f"Postfix removed {queued.queue_id} without delivering it\n{queued}"
            )
            unexpected = set(queued.bounced) - self.may_bounce
            assert not unexpected, f"Postfix bounced mail for {unexpected}\n{queued}"
        assert not self.sink.recipients, f"mail went outside: {self.sink.recipients}"

    def clear(self):
        self.mailhaul.stop_all()
        self.postfix.empty_queue()
        self.postfix.forget_delivered()
        self.sink.recipients.clear()
        self.sink.messages.clear()
        self.world.refusing.recipients.clear()


@pytest.fixture
def scene(world, request):
    scene = Scene(world)
    request.node.scene = scene
    yield scene
    try:
        scene.mailhaul.stop_fetcher()
        if not getattr(request.node, "failed", False):
            scene.judge()
    finally:
        request.node.logs = _logs(scene)
        scene.clear()


@pytest.fixture(scope="module")
def listener(world):
    with world.listener():
        yield


@pytest.fixture(params=["sendmail", "smtp"])
def both_methods(request, scene):
    """The test runs twice."""
    if request.param == "smtp":
        request.getfixturevalue("listener")
        scene.inject_by_smtp()


def _logs(scene):
    return [
        ("mailhaul-fetcher", scene.mailhaul.log("fetcher")),
        ("mailhaul-milter", scene.mailhaul.log("milter")),
        ("Postfix", scene.mail_log()),
        ("provider", scene.provider_log()),
    ]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.is_final = call.when != "call" or "Sanitizer" in report.longreprtext
    if not report.failed or not hasattr(item, "scene"):
        return
    item.failed = True
    report.is_final = report.is_final or bool(item.scene.mailhaul.faults())
    for name, text in getattr(item, "logs", None) or _logs(item.scene):
        report.sections.append((name, text[-LOG_SHOWN:]))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: minutes of work; tests/run --quick leaves it out")


def pytest_terminal_summary(terminalreporter):
    """Tell tests/run how many passed and failed, and which deserve a second look: not
    what the oracle judged, a crash, or the report of a sanitizer."""
    path = os.environ.get("MAILHAUL_COUNTS")
    if path:
        stats = terminalreporter.stats
        failed, errors = stats.get("failed", []), stats.get("error", [])
        again = [report.nodeid for report in failed if not report.is_final]
        counts = f"{len(stats.get('passed', []))} {len(failed) + len(errors)}\n"
        pathlib.Path(path).write_text(counts)
        pathlib.Path(path + ".again").write_text("".join(f"{node}\n" for node in again))


@pytest.fixture
def hostile(scene):
    """start(Hostile, messages): a server for the account, stopped afterwards."""
    servers = []

    def start(case, messages=(BAIT,), **options):
        server = ScriptedImap(
            messages, case.answers, scene.world.certificates.pair("pop"), implicit=case.implicit,
            capabilities=case.capabilities, **options,
        )
        servers.append(server)
        scene.account.update(port=server.port, protocol="imaps" if case.implicit else "imap")
        scene.account.update(case.account)
        return server

    yield start
    for server in servers:
        server.stop()
        assert "CLOSE" not in server.verbs(), "it expunges what others marked"
        assert scene.account.get("full_expunge") or "EXPUNGE" not in server.verbs()
