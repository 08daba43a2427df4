# SPDX-License-Identifier: Apache-2.0
"""Whom To, Cc and Bcc name, as Python's email package has it, and why that is not
always whom Mailhaul finds there.

Both of its parsers are asked: `policy.default` (get the field's .addresses) and
`policy.compat32` (email.utils.getaddresses).  Where they differ from ours, the
table CLASSES says why; they often differ from each other in the same place.
"""

import email
import email.policy
import email.utils
import re
from dataclasses import dataclass

TO = ("to", "cc", "bcc")
RESENT = tuple(f"resent-{name}" for name in TO)


@dataclass
class Difference:
    """An address that only one has, or (both are there) two spellings of it."""

    parser: str
    field: str  # the bodies of all fields that count, as they stand, unfolded
    refused: list  # what Mailhaul found and could not use
    broken: bool  # the header has a line that is no field
    ours: str = ""
    theirs: str = ""
    reason: str = ""

    @property
    def local(self):
        return plain(self.theirs).rpartition("@")[0]

    @property
    def domain(self):
        return plain(self.theirs).rpartition("@")[2]


def utf8(text):
    """With the characters that Python keeps as single bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def plain(address):
    """Without quotes, with A-labels, in lower case: one spelling for each."""
    local, at, domain = utf8(address).rpartition("@")
    local = re.sub(r'\\(.)|"', lambda match: match[1] or "", local)
    try:
        domain = domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        pass
    return f"{local}{at}{domain}".lower()


def is_in_quotes(d):
    return f'"{d.local}"@' in d.field.lower()


def is_part_of_refused(d):
    """An entry that we refused as a whole has this, and something before or behind."""
    wanted = re.sub(r"\s", "", plain(d.theirs))
    entries = [re.sub(r"\\x..|\s", "", entry).lower() for entry in d.refused]
    return any(wanted in entry and entry not in (wanted, f"<{wanted}>") for entry in entries)


# name: (is it this one?, why ours is right, or safe).  Safe: what we refuse names
# nobody, so the message goes to the fallback, who is one of the company.
CLASSES = {
    "other spelling": (
        lambda d: d.ours and plain(d.ours) == plain(d.theirs),
        "The same address: quotes where RFC 5321 4.1.2 asks for them and only there, UTF-8 "
        "(RFC 6531) where Python keeps bytes, domains as A-labels (RFC 5890)."),
    "apostrophes": (
        lambda d: d.ours and d.theirs == f"'{d.ours}'",
        "Mail programs write 'a@b' for a@b; no domain ends in an apostrophe (RFC 1035 2.3.1)."),
    "broken line": (
        lambda d: d.ours and d.broken,
        "A line that is no field ends Python's header.  RFC 5322 2.2 has no such line, providers "
        "do (mbox's From); we read on to the empty line.  Only the author's own fields follow."),
    "colons": (
        lambda d: d.ours and d.parser == "default" and d.field.count(":") > 1,
        "Unquoted colons end group names (RFC 5322 3.4); what follows the last is an address, as "
        "compat32 has it, too.  The directory says whether somebody has it."),
    "gave up": (
        lambda d: d.theirs == "exception",
        "Python's parser ends with an exception.  Ours never does."),
    "no local part": (
        lambda d: d.theirs and d.local == "",
        "@domain is no address (RFC 5322 3.4.1) but part of a route, or the rest of a@b@c; "
        '""@domain is one of nobody.'),
    "address literal": (
        lambda d: d.theirs and d.domain.startswith("["),
        "user@[192.0.2.1] is allowed (RFC 5321 4.1.3), but accepted domains are names: it could "
        "only be dropped."),
    "no domain name": (
        lambda d: d.theirs and not re.fullmatch(r"[\w-]+(\.[\w-]+)*", d.domain),
        "The domain is none (RFC 1035 2.3.1, RFC 5321 4.1.2)."),
    "words without dots": (
        lambda d: d.theirs and re.search(r"\s", d.local) and not is_in_quotes(d),
        "A local part has dots between its words (RFC 5322 3.4.1, 4.4).  Python joins them, "
        "which makes an address that nobody wrote."),
    "relay": (
        lambda d: d.theirs and re.search("[%!]", d.local),
        "Postfix would take user%domain and domain!user for orders to send the mail outside."),
    "comment in a route": (
        lambda d: d.theirs and re.search(r"<@[^:>]*,\s*\([^:>]*:", d.field) and is_part_of_refused(d),
        "Obsolete since RFC 2822 (RFC 5322 4.4), and refused as a whole."),
    "more than an address": (
        lambda d: d.theirs and is_part_of_refused(d),
        "Nothing but a phrase before <address>, and nothing behind it (RFC 5322 3.4).  What is "
        "meant differs from program to program (CVE-2023-27043)."),
}


def _fields(items):
    """The bodies of the newest block of Resent-* (RFC 5322 3.6.6), and those of To, Cc, Bcc."""
    block = []
    for name, body in items:
        if name.lower() in RESENT:
            block.append(body)
        elif block and not name.lower().startswith("resent-"):
            break
    return block, [body for name, body in items if name.lower() in TO]


def _by_default(bodies):
    return {address.addr_spec for body in bodies for address in body.addresses}


def _by_compat32(bodies):
    strict = {"strict": False} if getattr(email.utils, "supports_strict_parsing", False) else {}
    return {address for _, address in email.utils.getaddresses([str(body) for body in bodies], **strict)}


PARSERS = {
    "default": (email.policy.default, lambda message: message.items(), _by_default),
    "compat32": (email.policy.compat32, lambda message: message.raw_items(), _by_compat32),
}


def _ask(parser, content):
    """Its addresses, whether the header has a broken line, and all bodies as text."""
    policy, items, addresses_of = PARSERS[parser]
    message = email.message_from_bytes(content, policy=policy)
    broken = any("Separator" in type(defect).__name__ for defect in message.defects)
    for bodies, raw in zip(_fields(list(items(message))), _fields(list(message.raw_items()))):
        found = {address for address in addresses_of(bodies) if "@" in address}
        if found:
            break
    return found, broken, ", ".join(re.sub(r"\r?\n", "", utf8(body)) for body in raw)


def _pairs(ours, theirs):
    """What only one has; two that are meant to be the same come together."""
    only_ours, only_theirs = sorted(ours - theirs), sorted(theirs - ours)
    for address in only_ours:
        same = [t for t in only_theirs if plain(t).strip("'") == plain(address)]
        for other in same[:1]:
            only_theirs.remove(other)
        yield address, same[0] if same else ""
    yield from (("", address) for address in only_theirs)


def compare(content, candidates):
    """The differences between `explain --json`'s candidates and Python's."""
    ours = {c["address"].lower() for c in candidates if c["result"] not in ("invalid", "own")}
    refused = [c["address"] for c in candidates if c["result"] == "invalid"]
    for parser in PARSERS:
        try:
            theirs, broken, text = _ask(parser, content)
        except Exception:  # whatever it may be
            yield Difference(parser, "", refused, False, theirs="exception", reason="gave up")
            continue
        for one, other in _pairs(ours, {address.lower() for address in theirs}):
            difference = Difference(parser, text, refused, broken, one, other)
            difference.reason = next(
                (name for name, (holds, _) in CLASSES.items() if holds(difference)), "")
            yield difference
