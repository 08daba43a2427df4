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

from letters import (  # noqa: E402
    ARRIVING, CLARA, DOMAINS, EXCLUDED, FOLDERS, OFFICE, PARKED, PEOPLE, PERSONAL, SECTIONS,
)
from mails import fields, is_whole  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import World  # noqa: E402

WIDTHS = (29, 35, 26, 25)  # with the spaces between and before them: 119 columns
SOURCES = {
    "envelope": "provider field",
    "received": "Received for",
    "headers": "To/Cc/Bcc",
    "fallback": "nobody named",
    "single": "her own mailbox",
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


class Box:
    """A mailbox at the provider, the account for it, and the mails in it."""

    def __init__(self, mailbox, account, sections):
        self.mailbox = mailbox
        self.account = account
        self.sections = {title: list(make()) for title, make in sections.items()}
        self.letters = [letter for section in self.sections.values() for letter in section]
        self.files = {}  # of Letter.case

    def put(self, letter):
        self.files[letter.case] = self.mailbox.put(letter.message, folder=letter.folder)

    def left(self):
        """The cases that are still at the provider."""
        there = {file for folder in {x.folder for x in self.letters} for file in self.mailbox.uids(folder)}
        return {case for case, file in self.files.items() if file in there}

    def is_collected(self):
        return self.left() <= {letter.case for letter in self.letters if letter.wanted == PARKED}


class Quickstart:
    def __init__(self):
        self.world = World(PEOPLE)
        self.mailhaul = self.world.installation()
        mailbox = self.world.provider.mailbox
        self.company = Box(mailbox("example.org"), "office", SECTIONS)
        self.personal = Box(mailbox("clara.berg"), "clara", PERSONAL | ARRIVING)
        self.boxes = [self.company, self.personal]
        self.letters = [letter for box in self.boxes for letter in box.letters]
        (self.arriving,) = (self.personal.sections[title] for title in ARRIVING)
        self.times = {}  # from the provider to Clara, in ms, by Letter.case

    def prepare(self):
        with step("Dovecot (the provider), slapd (the people: ldaps), Postfix with the milter"):
            self.world.start()
        with step(f"{len(self.company.letters)} mails into the provider's one mailbox for the whole company"):
            for letter in self.company.letters:
                self.company.put(letter)
        there = [letter for letter in self.personal.letters if letter not in self.arriving]
        with step(f"{len(there)} mails into Clara's own mailbox at the provider"):
            for letter in there:
                self.personal.put(letter)

    def collect(self):
        self.mailhaul.config["accepted_domains"] = DOMAINS
        self.mailhaul.add_account(self.company.mailbox, fallback=OFFICE)
        self.mailhaul.add_account(
            self.personal.mailbox, name="clara", host="imap.isp.example", protocol="imaps",
            folders=FOLDERS, exclude_folders=EXCLUDED, deliver_to=CLARA, every="1h",
        )["mailbox"] = "single"
        with step("mailhaul check"):
            self.mailhaul.command("check").expect(0)
        with step("mailhaul-milter and mailhaul-fetcher run until every mail is accounted for"):
            self.mailhaul.start_fetcher()
            for box in self.boxes:
                wait_for(box.is_collected, f"{box.account}'s mail to be collected", 60)
            self.world.postfix.wait_until_idle()

    def listen(self):
        """Clara's mailbox is looked at once an hour, so new mail comes by IDLE or not at all."""
        with step(f"{len(self.arriving)} more mails for Clara arrive at the provider, one after the other"):
            wait_for(lambda: "state listening" in self.mailhaul.control("STATUS"), "IDLE", 20)
            for letter in self.arriving:
                before = time.time_ns()
                self.personal.put(letter)
                path = wait_for(lambda x=letter: self.delivered_file(x), f"{letter.case} to arrive", 20)
                self.times[letter.case] = (path.stat().st_mtime_ns - before) / 1e6
            wait_for(self.personal.is_collected, "the provider's mailbox to be emptied", 20)
            self.world.postfix.wait_until_idle()

    def delivered_file(self, letter):
        title = f"\nX-Title: {letter.case}\n".encode()
        paths = (self.world.postfix.mail / "example.org" / "clara" / "new").iterdir()
        return next((path for path in paths if title in path.read_bytes()), None)

    def results(self):
        """{title of the mail: who got a whole copy, sorted}, {title: its id}"""
        found, ids = {}, {}
        for address, messages in self.world.postfix.delivered().items():
            for message in messages:
                title = (fields(message, "X-Title") or ["a mail that nobody sent"])[0]
                found.setdefault(title, []).append(address if is_whole(message) else f"{address} CUT")
                for trace in fields(message, "X-Mailhaul"):
                    ids[title] = trace.split("id=")[1].split(";")[0]
        for case in (case for box in self.boxes for case in box.left()):
            found.setdefault(case, []).append(PARKED[0])
        return {title: sorted(addresses) for title, addresses in found.items()}, ids

    def reason(self, box, letter, line):
        """Why it went there, in a few words, from what `mailhaul explain` says."""
        if letter.folder in EXCLUDED:
            return "exclude_folders"
        if line is None:
            return "not in the log"
        if line["status"] != "injected":
            return line["status"]
        if letter.case in self.times:
            return f"there after {self.times[letter.case]:.0f} ms"
        said = self.mailhaul.command(
            "explain", "--account", box.account, "--json", "-", stdin=letter.message
        ).expect(0)
        counted = collections.Counter(c["result"] for c in json.loads(said.out)["candidates"])
        notes = [f"{counted[result]} {word}" for result, word in RESULTS.items() if counted[result]]
        return ", ".join([SOURCES.get(line["source"], line["source"]), *notes])

    def show(self, results, ids):
        """The table; returns how many mails are where they must not be."""
        log = {line.text.split(":")[0]: line for line in self.mailhaul.lines() if line["uid"]}
        log |= {line["uid"]: line for line in self.mailhaul.lines(account="office") if line["uid"]}
        wrong = 0
        print("\n" + row("Mail", "What its header says", "Who got it", "Why"))
        for box, title, letters in ((b, t, x) for b in self.boxes for t, x in b.sections.items()):
            print(f"\n {title}")
            print(" " + "─" * (sum(WIDTHS) + len(WIDTHS) - 1))
            for letter in letters:
                got = results.pop(letter.case, [])
                line = log.get(ids.get(letter.case, box.files[letter.case]))
                who = ", ".join(map(short, got)) or "NOBODY"
                print(row(letter.case, letter.said, who, self.reason(box, letter, line)))
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
        times = sorted(self.times.values())
        print(f"""
 anna@ stands for anna@example.org.  The office gets what nobody else can be found for.

   mails                     {len(self.company.letters)} by POP3S and {len(self.personal.letters)} by IMAPS, over verified TLS
   delivered                 {copies} copies, every one whole
   not where it must be      {wrong}
   sent to outsiders         {len(outside)}
   new mail by IDLE          {times[0]:.0f} to {times[-1]:.0f} ms (Dovecot lets 500 pass before it announces more)
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
        quickstart.listen()
        results, ids = quickstart.results()
        wrong = quickstart.show(dict(results), ids)
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
