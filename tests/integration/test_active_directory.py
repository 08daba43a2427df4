# SPDX-License-Identifier: Apache-2.0
"""A real Active Directory as directory: who exists, by which connection and login."""

import contextlib

import active_directory
import pytest
from active_directory import (
    BASE,
    BIND_DN,
    BIND_DOMAIN_USER,
    BIND_PASSWORD,
    BIND_UPN,
    HOST,
    ActiveDirectory,
)
from mails import mail

FOUND, ABSENT, UNKNOWN, CONFIG = 0, 1, 75, 78


@pytest.fixture(scope="module")
def domain():
    domain = ActiveDirectory()
    domain.start()
    yield domain
    domain.remove()


@pytest.fixture
def ask(scene, domain):
    return Question(scene, domain)


class Question:
    """`mailhaul query`; the usual settings can be replaced, None takes one away."""

    def __init__(self, scene, domain):
        self.mailhaul = scene.mailhaul
        self.domain = domain
        self.said = ""
        self.use()

    def use(self, secret=BIND_PASSWORD, **settings):
        path = self.mailhaul.secret("ad.password", secret, "mailhaul-milter")
        ldap = {
            "uri": [self.domain.ldaps],
            "schema": "active_directory",
            "base": BASE,
            "bind_dn": BIND_UPN,
            "password": {"file": path},
            "ca_file": str(self.domain.ca),
            "timeout": "9s",  # the fetcher waits for 10 s
            **settings,
        }
        self.mailhaul.config["directory"] = [
            {"ldap": {name: value for name, value in ldap.items() if value is not None}}
        ]

    def __call__(self, address, **settings):
        if settings:
            self.use(**settings)
        result = self.mailhaul.command("query", address)
        self.said = result.out + result.err
        assert BIND_PASSWORD not in self.said
        return result.status


@pytest.mark.parametrize("address, status", [
    ("anna@example.org", FOUND),
    ("ANNA.Berg@Example.ORG", FOUND),    # smtp:
    ("ben@example.org", FOUND),          # SMTP:, no mail
    ("clara@example.org", FOUND),        # mail, no proxyAddresses
    ("clara+list@example.org", ABSENT),  # no delimiter here
    ("sales@example.org", FOUND),        # a group has no userAccountControl
    ("vertrieb@example.org", FOUND),
    ("refused@example.org", ABSENT),     # disabled
    ("phone@example.org", ABSENT),       # sip:, which is no mail
    ("c=DE@example.org", ABSENT),        # X400:
    ("an*@example.org", ABSENT),
    ("nobody@example.org", ABSENT),      # with three referrals at the domain's root
])
def test_who_exists(ask, address, status):
    assert ask(address) == status, ask.said


@pytest.mark.parametrize("login", [BIND_UPN, BIND_DOMAIN_USER, BIND_DN])
@pytest.mark.parametrize("start_tls", [False, True])
def test_logins(ask, domain, login, start_tls):
    tls = {"uri": [domain.ldap], "start_tls": "required"} if start_tls else {}
    assert ask("anna@example.org", bind_dn=login, **tls) == FOUND, ask.said
    assert ask("nobody@example.org") == ABSENT


@pytest.mark.parametrize("attribute, asked, to", [
    ("mail", "anna.berg@example.org", "anna@example.org"),
    ("mail", "vertrieb@example.org", "sales@example.org"),
    ("mail", "ben@example.org", None),  # none
    ("proxyAddresses", "anna.berg@example.org", "anna@example.org"),
    ("proxyAddresses", "ben@example.org", None),
    ("proxyAddresses", "vertrieb@example.org", None),  # no main one
])
def test_rewrite_to(ask, attribute, asked, to):
    assert ask(asked, rewrite_to=attribute) == FOUND
    last = f"{asked}: found" + (f" -> {to}" if to else "")
    assert f"\n{last}\n" in ask.said, ask.said


def test_wrong_password(ask):
    assert ask("anna@example.org", secret="wrong") == UNKNOWN
    assert "Invalid credentials" in ask.said


def test_no_password_in_clear(ask, domain):
    """Refused before anything is sent; the domain would refuse it only after."""
    assert ask("anna@example.org", uri=[domain.ldap]) == CONFIG
    assert "no password is sent in clear text" in ask.said


def test_anonymous_sees_nothing(ask):
    assert ask("anna@example.org", bind_dn=None, password=None) == UNKNOWN
    assert "Operations error" in ask.said


def test_unverified_server(ask, domain, world):
    other = str(world.certificates.ca)
    wrong_name = domain.ldaps.replace(HOST, "localhost")
    assert ask("anna@example.org", ca_file=other) == UNKNOWN
    assert ask("anna@example.org", uri=[wrong_name]) == UNKNOWN


def test_wrong_base(ask):
    assert ask("anna@example.org", base=f"OU=Gone,{BASE}") == UNKNOWN
    # Nobody is below it, which only a canary shows.
    empty = f"CN=Computers,{BASE}"
    assert ask("anna@example.org", base=empty) == ABSENT
    assert ask("anna@example.org", base=empty, canary="anna@example.org") == UNKNOWN
    assert "the canary anna@example.org is not found" in ask.said


MAILS = {
    "person": (["anna@example.org"], ["anna@example.org"]),
    "second-address": (["anna.berg@example.org"], ["anna.berg@example.org"]),
    "group": (["sales@example.org"], ["sales@example.org"]),
    "disabled": (["refused@example.org"], ["office@example.org"]),
    "nobody": (["nobody@example.org"], ["office@example.org"]),
    "several": (
        ["anna@example.org", "nobody@example.org", "ben@example.org"],
        ["anna@example.org", "ben@example.org", "office@example.org"],
    ),
}


def test_collected_mail(scene, ask, domain):
    scene.put(*(mail(case, envelope=to) for case, (to, _) in MAILS.items()))
    scene.account["recipients"] = {"occurrence": "all"}
    ask.use(canary="anna@example.org")
    scene.fetch()
    assert scene.got() == {case: who for case, (_, who) in MAILS.items()}
    (source,) = scene.mailhaul.milter_statistics()["sources"]
    assert source["unknown"] == source["faults"] == 0 and source["found"] > 0


def test_controller_away(scene, ask, domain):
    """Mail waits at the provider, and comes when the domain does."""
    (uid,) = scene.put(mail("late", envelope="ben@example.org"))
    ask.use()
    with stopped(domain):
        scene.fetch(75)
        assert scene.mailbox.uids() == [uid] and not scene.postfix.waiting()
    scene.mailhaul.stop("milter")
    scene.fetch()
    assert scene.got() == {"late": ["ben@example.org"]}


@contextlib.contextmanager
def stopped(domain):
    domain.stop()
    try:
        yield
    finally:
        domain.start()


def test_an_account_that_is_disabled_later(ask, domain):
    assert ask("clara@example.org") == FOUND
    domain.change("clara", userAccountControl=active_directory.ENTRIES["gone"][3])
    assert ask("clara@example.org") == ABSENT
    domain.change("clara", userAccountControl=active_directory.ENTRIES["clara"][3])
    assert ask("clara@example.org") == FOUND
