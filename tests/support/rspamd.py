# SPDX-License-Identifier: Apache-2.0
"""A real rspamd as a milter, with the snippet of conf/rspamd, and one rule: what one
client sent is rejected, or marked."""

import pathlib
import subprocess

from waiting import wait_for_port

PORT = 11332
BAD_CLIENT = "203.0.113.66"

_SNIPPET = pathlib.Path(__file__).resolve().parents[2] / "conf/rspamd/mailhaul.lua"

_CONF = """\
options {{
  pidfile = "{folder}/pid"; tempdir = "{folder}"; filters = "";
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }}
}}
logging {{ type = "console"; level = "info"; }}
actions {{ {action} = 15; }}
lua = "{folder}/rules.lua"
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}"; milter = yes; count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""
_RULES = """\
rspamd_config:register_symbol({{
  name = "BAD_CLIENT", score = 100,
  callback = function(task)
    local ip = task:get_from_ip()
    return ip ~= nil and ip:is_valid() and ip:to_string() == "{bad}"
  end
}})
"""


class Rspamd:
    def __init__(self, folder, action="reject"):
        self._folder = pathlib.Path(folder) / "rspamd"
        self._folder.mkdir()
        (self._folder / "rules.lua").write_text(
            f'dofile("{_SNIPPET}")\n' + _RULES.format(bad=BAD_CLIENT))
        conf = self._folder / "rspamd.conf"
        conf.write_text(_CONF.format(folder=self._folder, port=PORT, action=action))
        self._log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            ["rspamd", "-f", "-i", "-c", conf],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )
        wait_for_port("127.0.0.1", PORT, "rspamd", 20)

    def stop(self):
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def log(self):
        return (self._folder / "log").read_text("utf-8", "replace")
