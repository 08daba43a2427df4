/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_fetchmailrc_options.h"

#include "base/buf.h"
#include "mail/domain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Options applied, and their words: defaults hold for every account. */
enum { WORK_MAX = 500000 };

static void
report(struct rc_target *t, const struct rc_option *option,
    enum import_verdict verdict, const char *text)
{
	const struct rc_keyword *k = option->keyword;
	const char *name = k->longer == NULL ? k->name : k->longer;
	const char *no = option->no ? "no " : "";

	if (t->shared)
		import_say(
		    t->import, option->line, verdict, "%s%s%s", no, name, text);
	else
		import_say_of(t->account, option->line, verdict, "%s%s%s", no,
		    name, text);
}

static void tell(struct rc_target *, struct rc_option *, enum import_verdict,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
tell(struct rc_target *t, struct rc_option *option, enum import_verdict verdict,
    const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	/* Defaults are applied to every account. */
	if (option->told == NULL || strcmp(option->told, text) != 0) {
		option->told = arena_string(&t->import->arena, slice_of(text));
		report(t, option, verdict, text);
	}
	free(text);
}

/* The only argument, or the last one. */
static const char *
argument(const struct rc_option *option)
{
	return option->words.n == 0 ? ""
				    : option->words.items[option->words.n - 1];
}

static bool
number(struct rc_target *t, struct rc_option *option, uint64_t *value)
{
	if (import_number(slice_of(argument(option)), value))
		return true;
	tell(t, option, IMPORT_REFUSED, ": expected a number");
	return false;
}

/* A list that the defaults gave is replaced, not continued. */
static bool
replaces(struct rc_target *t, unsigned list)
{
	bool inherited = (t->inherited & list) != 0;

	if (t->in_defaults)
		t->inherited |= list;
	else
		t->inherited &= ~list;
	return inherited && !t->in_defaults;
}

static void
taken(struct rc_target *t, struct rc_option *option)
{
	struct buf words;

	/* What is reported is cut anyway. */
	buf_init(&words, 1024);
	for (size_t i = 0; i < option->words.n; i++) {
		buf_printf(&words, " %s", option->words.items[i]);
		if (i < option->locals.n && option->locals.items[i] != NULL)
			buf_printf(&words, "=%s", option->locals.items[i]);
	}
	tell(t, option, IMPORT_TAKEN, "%s%s", buf_string(&words),
	    option->star ? " *: a catch-all mailbox" : "");
	buf_clear(&words);
}

void
rc_apply_field(struct rc_target *t, struct rc_option *option)
{
	const char *value = argument(option);

	if (option->keyword->is_path)
		value = import_path(t->import, value);
	memcpy(
	    (char *)t->account + option->keyword->field, &value, sizeof(value));
	taken(t, option);
}

struct protocol_row {
	const char *name;
	bool imap, pop3;
	enum import_verdict verdict;
	const char *text;
};
static const struct protocol_row protocol_rows[] = {
	{ "pop3", false, true, IMPORT_TAKEN, "" },
	{ "imap", true, false, IMPORT_TAKEN, "" },
	{ "auto", false, false, IMPORT_CHANGED,
	    ": mailhaul probe says what the server speaks; the port tells, "
	    "else it is imap" },
	{ "apop", false, true, IMPORT_CHANGED,
	    ": APOP is not spoken, the password goes over TLS" },
	{ "sdps", false, true, IMPORT_CHANGED,
	    ": as pop3, without *ENV; see recipients" },
	{ NULL, false, false, IMPORT_REFUSED,
	    ": not spoken; the account is left out" },
};

void
rc_apply_protocol(struct rc_target *t, struct rc_option *option)
{
	const struct protocol_row *row = protocol_rows;

	while (row->name != NULL && !slice_equal_nocase(slice_of(row->name),
					slice_of(argument(option))))
		row++;
	t->imap = row->imap;
	t->pop3 = row->pop3;
	t->account->refused = row->name == NULL;
	tell(t, option, row->verdict, " %s%s", argument(option), row->text);
}

struct auth_row {
	const char *name, *auth;
	enum import_verdict verdict;
	const char *text;
};
static const struct auth_row auth_rows[] = {
	{ "any", NULL, IMPORT_TAKEN, "" },
	{ "password", NULL, IMPORT_TAKEN, "" },
	{ "external", "external", IMPORT_TAKEN, "" },
	{ "cram-md5", NULL, IMPORT_CHANGED,
	    ": not spoken, the password goes over TLS" },
	{ "cram", NULL, IMPORT_CHANGED,
	    ": not spoken, the password goes over TLS" },
	{ "ntlm", NULL, IMPORT_CHANGED,
	    ": not spoken, the password goes over TLS" },
	{ NULL, NULL, IMPORT_REFUSED,
	    ": not spoken; the account is written with enabled: false" },
};

void
rc_apply_auth(struct rc_target *t, struct rc_option *option)
{
	const struct auth_row *row = auth_rows;

	while (row->name != NULL && strcmp(row->name, argument(option)) != 0)
		row++;
	t->account->auth = row->auth;
	t->account->disabled = t->account->disabled || row->name == NULL;
	tell(t, option, row->verdict, " %s%s", argument(option), row->text);
}

void
rc_apply_via(struct rc_target *t, struct rc_option *option)
{
	t->via = argument(option);
	taken(t, option);
}

void
rc_apply_aka(struct rc_target *t, struct rc_option *option)
{
	if (replaces(t, RC_AKA))
		t->aka.n = 0;
	for (size_t i = 0; i < option->words.n; i++)
		import_add(t->import, &t->aka, option->words.items[i]);
	tell(t, option, IMPORT_CHANGED,
	    ": what lies outside accepted_domains becomes recipients."
	    "trusted_hosts, the servers whose Received fields are believed; "
	    "a domain of your own belongs into accepted_domains");
}

void
rc_apply_local_domains(struct rc_target *t, struct rc_option *option)
{
	char domain[DOMAIN_SIZE];
	bool all = true;

	if (replaces(t, RC_DOMAINS))
		t->local_domains.n = 0;
	for (size_t i = 0; i < option->words.n; i++) {
		struct slice word = slice_of(option->words.items[i]);

		/* It is a suffix; some write the dot. */
		slice_cut_prefix(&word, SLICE("."));
		if (!domain_normalise(word, domain)) {
			all = false;
			continue;
		}
		import_add(t->import, &t->local_domains,
		    arena_string(&t->import->arena, slice_of(domain)));
		import_add_once(t->import, &t->import->domains,
		    arena_string(&t->import->arena, slice_of(domain)));
	}
	if (all)
		tell(t, option, IMPORT_CHANGED,
		    ": accepted_domains, without their subdomains, which "
		    "fetchmail takes too; an entry .NAME adds them");
	else
		tell(t, option, IMPORT_REFUSED, ": a domain that cannot be");
}

void
rc_apply_port(struct rc_target *t, struct rc_option *option)
{
	static const struct {
		const char *name;
		unsigned port;
	} services[] = { { "pop3", 110 }, { "pop3s", 995 }, { "imap", 143 },
		{ "imap2", 143 }, { "imaps", 993 } };
	struct slice text = slice_of(argument(option));
	uint64_t port;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (slice_equal(text, slice_of(services[i].name))) {
			t->account->port = services[i].port;
			taken(t, option);
			return;
		}
	if (!number(t, option, &port))
		return;
	t->account->port = port > UINT16_MAX ? UINT16_MAX + 1 : (unsigned)port;
	taken(t, option);
}

void
rc_apply_interval(struct rc_target *t, struct rc_option *option)
{
	if (!number(t, option, &t->interval))
		return;
	if (t->daemon_s > 0)
		tell(t, option, IMPORT_TAKEN,
		    " %s: every so many of the daemon's rounds",
		    argument(option));
	else
		tell(t, option, IMPORT_DROPPED,
		    " %s: without set daemon it is not known how long a round "
		    "takes; see every",
		    argument(option));
}

void
rc_apply_timeout(struct rc_target *t, struct rc_option *option)
{
	if (!number(t, option, &t->account->timeout_s))
		return;
	if (t->account->timeout_s > 0)
		taken(t, option);
	else
		tell(t, option, IMPORT_CHANGED,
		    " 0: there always is one; our default holds");
}

void
rc_apply_envelope(struct rc_target *t, struct rc_option *option)
{
	struct import_account *a = t->account;
	struct slice field = slice_of(argument(option));
	uint64_t skipped = 0;

	a->envelope_headers.n = 0;
	a->occurrence = 0;
	t->own_envelope = false;
	a->from = "[headers]";
	if (option->no) {
		tell(t, option, IMPORT_TAKEN,
		    ": recipients.from: [headers], which is a guess");
		return;
	}
	if (option->words.n == 2 &&
	    !import_number(slice_of(option->words.items[0]), &skipped)) {
		tell(t, option, IMPORT_REFUSED, ": expected a number");
		return;
	}
	/* Some write it as it stands in the mail. */
	if (field.len > 0 && field.data[field.len - 1] == ':')
		field.len--;
	a->occurrence = skipped < 100 ? (unsigned)skipped + 1 : 100;
	if (slice_equal_nocase(field, SLICE("Received"))) {
		a->occurrence = 0;
		a->from = "[received, headers]";
		tell(t, option, IMPORT_CHANGED,
		    " Received: recipients.from: [received, headers]; which "
		    "field is believed, recipients.trusted_hosts says");
		return;
	}
	t->own_envelope = true;
	a->from = NULL;
	import_add(t->import, &a->envelope_headers,
	    arena_string(&t->import->arena, field));
	taken(t, option);
}

void
rc_apply_plugin(struct rc_target *t, struct rc_option *option)
{
	t->account->disabled = true;
	tell(t, option, IMPORT_REFUSED,
	    ": connections are made directly; the account is written with "
	    "enabled: false, until host says where to");
}

void
rc_apply_names(struct rc_target *t, struct rc_option *option)
{
	if (option->there) {
		t->user = argument(option);
		tell(t, option, IMPORT_TAKEN, " %s there", t->user);
		return;
	}
	if (replaces(t, RC_LOCAL_NAMES)) {
		t->remotes.n = t->locals.n = 0;
		t->star = false;
	}
	t->names_line = option->line;
	t->star = t->star || option->star;
	for (size_t i = 0; i < option->words.n; i++) {
		const char *remote = option->words.items[i];
		const char *local = option->locals.items[i];

		import_add(t->import, &t->remotes, remote);
		import_add(
		    t->import, &t->locals, local == NULL ? remote : local);
	}
	taken(t, option);
}

void
rc_apply_password(struct rc_target *t, struct rc_option *option)
{
	t->account->password = argument(option);
	t->account->password_line = option->line;
}

void
rc_apply_folder(struct rc_target *t, struct rc_option *option)
{
	if (replaces(t, RC_FOLDERS))
		t->account->folders.n = 0;
	for (size_t i = 0; i < option->words.n; i++)
		import_add_once(
		    t->import, &t->account->folders, option->words.items[i]);
	taken(t, option);
}

void
rc_apply_keep(struct rc_target *t, struct rc_option *option)
{
	t->account->keep = option->no ? "none" : "forever";
	taken(t, option);
}

void
rc_apply_ssl(struct rc_target *t, struct rc_option *option)
{
	t->ssl = !option->no;
	taken(t, option);
}

void
rc_apply_sslproto(struct rc_target *t, struct rc_option *option)
{
	static const char *const taken_words[] = { "auto", "tls1.2", "tls1.2+",
		"tls1.3", "tls1.3+" };
	struct slice word = slice_of(argument(option));

	t->sslproto = true;
	t->account->clear_text = word.len == 0;
	if (word.len == 0) {
		tell(t, option, IMPORT_CHANGED,
		    " \"\": tls: {mode: never} unless there is ssl; password "
		    "and mail travel in clear text");
		return;
	}
	for (size_t i = 0; i < sizeof(taken_words) / sizeof(taken_words[0]);
	     i++)
		if (slice_equal_nocase(word, slice_of(taken_words[i]))) {
			taken(t, option);
			return;
		}
	tell(t, option, IMPORT_CHANGED,
	    " %s: the best that both sides know, TLS 1.2 at least",
	    argument(option));
}

void
rc_apply_sslcertck(struct rc_target *t, struct rc_option *option)
{
	if (option->no)
		tell(t, option, IMPORT_CHANGED,
		    ": certificates are always verified; tls: {ca_file} or "
		    "{fingerprint_sha256} for one that nobody vouches for");
	else
		taken(t, option);
}

void
rc_apply_limit(struct rc_target *t, struct rc_option *option)
{
	if (number(t, option, &t->account->max_message_size))
		taken(t, option);
}

void
rc_apply_fetchlimit(struct rc_target *t, struct rc_option *option)
{
	uint64_t most;

	if (!number(t, option, &most))
		return;
	t->account->max_messages = most;
	tell(t, option, IMPORT_CHANGED,
	    " %s: the rest follows as soon as the other accounts had their "
	    "turn",
	    argument(option));
}

void
rc_apply_idle(struct rc_target *t, struct rc_option *option)
{
	t->account->no_idle = option->no;
	taken(t, option);
}

void
rc_apply_smtpaddress(struct rc_target *t, struct rc_option *option)
{
	char domain[DOMAIN_SIZE];

	if (!domain_normalise(slice_of(argument(option)), domain)) {
		tell(t, option, IMPORT_REFUSED, ": a domain that cannot be");
		return;
	}
	import_add_once(t->import, &t->import->domains,
	    arena_string(&t->import->arena, slice_of(domain)));
	tell(t, option, IMPORT_CHANGED,
	    " %s: one of the accepted_domains; the first of them completes "
	    "user names",
	    domain);
}

void
rc_apply_smtpname(struct rc_target *t, struct rc_option *option)
{
	t->smtp_name = argument(option);
	tell(t, option, IMPORT_TAKEN, " %s: deliver_to", t->smtp_name);
}

void
rc_apply_postmaster(struct rc_target *t, struct rc_option *option)
{
	if (argument(option)[0] == '\0') {
		tell(t, option, IMPORT_REFUSED,
		    " \"\": mail for nobody is never thrown away");
		return;
	}
	t->import->postmaster = argument(option);
	import_accept_domain_of(t->import, argument(option));
	taken(t, option);
}

void
rc_apply_daemon(struct rc_target *t, struct rc_option *option)
{
	if (number(t, option, &t->daemon_s))
		tell(t, option, IMPORT_TAKEN, " %s: every", argument(option));
}

void
rc_apply(struct rc_target *t, struct rc_option *option)
{
	const struct rc_keyword *k = option->keyword;

	option->applied = true;
	t->import->work += 1 + option->words.n;
	if (t->import->work > WORK_MAX && t->account != NULL) {
		t->account->refused = true;
		import_say_of(t->account, t->account->line, IMPORT_REFUSED,
		    "account %s: too many options; split the "
		    "file",
		    t->account->name);
		return;
	}
	if (k->apply != NULL)
		k->apply(t, option);
	else if (option->no && k->no_text != NULL)
		tell(t, option, IMPORT_TAKEN, ": %s", k->no_text);
	else
		tell(t, option, k->verdict, ": %s", k->text);
}

void
rc_apply_globals(
    struct import *import, const struct rc_options *options, uint64_t *daemon_s)
{
	struct rc_target t = { .import = import, .shared = true };

	for (struct rc_option *o = options->first; o != NULL; o = o->next)
		rc_apply(&t, o);
	*daemon_s = t.daemon_s;
}
