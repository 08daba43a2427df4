# SPDX-License-Identifier: Apache-2.0
"""contrib/oauth-token, the token command that the manual describes."""

import json
import os
import pathlib
import shutil
import ssl
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mails import mail
from provider import IMAPS

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "oauth-token"
SECRET = 'a "secret" with \\ & = + %41 ü'


class Endpoint:
    """A token endpoint over TLS.  `forms`: what it was asked; `answer`: what it
    says, where None stands for a good token of the next number."""

    def __init__(self, certificates, tokens):
        self.forms = []
        self.answer = None
        self.expires_in = 3600
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {k: v[0] for k, v in urllib.parse.parse_qs(body).items()}
                endpoint.forms.append(form)
                said = endpoint.answer or {
                    "token_type": "Bearer", "access_token": tokens.issue(form["client_id"]),
                    "refresh_token": f"refresh-{len(endpoint.forms)}", "expires_in": endpoint.expires_in,
                }
                self.send_response(400 if endpoint.answer else 200)
                self.end_headers()
                self.wfile.write(json.dumps(said, indent=2).encode())

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificates.issue("tokens", "imap.isp.example"))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://imap.isp.example:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endpoint(scene):
    endpoint = Endpoint(scene.world.certificates, scene.provider.tokens)
    yield endpoint
    endpoint.stop()


@pytest.fixture
def settings(scene, endpoint):
    """settings(grant=…): write FILE; return the command."""
    folder = scene.mailhaul.folder / "oauth"
    folder.mkdir(mode=0o700)
    shutil.chown(folder, "mailhaul", "mailhaul")
    script = shutil.copy(SCRIPT, scene.mailhaul.folder)

    def write(**values):
        values = {
            "url": endpoint.url, "grant": "client_credentials", "client_id": scene.mailbox.user,
            "client_secret": SECRET, "scope": "mail", "ca_file": scene.world.certificates.ca, **values,
        }
        file = folder / "company"
        file.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
        file.chmod(0o600)
        shutil.chown(file, "mailhaul", "mailhaul")
        return [str(script), str(file)]

    return write


def run(command):
    return subprocess.run(
        command, capture_output=True, text=True, timeout=20, user="mailhaul", group="mailhaul",
        extra_groups=[], cwd="/", env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )


def printed(command):
    done = run(command)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def test_client_credentials(settings, endpoint):
    command = settings()
    token = printed(command)
    assert printed(command) == token and len(token.splitlines()) == 1
    (form,) = endpoint.forms
    assert form.pop("client_id") and form == {
        "grant_type": "client_credentials", "client_secret": SECRET, "scope": "mail"}
    assert {oct(path.stat().st_mode & 0o777) for path in pathlib.Path(command[1]).parent.iterdir()} == {"0o600"}


def test_token_near_its_end_is_not_used(settings, endpoint):
    endpoint.expires_in = 299
    command = settings()
    assert printed(command) != printed(command)


def test_root_leaves_nothing_of_its_own(settings, endpoint):
    command = settings()
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stdout == printed(command) and len(endpoint.forms) == 1
    assert {path.owner() for path in pathlib.Path(command[1]).parent.iterdir()} == {"mailhaul"}


def test_changed_settings_count_at_once(settings, endpoint):
    printed(settings())
    time.sleep(0.02)  # the grain of the file system's clock
    printed(settings(scope="other"))
    assert [form["scope"] for form in endpoint.forms] == ["mail", "other"]


def test_refresh_token_that_is_replaced(settings, endpoint):
    endpoint.expires_in = 0
    command = settings(grant="refresh_token", refresh_token="first", client_secret="", scope="")
    printed(command)
    printed(command)
    assert [form["refresh_token"] for form in endpoint.forms] == ["first", "refresh-1"]
    assert set(endpoint.forms[0]) == {"grant_type", "client_id", "refresh_token"}
    time.sleep(0.02)
    printed(settings(grant="refresh_token", refresh_token="new consent"))
    assert endpoint.forms[-1]["refresh_token"] == "new consent"


def test_refusal_is_told(settings, endpoint):
    endpoint.answer = {"error": "invalid_client", "error_description": "AADSTS7000215: wrong, or expired."}
    done = run(settings())
    assert done.returncode == 1 and not done.stdout
    assert "invalid_client AADSTS7000215: wrong, or expired." in done.stderr and SECRET not in done.stderr


@pytest.mark.parametrize("values, words", [
    ({"ca_file": ""}, "certificate"),
    ({"url": "https://imap.isp.example:9/token"}, "connect"),
    ({"url": "http://127.0.0.1:1180/token"}, "Protocol"),
])
def test_nothing_is_said_to_whom_cannot_be_trusted(settings, endpoint, values, words):
    done = run(settings(**values))
    assert done.returncode != 0 and not done.stdout and words in done.stderr, done
    assert not endpoint.forms


def test_token_that_is_revoked(scene, settings, endpoint):
    """The one that is kept is thrown away, and nobody has to."""
    command = settings()
    scene.provider.tokens.revoke(printed(command).strip())
    scene.account.update(protocol="imaps", port=IMAPS, token={"command": command})
    del scene.account["password"]
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"one": ["anna@example.org"]} and len(endpoint.forms) == 2
    printed(command)
    assert len(endpoint.forms) == 2


def test_many_accounts_ask_once(scene, settings, endpoint):
    """As the fetcher runs it: a token that Dovecot takes."""
    token = {"command": settings()}
    scene.mailhaul.config["accounts"].clear()
    for n in range(8):
        account = scene.mailhaul.add_account(
            scene.mailbox, name=f"folder{n}", protocol="imaps", port=IMAPS, token=token, folders=[f"F{n}"])
        del account["password"]
        scene.mailbox.put(mail(f"m{n}", envelope="anna@example.org"), folder=f"F{n}")
    scene.fetch()
    assert len(scene.got()) == 8 and len(endpoint.forms) == 1
