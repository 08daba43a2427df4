# SPDX-License-Identifier: Apache-2.0
"""OAuth2 around the provider: an authorisation server on loopback.

It gives tokens to the command of an account (RFC 6749, 4.4: client credentials),
and tells Dovecot whom a token is for (RFC 7662).
"""

import json
import pathlib
import secrets
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 1180

# The first passdb: it has an opinion about tokens only.
_PASSDB = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
_OAUTH2 = f"""\
introspection_url = http://127.0.0.1:{PORT}/introspect
introspection_mode = auth
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
"""
# What an administrator configures as token: {command: […]}.
_COMMAND = """\
#!/usr/bin/python3 -I
import json, sys, urllib.error, urllib.parse, urllib.request

form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": sys.argv[1]})
try:
    with urllib.request.urlopen("http://127.0.0.1:%d/token", form.encode(), timeout=30) as answer:
        print(json.load(answer)["access_token"])
except urllib.error.HTTPError as error:
    sys.exit(f"{error}: {error.read().decode()}")
"""


class TokenServer:
    """Tokens are good until revoke().  `given` has all that the commands got, by
    user; `asked` those that Dovecot wanted to know about, and what it was told."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir()
        self._folder.chmod(0o755)
        self._good = {}
        self._lock = threading.Lock()
        self._stale = 0
        self.refuses = False  # to give tokens to commands
        self.size = 1200  # of a token; Microsoft's are that long and longer
        self.given = {}
        self.asked = []
        self.passdb = _PASSDB.format(folder=self._folder)
        (self._folder / "oauth2.conf").write_text(_OAUTH2)
        self._script = self._folder / "oauth-token"
        self._script.write_text(_COMMAND % PORT)
        self._script.chmod(0o755)
        self._server = None

    def start(self):
        tokens = self

        class Handler(_Handler):
            server_tokens = tokens

        self._server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def command(self, user):
        """What prints a new token for `user`, for an account's token: {command: …}."""
        return [str(self._script), user]

    def issue(self, user):
        """A new token for `user`."""
        token = secrets.token_urlsafe(self.size)[: self.size]
        with self._lock:
            self._good[token] = user
        return token

    def revoke(self, token):
        """It is not good any longer."""
        with self._lock:
            del self._good[token]

    def give_stale(self, count):
        """The next `count` tokens that commands get are not good."""
        with self._lock:
            self._stale = count

    def give(self, user):
        """To a command: a token, or None."""
        if self.refuses:
            return None
        token = self.issue(user)
        with self._lock:
            self.given.setdefault(user, []).append(token)
            if self._stale > 0:
                self._stale -= 1
                del self._good[token]
        return token

    def user_of(self, token):
        with self._lock:
            user = self._good.get(token)
            self.asked.append((token, user))
        return user


class _Handler(BaseHTTPRequestHandler):
    server_tokens = None

    def _answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # introspection
        user = self.server_tokens.user_of(self.headers["Authorization"].removeprefix("Bearer "))
        self._answer(200, {"active": True, "username": user} if user else {"active": False})

    def do_POST(self):  # the token endpoint
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = self.server_tokens.give(form["client_id"][0])
        if token:
            self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})
        else:
            self._answer(400, {"error": "invalid_client"})

    def log_message(self, *_):
        pass
