# SPDX-License-Identifier: Apache-2.0
"""No secret goes to a server that is not verified."""

import hashlib
import re
import shutil
import signal
import ssl

import pytest
from mails import mail
from provider import POP3, POP3S
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

BAD = {
    "expired": "expired",
    "wrong-name": "name|match",
    "self-signed": "self.signed",
}


@pytest.mark.parametrize("protocol, port", [("pop3s", POP3S), ("pop3", POP3)])
def test_verified_tls(scene, protocol, port):
    scene.account.update(protocol=protocol, port=port)
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"one": ["anna@example.org"]}
    wait_for(lambda: logins(scene), "Dovecot's log")
    assert "TLS" in logins(scene)[0]


def logins(scene):
    return [line for line in scene.provider_log().splitlines()
            if f"Login: user=<{scene.mailbox.user}>" in line]


@pytest.mark.parametrize("protocol, port", [("pop3s", POP3S), ("pop3", POP3)])
@pytest.mark.parametrize("host", BAD)
def test_bad_certificate(scene, host, protocol, port):
    """Dovecot saw no log-in."""
    scene.account.update(host=f"{host}.isp.example", protocol=protocol, port=port)
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once().expect(75)
    (line, *_) = [line for line in result.lines() if "office" in line.text and "certificate" in line.text.lower()]
    assert re.search(BAD[host], line.text, re.I), line.text
    scene.postfix.wait_until_idle()
    assert scene.mailbox.uids() == uids and scene.got() == {}
    log = scene.provider_log()
    assert scene.mailbox.user not in log and "auth failed" not in log, log


@pytest.mark.parametrize("host", BAD)
@pytest.mark.parametrize("implicit", [True, False], ids=["pop3s", "stls"])
def test_no_command_after_a_bad_certificate(scene, host, implicit):
    """A server of our own saw every byte: only CAPA and STLS, before TLS."""
    server = ScriptedPop3(certificate=scene.world.certificates.pair(host), implicit=implicit)
    scene.account.update(
        host="127.0.0.1", port=server.port, protocol="pop3s" if implicit else "pop3",
        tls={"mode": "required", "ca_file": str(scene.world.certificates.ca),
             "server_name": f"{host}.isp.example"},
    )
    try:
        scene.mailhaul.fetch_once().expect(75)
        assert server.verbs() == ([] if implicit else ["CAPA", "STLS"])
    finally:
        server.stop()


def test_pinned_fingerprint(scene):
    certificate, _ = scene.world.certificates.pair("self-signed")
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    scene.account.update(host="self-signed.isp.example", tls={
        "mode": "required", "fingerprint_sha256": hashlib.sha256(der).hexdigest()})
    scene.put(mail("pinned", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"pinned": ["anna@example.org"]}


def test_wrong_fingerprint(scene):
    scene.account.update(tls={"mode": "required", "fingerprint_sha256": "00" * 32})
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    scene.mailhaul.fetch_once().expect(75)
    assert scene.mailbox.uids() == uids
    assert scene.mailbox.user not in scene.provider_log()


@pytest.fixture
def scripted(scene):
    """An account at a server of our own: scripted(certificate's name, ...)."""
    servers = []

    def make(name="pop", implicit=True):
        server = ScriptedPop3(certificate=scene.world.certificates.pair(name), implicit=implicit)
        servers.append(server)
        scene.account.update(
            host="127.0.0.1", port=server.port, protocol="pop3s" if implicit else "pop3",
            tls={"mode": "required", "ca_file": str(scene.world.certificates.ca),
                 "server_name": "pop.isp.example"},
        )
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.mark.parametrize("implicit", [True, False], ids=["pop3s", "stls"])
def test_sessions_are_resumed_until_a_reload(scene, scripted, implicit):
    server = scripted(implicit=implicit)
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(server.resumed) >= 3, "three polls", 30)
    assert server.resumed[0] is False and all(server.resumed[1:])
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: server.resumed.count(False) == 2, "a full handshake", 30)
    after = len(server.resumed)
    wait_for(lambda: len(server.resumed) >= after + 2, "two polls more", 30)
    assert server.resumed.count(False) == 2


def our_certificate(scene, name, days=30):
    """Both files, as the fetcher may read them."""
    paths = {}
    pair = scene.world.certificates.issue(name, f"{name}.example.org", days=days)
    for setting, path in zip(("client_certificate", "client_key"), pair):
        paths[setting] = str(shutil.copy(path, scene.mailhaul.folder / path.name))
        shutil.chown(paths[setting], "mailhaul")
    (scene.mailhaul.folder / f"{name}.key").chmod(0o600)
    return paths


@pytest.mark.parametrize("implicit", [True, False], ids=["pop3s", "stls"])
def test_client_certificate(scene, scripted, implicit):
    server = scripted(implicit=implicit)
    server.context.load_verify_locations(scene.world.certificates.ca)
    server.context.verify_mode = ssl.CERT_REQUIRED
    result = scene.mailhaul.fetch_once().expect(75)
    assert "PASS" not in server.verbs()
    assert "asks for a certificate of ours: set tls.client_certificate" in result.err
    scene.account["tls"].update(our_certificate(scene, "office"))
    scene.mailhaul.fetch_once().expect(0)
    assert server.verbs()[-1] == "QUIT"


def test_client_certificate_that_cannot_be_used(scene, scripted):
    """The server is not troubled with it."""
    server = scripted()
    good, other = our_certificate(scene, "office"), our_certificate(scene, "other")
    expired = our_certificate(scene, "ended", days=-1)
    locked = dict(good, client_key=other["client_key"])
    for settings, words in ((locked, "belongs to another key"), (expired, "has expired (not after")):
        scene.account["tls"].update(settings)
        result = scene.mailhaul.fetch_once().expect(75)
        (line, *_) = [line.text for line in result.lines() if "tls.client" in line.text]
        assert words in line, line
    assert server.handshakes == 0
    (scene.mailhaul.folder / "office.key").chmod(0o644)
    scene.account["tls"].update(good)
    result = scene.mailhaul.command("check")
    assert "tls.client_key" in result.out + result.err


def test_clear_text_only_when_asked_for(scene):
    scene.account.update(protocol="pop3", port=POP3, tls={"mode": "never"})
    scene.put(mail("clear", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"clear": ["anna@example.org"]}
    wait_for(lambda: logins(scene), "Dovecot's log")
    assert "TLS" not in logins(scene)[0]


def test_no_password_in_any_log_or_argument(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    result = scene.fetch()
    assert scene.mailbox.password not in result.err + result.out
    for path in scene.mailhaul.state.rglob("*"):
        if path.is_file():
            assert scene.mailbox.password.encode() not in path.read_bytes(), path
