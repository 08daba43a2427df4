# SPDX-License-Identifier: Apache-2.0
"""A real postgrey: a policy server that defers what an unknown client sends first."""

import pathlib
import shutil
import subprocess

from waiting import wait_for_port

PORT = 10023


class Postgrey:
    def __init__(self, folder):
        self._folder = pathlib.Path(folder) / "postgrey"
        self._folder.mkdir()
        shutil.chown(self._folder, "postgrey", "postgrey")
        for name in ("clients", "recipients"):
            (self._folder / name).touch()
        self._log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            ["setpriv", "--reuid=postgrey", "--regid=postgrey", "--clear-groups",
             "postgrey", f"--inet=127.0.0.1:{PORT}", "--delay=1", f"--dbdir={self._folder}",
             f"--whitelist-clients={self._folder}/clients",
             f"--whitelist-recipients={self._folder}/recipients"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd="/",
        )
        wait_for_port("127.0.0.1", PORT, "postgrey")

    def stop(self):
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def log(self):
        return (self._folder / "log").read_text("utf-8", "replace")
