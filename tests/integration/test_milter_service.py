# SPDX-License-Identifier: Apache-2.0
"""The milter while mail goes through it: reloaded, stopped, killed, started."""

import signal
import smtplib
import threading

import pytest
from mails import mail
from postfix import MILTER
from tsan import own_reports
from waiting import wait_for

PEOPLE = ("anna@example.org", "ben@example.org", "dora@example.net")


@pytest.fixture(scope="module")
def smtpd(world):
    with world.postfix.settings(smtpd_milters=MILTER, smtpd_reject_unlisted_recipient="no"):
        yield


@pytest.fixture
def service(scene, smtpd):
    """smtpd asks the milter as well; unknown recipients go to the catch_all."""
    config = scene.mailhaul.config
    config["accepted_domains"] = [
        {"domain": "example.org", "catch_all": "office@example.org"}, "example.net"]
    config["milter"]["smtp"] = "catch_all"
    return scene.mailhaul


def reload(mailhaul):
    seen = mailhaul.log("milter").count(": reloaded ")
    mailhaul.send_signal("milter", signal.SIGUSR1)
    wait_for(lambda: mailhaul.log("milter").count(": reloaded ") > seen, "the reload", 20)


def test_a_message_keeps_the_configuration_that_it_began_with(scene, service):
    service.start_milter()
    with smtplib.SMTP("127.0.0.1", 25) as old, smtplib.SMTP("127.0.0.1", 25) as new:
        for client in (old, new):
            client.ehlo("client.example")
        old.mail("someone@sender.example")
        assert old.rcpt("one@example.org")[0] == 250
        service.config["accepted_domains"] = [
            {"domain": "example.org", "catch_all": "second@example.org"}]
        service.write()
        reload(service)
        assert old.rcpt("two@example.org")[0] == 250
        assert old.rcpt("nobody@example.net")[0] == 550
        new.mail("someone@sender.example")
        assert new.rcpt("nobody@example.net")[0] == 250  # foreign now: Postfix's matter
        new.rset()
        new.mail("someone@sender.example")
        assert new.rcpt("one@example.org")[0] == 250
        for case, client in (("old", old), ("new", new)):
            assert client.data(mail(case).replace(b"\n", b"\r\n"))[0] == 250
        # The connection is the same, the message another one.
        old.mail("someone@sender.example")
        assert old.rcpt("one@example.org")[0] == 250
        assert old.data(mail("next").replace(b"\n", b"\r\n"))[0] == 250
    scene.postfix.wait_until_idle()
    assert scene.got() == {"old": ["office@example.org"], "new": ["second@example.org"],
                           "next": ["second@example.org"]}


def test_a_wrong_file_changes_nothing(scene, service):
    service.start_milter()
    good = service.yaml.read_text()
    service.yaml.write_text(good.replace("accepted_domains", "excepted_domains"))
    service.send_signal("milter", signal.SIGUSR1)
    wait_for(lambda: "stays as it was" in service.log("milter"), "the complaint")
    service.yaml.write_text(good)
    scene.put(mail("case", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"case": ["anna@example.org"]}


class Load:
    """Collected mail and mail by SMTP, both at the same time, until `count` each."""

    def __init__(self, scene, count):
        self.scene, self.count = scene, count
        self.accepted = 0
        self.faults = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._provide)] + [
            threading.Thread(target=self._send, args=(number,)) for number in range(4)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        for thread in self._threads:
            thread.join()

    def wanted(self):
        people = [self._person(n) for n in range(self.count)]
        by_smtp = ["office@example.org" if n % 4 == 3 else who for n, who in enumerate(people)]
        return {**{f"m{n}": [who] for n, who in enumerate(people)},
                **{f"s{n}": [who] for n, who in enumerate(by_smtp)}}

    def _person(self, number):
        return PEOPLE[number % len(PEOPLE)]

    def _provide(self):
        for n in range(self.count):
            self.scene.put(mail(f"m{n}", envelope=self._person(n)))

    def _send(self, first):
        for n in range(first, self.count, 4):
            # Not before the fetcher has got as far: it lasts as long as that.
            wait_for(lambda n=n: self._fetched() >= n - 20, "the fetcher", 100)
            to = f"nobody{n}@example.org" if n % 4 == 3 else self._person(n)
            wait_for(lambda n=n, to=to: self._try(n, to), f"message s{n} to be taken", 60)
            with self._lock:
                self.accepted += 1

    def _fetched(self):
        return self.count - len(self.scene.mailbox.uids())

    def is_taken_now(self):
        """Whether one message more is."""
        return self._try("away", PEOPLE[0])

    def _try(self, n, to):
        """As a server does: a 4xx is tried again, anything else is a fault."""
        try:
            with smtplib.SMTP("127.0.0.1", 25, timeout=60) as client:
                client.sendmail("someone@sender.example", [to], mail(f"s{n}").decode())
            return True
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
        except smtplib.SMTPResponseException as response:
            codes = [response.smtp_code]
        except smtplib.SMTPServerDisconnected:
            codes = []
        self.faults += [code for code in codes if code >= 500]
        return False


@pytest.mark.parametrize("flavour, count", [
    ("release", 200), pytest.param("tsan", 100, marks=pytest.mark.slow)])
def test_reload_stop_and_kill_under_load(scene, service, flavour, count):
    """Nothing lost, nothing twice, nothing to the wrong person."""
    service.flavour = flavour
    service.start_milter()
    with Load(scene, count) as load:
        service.start_fetcher()
        for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            accepted = load.accepted
            wait_for(lambda: load.accepted > accepted + 3 or load.accepted == count, "mail", 60)
            for _ in range(5):
                reload(service)
            service.stop("milter", end)
            assert not load.is_taken_now()
            service.start_milter()
    wait_for(lambda: not scene.mailbox.uids(), "the provider's mailbox to be empty", 60,
             lambda: service.log("fetcher")[-3000:])
    scene.postfix.wait_until_idle()
    assert not load.faults
    assert scene.got() == load.wanted()
    # It was away while mail came.
    assert "Milter service" in scene.mail_log() or "read SMFIC" in scene.mail_log()
    service.stop("fetcher")
    service.stop("milter")
    for name in ("fetcher", "milter"):
        assert not own_reports(service.log(name)), "\n".join(own_reports(service.log(name)))
