# SPDX-License-Identifier: Apache-2.0
"""Mail that others collected to test their parsers: three Debian packages.

Besides their files: the messages within these (what a bounce returns), and the
messages and addresses that stand as texts in the tests of Python's email.
"""

import ast
import pathlib
import re
from dataclasses import dataclass

from commands import run

# package: (its files that are mail, how many there were)
PACKAGES = {
    "libpython3.11-testsuite": (r"/test_email/data/msg_\w+\.txt", 47),
    "golang-github-jhillyerd-enmime-dev": (r"/enmime/testdata/.*\.(?:raw|golden)", 96),
    "python3-flufl.bounce": (r"/bounce/tests/data/\w+\.txt", 115),
}
INNER, LITERALS, FIELDS = 38, 24, 317  # of these, how many there were

_SOURCES = r"/test_email/test_\w+\.py"
_FIRST_FIELD = re.compile(
    rb"\n\r?\n(?=(?:Return-Path|Received|From|Message-ID|Delivered-To|Date|To|Subject|MIME-Version): )",
    re.I)
_WITH_RECIPIENTS = re.compile(rb"(?=[A-Z-]+:.*\n)(?:.*\n)*?(?:Resent-)?(?:To|Cc|Bcc):", re.I)
_ONE_FIELD = re.compile(rb"[^\n]*@[^\n]*(?:\n[ \t].*)*\n?|[^\n]*(?:\n[ \t].*@.*)+\n?")


@dataclass(frozen=True)
class Mail:
    name: str
    content: bytes
    path: str = None  # of a file that holds nothing else


def _files(package, pattern):
    listed = run("dpkg", "-L", package).splitlines()
    return sorted(pathlib.Path(name) for name in listed if re.fullmatch(".*" + pattern, name))


def files():
    """The mails that are files, package by package."""
    found = []
    for package, (pattern, least) in PACKAGES.items():
        mails = [Mail(path.name, path.read_bytes(), str(path)) for path in _files(package, pattern)]
        assert len(mails) >= least, f"{len(mails)} mails in {package}, not {least}"
        found += mails
    return found


def inner(mails):
    """What in a mail looks like the beginning of another, to the end of the file."""
    found = [
        Mail(f"{mail.name}@{match.end()}", mail.content[match.end():])
        for mail in mails
        for match in _FIRST_FIELD.finditer(mail.content)
    ]
    assert len(found) >= INNER, f"{len(found)} inner mails, not {INNER}"
    return found


def _texts():
    """All texts in the tests of Python's email package, without repetitions."""
    found = {}
    for path in _files("libpython3.11-testsuite", _SOURCES):
        for node in ast.walk(ast.parse(path.read_bytes())):
            value = getattr(node, "value", None)
            if isinstance(value, str):
                value = value.encode("utf-8", "surrogateescape")
            if isinstance(node, ast.Constant) and isinstance(value, bytes):
                found.setdefault(value, f"{path.name}:{node.lineno}")
    return found


def literals():
    """Those that are mails with recipients."""
    found = [Mail(name, text) for text, name in _texts().items() if _WITH_RECIPIENTS.match(text)]
    assert len(found) >= LITERALS, f"{len(found)} mails in test sources, not {LITERALS}"
    return found


def fields():
    """Those with an @ that can be the body of one field, as To of a mail."""
    found = [
        Mail(name, b"To: " + text.rstrip(b"\n") + b"\n\n")
        for text, name in _texts().items()
        if _ONE_FIELD.fullmatch(text) and not _WITH_RECIPIENTS.match(text)
    ]
    assert len(found) >= FIELDS, f"{len(found)} fields in test sources, not {FIELDS}"
    return found
