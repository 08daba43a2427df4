# SPDX-License-Identifier: Apache-2.0
"""Every way to log in, over both protocols; and what is told of it: no secret."""

import base64
import shutil
import signal
import time

import pytest
from mails import mail
from provider import CERTIFICATE_HOST, PORTS
from scripted_imap import ScriptedImap
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

TOKENS = ("xoauth2", "oauthbearer")


@pytest.fixture(params=["pop3s", "imaps"])
def account(request, scene):
    """Its account; when the test is over no secret may be in any log."""
    scene.account.update(protocol=request.param, port=PORTS[request.param], idle=False)
    scene.secrets = [scene.mailbox.password]
    yield scene.account
    told = scene.mailhaul.log("fetcher") + scene.mailhaul.control("STATUS")
    given = scene.provider.tokens.given.get(scene.mailbox.user, [])
    for secret in scene.secrets + given:
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert form[:40] not in told


@pytest.fixture
def tokens(scene):
    yield scene.provider.tokens
    scene.provider.tokens.give_stale(0)


def with_token(scene, source, auth="auto"):
    scene.account.pop("password", None)
    scene.account.update(auth=auth, token=source)


def collects(scene, case="one"):
    scene.put(mail(case, envelope="anna@example.org"))
    scene.fetch()
    assert scene.got()[case] == ["anna@example.org"]


@pytest.mark.parametrize("auth", ["auto", "user", "plain", "login", "scram_sha_256"])
def test_password(scene, account, auth):
    account["auth"] = auth
    collects(scene)
    method = {"auto": "SCRAM-SHA-256", "user": "PLAIN"}.get(auth, auth.upper().replace("_", "-"))
    scene.expect_in_provider_log(f"method={method}")


@pytest.mark.parametrize("auth", ["auto", *TOKENS])
@pytest.mark.parametrize("size", [100, 6000])
def test_token(scene, account, tokens, auth, size):
    """Short ones go with the command, others in a line of their own."""
    with_token(scene, {"command": tokens.command(scene.mailbox.user)}, auth)
    usual, tokens.size = tokens.size, size
    try:
        collects(scene)
    finally:
        tokens.size = usual
    method = "XOAUTH2" if auth == "xoauth2" else "OAUTHBEARER"
    scene.expect_in_provider_log(f"method={method}")


@pytest.mark.parametrize("kind", ["file", "credential"])
def test_token_that_lies_somewhere(scene, account, tokens, kind):
    token = tokens.issue(scene.mailbox.user)
    scene.secrets.append(token)
    path = scene.mailhaul.secret("token", token)
    if kind == "credential":
        scene.mailhaul.before = ["env", f"CREDENTIALS_DIRECTORY={scene.mailhaul.folder}"]
        path = "token"
    with_token(scene, {kind: path})
    collects(scene)


@pytest.mark.parametrize("auth", TOKENS)
def test_token_that_has_expired(scene, account, tokens, auth):
    """Another one is asked for, once, and nobody is told."""
    with_token(scene, {"command": tokens.command(scene.mailbox.user)}, auth)
    tokens.give_stale(1)
    collects(scene)
    first, second, *_ = tokens.given[scene.mailbox.user]
    assert first != second
    assert "refused" not in scene.mailhaul.log("fetcher")


def test_tokens_that_are_never_good(scene, account, tokens):
    """Two of them, in one pass; then a long pause."""
    with_token(scene, {"command": tokens.command(scene.mailbox.user)})
    tokens.give_stale(1000)
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "state failed" in scene.mailhaul.control("STATUS"), "the refusal", 20)
    time.sleep(3)
    assert len(tokens.given[scene.mailbox.user]) == 2
    (line,) = [line for line in scene.mailhaul.lines() if "refused" in line.text]
    assert line["account"].startswith("office") and '"status"' in line.text
    assert scene.mailbox.uids() == uids


@pytest.mark.parametrize("auth", TOKENS)
def test_token_of_somebody_else(scene, account, tokens, auth):
    """The same one again is of no use: it is not tried."""
    token = tokens.issue("somebody-else")
    scene.secrets.append(token)
    with_token(scene, {"file": scene.mailhaul.secret("token", token)}, auth)
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once().expect(75)
    assert len([line for line in result.lines() if "refused" in line.text]) == 1
    assert scene.mailbox.uids() == uids
    assert [asked for asked, _ in tokens.asked].count(token) == 1


def test_password_that_is_refused(scene, account):
    """Once; then a long pause, until a reload."""
    account["password"] = {"file": scene.mailhaul.secret("wrong", "hunter2")}
    scene.secrets.append("hunter2")
    scene.put(mail("one", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "state failed" in scene.mailhaul.control("STATUS"), "the refusal", 20)
    time.sleep(3)
    assert len([line for line in scene.mailhaul.lines() if "refused" in line.text]) == 1
    assert scene.provider_log().count("Password mismatch") <= 1
    scene.mailhaul.secret("wrong", scene.mailbox.password)
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: "one" in scene.got(), "the mail", 20)


