/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_mpoprc_commands.h"

#include "base/buf.h"

#include <string.h>

struct mpop_command {
	const char *name;
	void (*apply)(struct mpop_target *, struct mpop_line *);
	enum import_verdict verdict; /* without apply */
	const char *text;
};

static void
tell(struct mpop_target *t, struct mpop_line *l, enum import_verdict verdict,
    const char *text)
{
	if (l->told != NULL && strcmp(l->told, text) == 0)
		return;
	l->told = text;
	if (t->shared)
		import_say(t->account->import, l->line, verdict, "%s%s%s",
		    l->command->name, text[0] == '\0' ? "" : ": ", text);
	else
		import_say_of(t->account, l->line, verdict, "%s%s%s",
		    l->command->name, text[0] == '\0' ? "" : ": ", text);
}

static bool
is(const struct mpop_line *l, const char *word)
{
	return strcmp(l->argument, word) == 0;
}

static bool
is_on(const struct mpop_line *l)
{
	return is(l, "on") || is(l, "");
}

static void
apply_host(struct mpop_target *t, struct mpop_line *l)
{
	t->account->host = l->argument;
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_port(struct mpop_target *t, struct mpop_line *l)
{
	uint64_t port;

	if (!import_number(slice_of(l->argument), &port) || port > UINT16_MAX) {
		tell(t, l, IMPORT_REFUSED, "expected a port");
		return;
	}
	t->account->port = (unsigned)port;
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_user(struct mpop_target *t, struct mpop_line *l)
{
	t->account->user = l->argument;
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_password(struct mpop_target *t, struct mpop_line *l)
{
	t->account->password = is(l, "") ? NULL : l->argument;
	t->account->password_line = l->line;
	t->account->command.n = 0;
}

static void
apply_passwordeval(struct mpop_target *t, struct mpop_line *l)
{
	enum import_verdict verdict =
	    import_command(t->account, slice_of(l->argument));

	tell(t, l, verdict, verdict == IMPORT_TAKEN ? "" : IMPORT_SHELL_TEXT);
}

struct method {
	const char *name, *auth;
	bool token, disabled;
	enum import_verdict verdict;
	const char *text;
};
#define NOT_SPOKEN "not spoken; the password goes over TLS"
static const struct method methods[] = {
	{ "on", NULL, false, false, IMPORT_TAKEN, "" },
	{ "", NULL, false, false, IMPORT_TAKEN, "" },
	{ "user", "user", false, false, IMPORT_TAKEN, "" },
	{ "plain", "plain", false, false, IMPORT_TAKEN, "" },
	{ "login", "login", false, false, IMPORT_TAKEN, "" },
	{ "scram-sha-256", "scram_sha_256", false, false, IMPORT_TAKEN, "" },
	{ "xoauth2", "xoauth2", true, false, IMPORT_TAKEN, "" },
	{ "oauthbearer", "oauthbearer", true, false, IMPORT_TAKEN, "" },
	{ "external", "external", false, false, IMPORT_TAKEN, "" },
	{ "scram-sha-1", NULL, false, false, IMPORT_CHANGED, NOT_SPOKEN },
	{ "apop", NULL, false, false, IMPORT_CHANGED, NOT_SPOKEN },
	{ "cram-md5", NULL, false, false, IMPORT_CHANGED, NOT_SPOKEN },
	{ "digest-md5", NULL, false, false, IMPORT_CHANGED, NOT_SPOKEN },
	{ "ntlm", NULL, false, false, IMPORT_CHANGED, NOT_SPOKEN },
	{ NULL, NULL, false, true, IMPORT_REFUSED,
	    "not spoken; the account is written with enabled: false" },
};

static void
apply_auth(struct mpop_target *t, struct mpop_line *l)
{
	const struct method *m = methods;

	while (m->name != NULL &&
	       !slice_equal_nocase(slice_of(m->name), slice_of(l->argument)))
		m++;
	t->account->auth = m->auth;
	t->account->token = m->token;
	t->account->disabled = t->account->disabled || m->disabled;
	tell(t, l, m->verdict, m->text);
}

static void
apply_tls(struct mpop_target *t, struct mpop_line *l)
{
	t->tls_said = true;
	t->tls = is_on(l);
	if (t->tls)
		tell(t, l, IMPORT_TAKEN, "");
	else
		tell(t, l, IMPORT_CHANGED,
		    "tls: {mode: never}; password and mail travel in clear "
		    "text");
}

static void
apply_starttls(struct mpop_target *t, struct mpop_line *l)
{
	t->no_starttls = !is_on(l);
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_certcheck(struct mpop_target *t, struct mpop_line *l)
{
	if (is_on(l))
		tell(t, l, IMPORT_TAKEN, "");
	else
		tell(t, l, IMPORT_CHANGED,
		    "certificates are always verified; tls: {ca_file} or "
		    "{fingerprint_sha256} for one that nobody vouches for");
}

static void
apply_trust_file(struct mpop_target *t, struct mpop_line *l)
{
	t->account->ca_file =
	    is(l, "") || is(l, "system")
		? NULL
		: import_path(t->account->import, l->argument);
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_fingerprint(struct mpop_target *t, struct mpop_line *l)
{
	t->account->fingerprint =
	    is(l, "")
		? NULL
		: import_fingerprint(t->account->import, slice_of(l->argument));
	if (t->account->fingerprint == NULL && !is(l, ""))
		tell(t, l, IMPORT_DROPPED,
		    "only SHA-256 proves a certificate; pin it anew with "
		    "tls: {fingerprint_sha256}");
	else
		tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_cert_file(struct mpop_target *t, struct mpop_line *l)
{
	t->account->client_certificate =
	    is(l, "") ? NULL : import_path(t->account->import, l->argument);
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_key_file(struct mpop_target *t, struct mpop_line *l)
{
	t->account->client_key =
	    is(l, "") ? NULL : import_path(t->account->import, l->argument);
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_host_override(struct mpop_target *t, struct mpop_line *l)
{
	t->account->server_name = is(l, "") ? NULL : l->argument;
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_detour(struct mpop_target *t, struct mpop_line *l)
{
	if (is(l, "")) {
		tell(t, l, IMPORT_TAKEN, "");
		return;
	}
	t->account->disabled = true;
	tell(t, l, IMPORT_REFUSED,
	    "connections are made directly; the account is written with "
	    "enabled: false");
}

static void
apply_timeout(struct mpop_target *t, struct mpop_line *l)
{
	uint64_t seconds = 0;

	if (!is(l, "off") && !is(l, "") &&
	    !import_number(slice_of(l->argument), &seconds)) {
		tell(t, l, IMPORT_REFUSED, "expected a number");
		return;
	}
	t->account->timeout_s = seconds;
	if (seconds > 0)
		tell(t, l, IMPORT_TAKEN, "");
	else
		tell(t, l, IMPORT_CHANGED,
		    "there always is one; our default holds");
}

static void
apply_uidls_file(struct mpop_target *t, struct mpop_line *l)
{
	t->account->state_file = l->argument;
	tell(t, l, IMPORT_CHANGED,
	    "name it with --state, and its UIDs are taken over");
}

static void
apply_only_new(struct mpop_target *t, struct mpop_line *l)
{
	if (is_on(l))
		tell(t, l, IMPORT_TAKEN, "");
	else
		tell(t, l, IMPORT_CHANGED, "nothing is ever collected twice");
}

static void
apply_keep(struct mpop_target *t, struct mpop_line *l)
{
	uint64_t seconds;

	if (is_on(l))
		t->account->keep = "forever";
	else if (is(l, "off"))
		t->account->keep = "none";
	else if (import_duration(slice_of(l->argument), &seconds))
		t->account->keep = l->argument;
	else {
		/* Deleting less than was wanted loses nothing. */
		t->account->keep = "forever";
		tell(t, l, IMPORT_REFUSED,
		    "expected on, off or a time such as 14d; keep: forever is "
		    "written");
		return;
	}
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_skipsize(struct mpop_target *t, struct mpop_line *l)
{
	uint64_t size = 0;

	if (!is(l, "off") && !is(l, "") &&
	    !import_number(slice_of(l->argument), &size)) {
		tell(t, l, IMPORT_REFUSED, "expected a number");
		return;
	}
	t->account->max_message_size = size;
	tell(t, l, IMPORT_TAKEN, "");
}

static void
apply_killsize(struct mpop_target *t, struct mpop_line *l)
{
	if (is(l, "off") || is(l, ""))
		tell(t, l, IMPORT_TAKEN, "");
	else
		tell(t, l, IMPORT_REFUSED,
		    "it deletes mail that was never collected");
}

static void
apply_filter(struct mpop_target *t, struct mpop_line *l)
{
	if (is(l, ""))
		tell(t, l, IMPORT_TAKEN, "");
	else
		tell(t, l, IMPORT_DROPPED,
		    "mail goes to Postfix, whose milters and filters see it");
}

static void
apply_delivery(struct mpop_target *t, struct mpop_line *l)
{
	t->delivery = l->argument;
	t->delivery_line = l->line;
}

#define SAYS(name, verdict, text)                                              \
	{                                                                      \
		name, NULL, verdict, text                                      \
	}
#define DOES(name, apply)                                                      \
	{                                                                      \
		name, apply, IMPORT_TAKEN, NULL                                \
	}

static const struct mpop_command commands[] = {
	DOES("host", apply_host),
	DOES("port", apply_port),
	DOES("user", apply_user),
	DOES("password", apply_password),
	DOES("passwordeval", apply_passwordeval),
	DOES("auth", apply_auth),
	DOES("tls", apply_tls),
	DOES("tls_starttls", apply_starttls),
	DOES("tls_certcheck", apply_certcheck),
	DOES("tls_trust_file", apply_trust_file),
	DOES("tls_fingerprint", apply_fingerprint),
	DOES("tls_cert_file", apply_cert_file),
	DOES("tls_key_file", apply_key_file),
	DOES("tls_host_override", apply_host_override),
	DOES("proxy_host", apply_detour),
	DOES("proxy_port", apply_detour),
	DOES("socket", apply_detour),
	DOES("timeout", apply_timeout),
	DOES("uidls_file", apply_uidls_file),
	DOES("only_new", apply_only_new),
	DOES("keep", apply_keep),
	DOES("skipsize", apply_skipsize),
	DOES("killsize", apply_killsize),
	DOES("filter", apply_filter),
	DOES("delivery", apply_delivery),
	SAYS("pipelining", IMPORT_CHANGED,
	    "used when the server offers it, never otherwise"),
	SAYS("received_header", IMPORT_CHANGED,
	    "we write a field X-Mailhaul, and no Received"),
	SAYS("source_ip", IMPORT_DROPPED, "the system chooses it"),
	SAYS("ntlmdomain", IMPORT_DROPPED, "NTLM is not spoken"),
	SAYS("tls_crl_file", IMPORT_DROPPED, "no revocation list is read"),
	SAYS("tls_priorities", IMPORT_CHANGED,
	    "the best that both sides know, TLS 1.2 at least"),
	SAYS("tls_min_dh_prime_bits", IMPORT_CHANGED,
	    "the best that both sides know, TLS 1.2 at least"),
};

const struct mpop_command *
mpop_find_command(struct slice name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_equal(name, slice_of(commands[i].name)))
			return &commands[i];
	return NULL;
}

const char *
mpop_command_name(const struct mpop_command *command)
{
	return command->name;
}

void
mpop_apply(struct mpop_target *t, struct mpop_line *l)
{
	if (l->command->apply != NULL)
		l->command->apply(t, l);
	else
		tell(t, l, l->command->verdict, l->command->text);
}

static void
finish_tls(struct mpop_target *t)
{
	struct import_account *a = t->account;

	a->protocol = t->tls && t->no_starttls ? IMPORT_POP3S : IMPORT_POP3;
	a->clear_text = t->tls_said && !t->tls;
	if (!t->tls_said)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: without tls mpop speaks in clear text; here "
		    "STLS is required, or tls: {mode: never}",
		    a->name);
}

/* %U and %H in the name of the state file. */
static const char *
state_file(const struct import_account *a, const char *name)
{
	struct buf out;
	const char *copy;

	buf_init(&out, 4096);
	for (; *name != '\0'; name++)
		if (name[0] == '%' && (name[1] == 'U' || name[1] == 'H')) {
			buf_add_string(&out,
			    *++name == 'U' ? a->state_user : a->state_host);
		} else {
			buf_add_byte(&out, (uint8_t)*name);
		}
	copy = arena_string(&a->import->arena, buf_slice(&out));
	buf_clear(&out);
	return copy;
}

void
mpop_finish(struct mpop_target *t)
{
	struct import_account *a = t->account;

	finish_tls(t);
	a->state_host = a->host == NULL ? "" : a->host;
	a->state_user = a->user == NULL ? "" : a->user;
	a->state_file =
	    state_file(a, a->state_file == NULL ? "%U_at_%H" : a->state_file);
	import_deliver_to_owner(a, slice_of(t->delivery),
	    t->delivery_line > 0 ? t->delivery_line : a->line);
}
