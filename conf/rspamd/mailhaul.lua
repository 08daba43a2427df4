-- mailhaul.lua: rspamd judges collected mail by the client from which the provider
-- took it, not by this machine.
--
-- Copy it to /etc/rspamd/mailhaul.lua, add this line to /etc/rspamd/rspamd.local.lua:
--
--     dofile("/etc/rspamd/mailhaul.lua")
--
-- and restart rspamd.  It is needed with inject.method: sendmail only; by SMTP,
-- Postfix itself names the client (XCLIENT), and this changes nothing.
--
-- It believes the field in whatever Postfix takes from 127.0.0.1, as mail by
-- sendmail(1) is: a user of this machine, or a program here that sends strangers'
-- mail on (Sieve, a content filter), can write one, and so have rspamd take that
-- mail for another client's: SPF, DNS lists and lists of good clients are asked about
-- that one.  Where such people are not to be trusted, use inject.method: smtp and leave
-- this file out.
--
-- In main.cf Mailhaul's milter stands before rspamd's.  Let rspamd mark collected
-- mail, not reject it: the provider has taken it already.

rspamd_config:register_symbol({
  name = "MAILHAUL_ORIGIN",
  type = "prefilter",
  priority = 20, -- before all that look at the client
  callback = function(task)
    -- Whoever is not this machine may have written the field himself; is_local()
    -- would be true of the whole of a private network.
    local client = task:get_from_ip()
    if client and client:is_valid() and client:to_string() ~= "127.0.0.1" then
      return false
    end
    local field = task:get_header("X-Mailhaul-Origin")
    local ip = field and field:match("ip=([%x:.]+)")
    if not ip then
      return false
    end
    task:set_from_ip(ip)
    task:set_hostname(field:match("name=([^;%s]+)") or "unknown")
    task:set_helo(field:match("helo=([^;%s]+)") or "unknown")
    return false
  end
})