def test_secret_is_read_for_each_login(scene, account, tokens):
    token = tokens.issue(scene.mailbox.user)
    with_token(scene, {"file": scene.mailhaul.secret("token", token)})
    scene.secrets.append(token)
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "Login: user=<" + scene.mailbox.user in scene.provider_log(), "the first login", 20)
    scene.secrets.append(tokens.issue(scene.mailbox.user))
    scene.mailhaul.secret("token", scene.secrets[-1])
    # A login that was under way has the old one.
    wait_for(lambda: scene.secrets[-1] in dict(tokens.asked), "a login with the new one", 20)
    tokens.revoke(token)
    scene.put(mail("one", envelope="anna@example.org"))
    wait_for(lambda: "one" in scene.got(), "the mail", 20)
    assert "refused" not in scene.mailhaul.log("fetcher")


def test_client_certificate(scene, account):
    """It is the login, and there is no other secret."""
    user = scene.mailbox.user
    pair = scene.world.certificates.issue(user, user, days=30)
    tls = {**account["tls"]}
    for setting, path in zip(("client_certificate", "client_key"), pair):
        tls[setting] = str(shutil.copy(path, scene.mailhaul.folder / path.name))
        shutil.chown(tls[setting], "mailhaul")
    (scene.mailhaul.folder / f"{user}.key").chmod(0o600)
    del account["password"]
    account.update(host=CERTIFICATE_HOST, auth="external", tls=tls)
    collects(scene)
    scene.expect_in_provider_log("method=EXTERNAL")


@pytest.fixture
def scripted(scene, account):
    """scripted(mechanisms, answer): a server that offers these only."""
    servers = []

    def make(mechanisms, answer=None):
        certificate = scene.world.certificates.pair("pop")
        if account["protocol"] == "imaps":
            offers = " ".join(f"AUTH={name}" for name in mechanisms)
            server = ScriptedImap(certificate=certificate, capabilities=f"IMAP4rev1 SASL-IR LOGINDISABLED {offers}",
                                  answers={"AUTHENTICATE": answer})
        else:
            capa = f"+OK\r\nUIDL\r\nSASL {' '.join(mechanisms)}\r\n.\r\n"
            server = ScriptedPop3(certificate=certificate, answers={"CAPA": capa.encode(), "AUTH": answer})
        servers.append(server)
        account.update(host="127.0.0.1", port=server.port, tls={**account["tls"], "server_name": "pop.isp.example"})
        return server

    yield make
    for server in servers:
        server.stop()


def said(server):
    return b"\n".join(server.commands).upper()


@pytest.mark.parametrize("auth, mechanisms, words", [
    ("auto", ["CRAM-MD5", "NTLM", "DIGEST-MD5"], "none of these is used"),
    ("scram_sha_256", ["PLAIN", "LOGIN"], "SCRAM-SHA-256"),
    ("auto", ["XOAUTH2"], "token"),
    ("auto", ["EXTERNAL"], "client_certificate"),
])
def test_nothing_offered_that_would_do(scene, account, scripted, auth, mechanisms, words):
    """A clear line, and not a word of the secret."""
    server = scripted(mechanisms)
    account["auth"] = auth
    (line,) = [line for line in scene.mailhaul.fetch_once().expect(75).lines()
               if line["account"] and "offers" in line.text]
    assert words in line.text and mechanisms[0] in line.text
    assert b"AUTH" not in said(server).replace(b"CAPA", b"") and b"LOGIN" not in said(server)


@pytest.mark.parametrize("auth", TOKENS)
def test_refusal_that_quotes_the_token(scene, account, tokens, scripted, auth):
    """In the challenge that says why."""
    token = tokens.issue("somebody-else")[:60]
    scene.secrets.append(token)
    with_token(scene, {"file": scene.mailhaul.secret("token", token)}, auth)

    def refuse(session, argument):
        if b" " not in argument:
            session.send(b"+ \r\n")
            session.line()
        why = base64.b64encode(b'{"status": "401", "token": "%s"}' % token.encode())
        session.send(b"+ " + why + b"\r\n")
        session.line()
        if account["protocol"] == "imaps":
            session.no(b"no")
        else:
            session.send(b"-ERR no\r\n")

    scripted([auth.upper()], refuse)
    result = scene.mailhaul.fetch_once().expect(75)
    assert any(line.text.endswith("no") or "quote" in line.text for line in result.lines()), result.err


def test_refusal_that_quotes_what_was_sent(scene, account, scripted):
    def refuse(session, argument):
        quoted = b"cannot read: " + argument + b" " + scene.mailbox.password.encode()
        if account["protocol"] == "imaps":
            session.no(quoted)
        else:
            session.send(b"-ERR " + quoted + b"\r\n")

    scripted(["PLAIN"], refuse)
    result = scene.mailhaul.fetch_once().expect(75)
    assert any("quote the password" in line.text for line in result.lines()), result.err
