# SPDX-License-Identifier: Apache-2.0
"""Mail that others collected, through `mailhaul explain` under sanitizers."""

import concurrent.futures
import json
import re

import corpora
import pytest
from corpora import Mail
from mails import mail
from python_recipients import CLASSES, compare, plain

pytestmark = pytest.mark.slow  # like the build with sanitizers
FALLBACK, ANNA, RULED = "office@example.org", "anna@example.org", "second@example.org"
EMPTY = "part-empty.golden"  # the one file that is no message

_DOMAIN = re.compile(rb"@([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})\b", re.I)
_ADDRESS = re.compile(rb"[a-z0-9][\w.+=-]*" + _DOMAIN.pattern, re.I)
_WRITTEN = re.compile(r'(?P<local>[^\s@%!"<>]+|"[^@%!<>]+")@(?P<domain>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)')

HOSTS = ["mail.python.org", "mail.example.org", "ns2.example.com", ".digicool.com", ".rcn.net",
         "mx.kundenserver.de"]
LISTS = ["jpython-interest.python.org", "boost.lists.boost.org", "mailman-users@python.org"]
# name: (recipients of the account, other settings of it)
ACCOUNTS = {
    "topmost": ({}, {}),
    "trusted": ({"trusted_hosts": HOSTS, "occurrence": "all", "strip_prefix": "mailman-"}, {}),
    "bottom": ({"trusted_hosts": HOSTS, "position": "bottom"}, {}),
    "headers": ({"from": ["headers"]}, {}),
    "lists": ({"from": ["headers"], "headers": ["To", "Subject"], "strip_suffix": "-list"}, {}),
    "others": ({}, {}),  # accepted domains of which no mail has an address
    "single": ({}, {"mailbox": "single", "deliver_to": ANNA}),
    "ldap": ({}, {}),
}


@pytest.fixture(scope="module")
def mails():
    files = corpora.files()
    known = Mail("known", mail("known", envelope=ANNA, received_for=ANNA, to=ANNA))
    return [*files, *corpora.inner(files), *corpora.literals(), known]


def addresses(mails, pattern):
    return sorted({match[0].decode().lower() for m in mails for match in pattern.finditer(m.content)})


class Company:
    """Accepts two of three domains that the mails have; every second address
    exists, wherever it is."""

    def __init__(self, scene, mails, name):
        domains = sorted({address[1:] for address in addresses(mails, _DOMAIN)})
        self.domains = {"example.org"}
        self.parent = "example.org"
        if name != "others":
            self.domains |= set(domains) - set(domains[::3])
            self.parent = "python.org"
        self.listed = {ANNA, *addresses(mails, _ADDRESS)[::2]}  # outsiders, too
        self.people = {a for a in self.listed if self.accepts(a.rpartition("@")[2])}
        if name == "ldap":
            self.people = {ANNA}
        self.scene = scene
        self._configure(name)

    def _configure(self, name):
        settings = self.scene.mailhaul.config
        users = self.scene.mailhaul.folder / "users.txt"
        users.write_text("".join(f"{address}\n" for address in sorted(self.listed)))
        users.chmod(0o644)
        settings["accepted_domains"] = sorted(self.domains | {f".{self.parent}"})
        settings["recipient_delimiter"] = "+"
        if name != "ldap":
            settings["directory"] = [{"file": str(users)}]
        if name == "headers":
            settings["rules"] = [{
                "name": "rule", "if": {"subject": {"contains": "re"}, "not": {"sender": {"is": ""}}},
                "then": {"add": [RULED]}}]
        if name == "lists":
            settings["lists"] = [{"list": known, "to": [ANNA]} for known in LISTS]
        recipients, others = ACCOUNTS[name]
        self.scene.account.update(recipients=recipients, fallback=FALLBACK, **others)

    def accepts(self, domain):
        return domain in self.domains or domain.endswith(f".{self.parent}")

    def knows(self, recipient):
        """Somebody who exists, perhaps with an extension."""
        local, _, domain = plain(recipient).rpartition("@")
        return {f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"} & self.people

    def explain(self, message):
        """What explain says of it; None: unreadable."""
        source = [message.path] if message.path else ["-"]
        said = self.scene.mailhaul.command(
            "explain", "--account", "office", "--json", *source, flavour="san",
            stdin=b"" if message.path else message.content)
        if message.name == EMPTY:
            said.expect(65)
            return None
        faults = [line for line in said.err.splitlines() if ": warning: " not in line]
        assert said.status == 0 and not faults, f"{message.name}: exit {said.status}\n{said.err}"
        return json.loads(said.out)

    def explain_all(self, mails):
        self.scene.mailhaul.write()  # not by both at once
        with concurrent.futures.ThreadPoolExecutor(2) as two:
            told = list(two.map(self.explain, mails))
        return [(message, said) for message, said in zip(mails, told) if said]


def judge(company, message, told):
    """Whether F may be what it is; our own look at domains and people."""
    name, recipients = message.name, told["recipients"]
    assert told["verdict"] in ("deliver", "park"), f"{name}: {told['verdict']}"
    assert bool(recipients) == (told["verdict"] == "deliver"), f"{name}: {told}"
    for recipient in recipients:
        written = _WRITTEN.fullmatch(recipient)
        assert written and company.accepts(written["domain"]), f"{name}: to {recipient}"
        assert recipient in (FALLBACK, RULED) or company.knows(recipient), f"{name}: to {recipient}"


@pytest.mark.parametrize("name", ACCOUNTS)
def test_nobody_outside(scene, mails, name, capsys):
    company = Company(scene, mails, name)
    told = company.explain_all(mails)
    assert len(told) == len(mails) - 1
    for message, said in told:
        judge(company, message, said)
    assert told[-1][1]["recipients"] == [ANNA], "the mail to somebody known"
    found = sum(bool(set(said["recipients"]) - {FALLBACK, RULED}) for _, said in told)
    with capsys.disabled():
        print(f"\nCorpora, {name}: {len(told)} messages, 0 faults, {found} to somebody, "
              f"{len(told) - found} to the fallback only")
    assert found > 50 or name in ("others", "ldap"), "hardly anybody was found"


def with_crlf(message):
    return Mail(message.name, re.sub(rb"\r?\n", b"\r\n", message.content))


def test_line_ends_do_not_matter(scene, mails):
    company = Company(scene, mails, "trusted")
    lf = [Mail(m.name, m.content.replace(b"\r\n", b"\n")) for m in mails]
    for (message, one), (_, other) in zip(company.explain_all(lf), company.explain_all(map(with_crlf, lf))):
        for key in ("source", "sender", "recipients", "candidates"):
            assert one[key] == other[key], f"{message.name}: {key}"


def test_candidates_are_those_of_python(scene, mails, capsys):
    company = Company(scene, mails, "headers")
    fields = corpora.fields()
    members, unexplained = {name: 0 for name in CLASSES}, []
    for message, told in company.explain_all([*mails, *fields]):
        for difference in compare(message.content, told["candidates"]):
            if difference.reason:
                members[difference.reason] += 1
            else:
                unexplained.append(f"{message.name}: {difference}")
    with capsys.disabled():
        print(f"\nCorpora and Python's email: {len(mails) - 1} messages, {len(fields)} fields; "
              f"{sum(members.values())} differences: "
              + ", ".join(f"{name} {count}" for name, count in members.items()))
    assert not unexplained, "\n".join(unexplained)
    assert all(members.values()), "a class without members explains nothing: remove it"
