# SPDX-License-Identifier: Apache-2.0
"""The quickstart inside its sandbox: start everything, let the mail come, and
show who got what, and why.  Exit status 0 only if all is as it must be."""

import collections
import contextlib
import json
import pathlib
import sys
import time

SUPPORT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "support"
sys.path.insert(0, str(SUPPORT))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from letters import DOMAINS, OFFICE, PARKED, PEOPLE, SECTIONS  # noqa: E402
from mails import fields, is_whole  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import World  # noqa: E402

WIDTHS = (29, 35, 26, 25)  # with the spaces between and before them: 119 columns
SOURCES = {
    "envelope": "provider field",
    "received": "Received for",
    "headers": "To/Cc/Bcc",
    "fallback": "nobody named",
}
RESULTS = {"absent": "unknown", "foreign": "outside", "invalid": "unusable"}


def short(address):
    """anna@ for anna@example.org"""
    return address.removesuffix("example.org") if address.endswith("@example.org") else address


def row(*cells):
    texts = (c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(cells, WIDTHS))
    return " " + " ".join(f"{text:<{w}}" for text, w in zip(texts, WIDTHS)).rstrip()


@contextlib.contextmanager
def step(text):
    """One line for each thing that is done, with the time that it took."""
    print(f"  {text:<88}", end="", flush=True)
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:6.1f} s")


class Quickstart:
    def __init__(self):
        self.world = World(PEOPLE)
        self.sections = {title: list(make()) for title, make in SECTIONS.items()}
        self.letters = [letter for section in self.sections.values() for letter in section]
        self.uids = {}  # of Letter.case
        self.mailhaul = self.world.installation()
        self.mailbox = self.world.provider.mailbox("example.org")

    def prepare(self):
        with step("Dovecot (the provider: POP3S), slapd (the people: ldaps), Postfix with the milter"):
            self.world.start()
        with step(f"{len(self.letters)} mails into the provider's one mailbox for the whole company"):
            for letter in self.letters:
                self.uids[letter.case] = self.mailbox.put(letter.message)

    def collect(self):
        self.mailhaul.config["accepted_domains"] = DOMAINS
        self.mailhaul.add_account(self.mailbox, fallback=OFFICE)
        with step("mailhaul check"):
            self.mailhaul.command("check").expect(0)
        with step("mailhaul-milter and mailhaul-fetcher run until every mail is accounted for"):
            self.mailhaul.start_fetcher()
            uids = set(self.uids.values())
            wait_for(lambda: uids <= {line["uid"] for line in self.mailhaul.lines()},
                     "a log line about each mail", 60)
            parked = {self.uids[x.case] for x in self.letters if x.wanted == PARKED}
            wait_for(lambda: set(self.mailbox.uids()) <= parked, "the provider's mailbox to be emptied", 30)
            self.world.postfix.wait_until_idle()

    def results(self):
        """{title of the mail: who got a whole copy, sorted}"""
        found = {}
        for address, messages in self.world.postfix.delivered().items():
            for message in messages:
                title = (fields(message, "X-Title") or ["a mail that nobody sent"])[0]
                found.setdefault(title, []).append(address if is_whole(message) else f"{address} CUT")
        left = set(self.mailbox.uids())
        for letter in self.letters:
            if self.uids[letter.case] in left:
                found.setdefault(letter.case, []).append(PARKED[0])
        return {title: sorted(addresses) for title, addresses in found.items()}

    def reason(self, letter, line):
        """Why it went there, in a few words, from what `mailhaul explain` says."""
        if line["status"] != "injected":
            return line["status"]
        said = self.mailhaul.command(
            "explain", "--account", "office", "--json", "-", stdin=letter.message
        ).expect(0)
        counted = collections.Counter(c["result"] for c in json.loads(said.out)["candidates"])
        notes = [f"{counted[result]} {word}" for result, word in RESULTS.items() if counted[result]]
        return ", ".join([SOURCES.get(line["source"], line["source"]), *notes])

    def show(self, results):
        """The table; returns how many mails are where they must not be."""
        log = {line["uid"]: line for line in self.mailhaul.lines() if line["uid"]}
        wrong = 0
        print("\n" + row("Mail", "What its header says", "Who got it", "Why"))
        for title, letters in self.sections.items():
            print(f"\n {title}")
            print(" " + "─" * (sum(WIDTHS) + len(WIDTHS) - 1))
            for letter in letters:
                got = results.pop(letter.case, [])
                line = log[self.uids[letter.case]]
                who = ", ".join(map(short, got)) or "NOBODY"
                print(row(letter.case, letter.said, who, self.reason(letter, line)))
                if got != letter.wanted:
                    wrong += 1
                    print(f"   WRONG: must be {', '.join(map(short, letter.wanted))}")
        for title, got in results.items():
            wrong += 1
            print(row(title, "", ", ".join(map(short, got)), "WRONG"))
        return wrong

    def summary(self, wrong, results, seconds):
        outside = self.world.sink.recipients
        peak = self.mailhaul.peak_memory("fetcher") / 2**20
        copies = sum(len(got) for got in results.values() if got != PARKED)
        print(f"""
 anna@ stands for anna@example.org.  The office gets what nobody else can be found for.

   mails                     {len(self.letters)}, each from one mailbox over verified TLS
   delivered                 {copies} copies, every one whole
   not where it must be      {wrong}
   sent to outsiders         {len(outside)}
   fetcher's peak memory     {peak:.0f} MiB
   time                      {seconds:.0f} s
""")
        good = wrong == 0 and not outside
        print(" Every mail is with the right person." if good else " This is NOT as it must be.")
        return good

    def logs(self):
        for name in ("fetcher", "milter"):
            print(f"\n mailhaul-{name}:\n{self.mailhaul.log(name)[-4000:]}")
        print(f"\n Postfix:\n{self.world.postfix.log()[-4000:]}")


def main():
    start = time.monotonic()
    print("\nMailhaul collects the mail of a company from its provider, on real servers:\n")
    quickstart = Quickstart()
    try:
        quickstart.prepare()
        quickstart.collect()
        results = quickstart.results()
        wrong = quickstart.show(dict(results))
        good = quickstart.summary(wrong, results, time.monotonic() - start)
    except AssertionError as problem:
        print(f"\n\nquickstart: {problem}")
        good = False
    if not good:
        quickstart.logs()
    quickstart.mailhaul.stop_all()
    quickstart.world.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
