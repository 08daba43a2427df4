/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_getmailrc_settings.h"

#include <inttypes.h>
#include <string.h>

enum { DAYS_MAX = 3650 };

struct setting {
	const char *section, *name;
	void (*apply)(struct getmail *, struct ini_entry *);
	enum import_verdict verdict; /* without apply */
	const char *text;
};

struct type {
	const char *name;
	enum import_protocol protocol;
	bool multidrop;
	enum import_verdict verdict;
	const char *text;
};
#define NO_UIDL                                                                \
	"without UIDs messages are told apart by their content, and none can " \
	"be kept: keep: none"
static const struct type types[] = {
	{ "SimplePOP3Retriever", IMPORT_POP3, false, IMPORT_TAKEN, "" },
	{ "SimplePOP3SSLRetriever", IMPORT_POP3S, false, IMPORT_TAKEN, "" },
	{ "SimpleIMAPRetriever", IMPORT_IMAP, false, IMPORT_TAKEN, "" },
	{ "SimpleIMAPSSLRetriever", IMPORT_IMAPS, false, IMPORT_TAKEN, "" },
	{ "MultidropPOP3Retriever", IMPORT_POP3, true, IMPORT_TAKEN, "" },
	{ "MultidropPOP3SSLRetriever", IMPORT_POP3S, true, IMPORT_TAKEN, "" },
	{ "MultidropIMAPRetriever", IMPORT_IMAP, true, IMPORT_TAKEN, "" },
	{ "MultidropIMAPSSLRetriever", IMPORT_IMAPS, true, IMPORT_TAKEN, "" },
	{ "BrokenUIDLPOP3Retriever", IMPORT_POP3, false, IMPORT_CHANGED,
	    NO_UIDL },
	{ "BrokenUIDLPOP3SSLRetriever", IMPORT_POP3S, false, IMPORT_CHANGED,
	    NO_UIDL },
	{ "MultidropSDPSRetriever", IMPORT_POP3, true, IMPORT_CHANGED,
	    "as POP3, without *ENV; see recipients" },
	{ NULL, IMPORT_POP3, false, IMPORT_REFUSED,
	    "not known; the account is left out" },
};

static void
tell(const struct getmail *g, const struct ini_entry *e,
    enum import_verdict verdict, const char *text)
{
	import_say_of(g->account, e->line, verdict, "%s%s%s", e->key,
	    text[0] == '\0' ? "" : ": ", text);
}

void
getmail_apply_type(struct getmail *g, struct ini_entry *e)
{
	const struct type *type = types;

	while (type->name != NULL && strcmp(type->name, e->value) != 0)
		type++;
	g->account->protocol = type->protocol;
	g->account->refused = type->name == NULL;
	g->clear_text =
	    type->protocol == IMPORT_IMAP || type->protocol == IMPORT_POP3;
	g->multidrop = type->multidrop;
	g->no_uids = type->verdict == IMPORT_CHANGED && !type->multidrop;
	e->used = true;
	tell(g, e, type->verdict, type->text);
}

/* False after telling. */
static bool
number(const struct getmail *g, const struct ini_entry *e, uint64_t *value)
{
	if (import_number(slice_of(e->value), value))
		return true;
	tell(g, e, IMPORT_REFUSED, "expected a number");
	return false;
}

static bool
boolean(const struct getmail *g, const struct ini_entry *e, bool *value)
{
	if (python_boolean(slice_of(e->value), value))
		return true;
	tell(g, e, IMPORT_REFUSED, "expected true or false");
	return false;
}

static void
apply_server(struct getmail *g, struct ini_entry *e)
{
	g->account->host = e->value;
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_user(struct getmail *g, struct ini_entry *e)
{
	g->account->user = e->value;
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_port(struct getmail *g, struct ini_entry *e)
{
	uint64_t port;

	if (!number(g, e, &port))
		return;
	g->account->port = port > UINT16_MAX ? UINT16_MAX + 1 : (unsigned)port;
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_password(struct getmail *g, struct ini_entry *e)
{
	g->account->password = e->value;
	g->account->password_line = e->line;
}

static void
apply_password_command(struct getmail *g, struct ini_entry *e)
{
	struct import_list words = { .n = 0 };
	struct import_list *argv = &g->account->command;

	argv->n = 0;
	if (!python_strings(g->import, slice_of(e->value), &words) ||
	    words.n == 0) {
		tell(g, e, IMPORT_REFUSED, "expected a tuple of strings");
		return;
	}
	if (words.items[0][0] == '/') {
		*argv = words;
		tell(g, e, IMPORT_TAKEN, "");
		return;
	}
	import_add(g->import, argv, "/usr/bin/env");
	for (size_t i = 0; i < words.n; i++)
		import_add(g->import, argv, words.items[i]);
	tell(g, e, IMPORT_CHANGED,
	    "the fetcher's PATH finds it, and it runs as the user mailhaul; a "
	    "program with its absolute path is better");
}

static void
apply_mailboxes(struct getmail *g, struct ini_entry *e)
{
	struct import_list *folders = &g->account->folders;

	if (slice_equal(slice_trim(slice_of(e->value)), SLICE("ALL"))) {
		import_add(g->import, folders, "*");
		tell(g, e, IMPORT_TAKEN, "");
		return;
	}
	if (!python_strings(g->import, slice_of(e->value), folders)) {
		folders->n = 0;
		tell(g, e, IMPORT_REFUSED, "expected a tuple of strings");
		return;
	}
	/* A bare ALL may stand in quotes, too. */
	if (folders->n == 1 && strcmp(folders->items[0], "ALL") == 0)
		folders->items[0] = "*";
	tell(g, e, IMPORT_TAKEN, "");
}

/* NAME[:N], the Nth from the top. */
static void
apply_envelope(struct getmail *g, struct ini_entry *e)
{
	struct slice rest = slice_of(e->value), name;
	uint64_t occurrence = 1;

	if (!slice_cut_until(&rest, ':', &name)) {
		name = rest;
	} else if (!import_number(rest, &occurrence) || occurrence == 0 ||
		   occurrence > 100) {
		tell(g, e, IMPORT_REFUSED, "expected NAME:NUMBER");
		return;
	}
	name = slice_trim(name);
	if (slice_equal_nocase(name, SLICE("Received"))) {
		g->account->from = "[received, headers]";
		tell(g, e, IMPORT_CHANGED,
		    "recipients.from: [received, headers]; which field is "
		    "believed, recipients.trusted_hosts says");
		return;
	}
	import_add(g->import, &g->account->envelope_headers,
	    arena_string(&g->import->arena, name));
	g->account->occurrence = (unsigned)occurrence;
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_old_login(struct getmail *g, struct ini_entry *e)
{
	bool wanted;

	if (!boolean(g, e, &wanted))
		return;
	tell(g, e, wanted ? IMPORT_CHANGED : IMPORT_TAKEN,
	    wanted ? "not spoken; the password goes over TLS" : "");
}

static void
apply_kerberos(struct getmail *g, struct ini_entry *e)
{
	bool wanted;

	if (!boolean(g, e, &wanted))
		return;
	g->account->disabled = g->account->disabled || wanted;
	tell(g, e, wanted ? IMPORT_REFUSED : IMPORT_TAKEN,
	    wanted ? "not spoken; the account is written with enabled: false"
		   : "");
}

static void
apply_xoauth2(struct getmail *g, struct ini_entry *e)
{
	bool wanted;

	if (!boolean(g, e, &wanted))
		return;
	if (wanted) {
		g->account->auth = "xoauth2";
		g->account->token = true;
	}
	tell(g, e, IMPORT_TAKEN, "");
}

/* Booleans that we do, or do not, anyway. */
static void
apply_always(struct getmail *g, struct ini_entry *e)
{
	bool wanted;

	if (boolean(g, e, &wanted))
		tell(g, e, wanted ? IMPORT_TAKEN : IMPORT_CHANGED,
		    wanted ? "" : "it is always so");
}

static void
apply_never(struct getmail *g, struct ini_entry *e)
{
	bool wanted;

	if (boolean(g, e, &wanted))
		tell(g, e, wanted ? IMPORT_DROPPED : IMPORT_TAKEN,
		    wanted ? "it is never so" : "");
}

static void
apply_timeout(struct getmail *g, struct ini_entry *e)
{
	if (!number(g, e, &g->account->timeout_s))
		return;
	if (g->account->timeout_s > 0)
		tell(g, e, IMPORT_TAKEN, "");
	else
		tell(g, e, IMPORT_CHANGED,
		    "there always is one; our default holds");
}

static void
apply_read_all(struct getmail *g, struct ini_entry *e)
{
	bool all;

	if (!boolean(g, e, &all))
		return;
	if (all)
		tell(g, e, IMPORT_CHANGED, "nothing is ever collected twice");
	else
		tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_delete(struct getmail *g, struct ini_entry *e)
{
	bool wanted;

	if (!boolean(g, e, &wanted))
		return;
	if (wanted)
		g->account->keep = "none";
	else if (g->account->keep == NULL)
		g->account->keep = "forever";
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_delete_after(struct getmail *g, struct ini_entry *e)
{
	const struct ini_entry *other = ini_find(&g->ini, "options", "delete");
	uint64_t days;
	bool at_once = false;

	if (!number(g, e, &days))
		return;
	if (other != NULL)
		python_boolean(slice_of(other->value), &at_once);
	if (days > 0 && !at_once)
		g->account->keep = arena_printf(&g->import->arena,
		    "%" PRIu64 "d", days > DAYS_MAX ? DAYS_MAX : days);
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_bigger(struct getmail *g, struct ini_entry *e)
{
	uint64_t size;

	if (number(g, e, &size))
		tell(g, e, size > 0 ? IMPORT_DROPPED : IMPORT_TAKEN,
		    size > 0 ? "keep does not depend on the size" : "");
}

static void
apply_number(struct getmail *g, struct ini_entry *e, uint64_t *field)
{
	if (number(g, e, field))
		tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_message_size(struct getmail *g, struct ini_entry *e)
{
	apply_number(g, e, &g->account->max_message_size);
}

static void
apply_messages(struct getmail *g, struct ini_entry *e)
{
	apply_number(g, e, &g->account->max_messages);
}

static void
apply_bytes(struct getmail *g, struct ini_entry *e)
{
	apply_number(g, e, &g->account->max_bytes);
}

static void
apply_move(struct getmail *g, struct ini_entry *e)
{
	g->account->move_to = e->value;
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_fingerprints(struct getmail *g, struct ini_entry *e)
{
	struct import_list list = { .n = 0 };

	if (python_strings(g->import, slice_of(e->value), &list) && list.n == 1)
		g->account->fingerprint =
		    import_fingerprint(g->import, slice_of(list.items[0]));
	if (g->account->fingerprint != NULL)
		tell(g, e, IMPORT_TAKEN, "");
	else
		tell(g, e, IMPORT_DROPPED,
		    "expected one SHA-256; see tls: {fingerprint_sha256}");
}

static void
apply_cert_hostname(struct getmail *g, struct ini_entry *e)
{
	g->account->server_name = e->value;
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_ca_certs(struct getmail *g, struct ini_entry *e)
{
	g->account->ca_file = import_path(g->import, e->value);
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_certfile(struct getmail *g, struct ini_entry *e)
{
	g->account->client_certificate = import_path(g->import, e->value);
	tell(g, e, IMPORT_TAKEN, "");
}

static void
apply_keyfile(struct getmail *g, struct ini_entry *e)
{
	g->account->client_key = import_path(g->import, e->value);
	tell(g, e, IMPORT_TAKEN, "");
}

#define RETRIEVER(name, function)                                              \
	{                                                                      \
		"retriever", name, function, IMPORT_TAKEN, NULL                \
	}
#define OPTION(name, function)                                                 \
	{                                                                      \
		"options", name, function, IMPORT_TAKEN, NULL                  \
	}
#define SAYS(section, name, verdict, text)                                     \
	{                                                                      \
		section, name, NULL, verdict, text                             \
	}
#define LOGS "see syslog and the journal"
#define BEST "the best that both sides know, TLS 1.2 at least"

static const struct setting settings[] = {
	RETRIEVER("server", apply_server),
	RETRIEVER("port", apply_port),
	RETRIEVER("username", apply_user),
	RETRIEVER("password", apply_password),
	RETRIEVER("password_command", apply_password_command),
	RETRIEVER("mailboxes", apply_mailboxes),
	RETRIEVER("envelope_recipient", apply_envelope),
	RETRIEVER("use_apop", apply_old_login),
	RETRIEVER("use_cram_md5", apply_old_login),
	RETRIEVER("use_kerberos", apply_kerberos),
	RETRIEVER("use_xoauth2", apply_xoauth2),
	RETRIEVER("use_peek", apply_always),
	RETRIEVER("record_mailbox", apply_always),
	RETRIEVER("mark_read", apply_never),
	RETRIEVER("delete_dup_msgids", apply_never),
	RETRIEVER("move_on_delete", apply_move),
	RETRIEVER("timeout", apply_timeout),
	RETRIEVER("keyfile", apply_keyfile),
	RETRIEVER("certfile", apply_certfile),
	RETRIEVER("ca_certs", apply_ca_certs),
	RETRIEVER("ssl_fingerprints", apply_fingerprints),
	RETRIEVER("ssl_cert_hostname", apply_cert_hostname),
	SAYS("retriever", "ssl_ciphers", IMPORT_CHANGED, BEST),
	SAYS("retriever", "ssl_version", IMPORT_CHANGED, BEST),
	SAYS("retriever", "imap_search", IMPORT_DROPPED,
	    "all that is not remembered as collected is collected"),
	SAYS("retriever", "imap_on_delete", IMPORT_DROPPED,
	    "see dispose: delete, {move} or {flag}"),
	SAYS("retriever", "imap_id_extension", IMPORT_CHANGED,
	    "we say who we are where the server wants to know"),
	SAYS("retriever", "uid_cache", IMPORT_CHANGED,
	    "each UID is remembered, not the highest alone"),
	SAYS("retriever", "use_netrc", IMPORT_CHANGED,
	    "the password goes to a file of its own"),
	SAYS("retriever", "netrc_file", IMPORT_CHANGED,
	    "the password goes to a file of its own"),
	OPTION("read_all", apply_read_all),
	OPTION("delete", apply_delete),
	OPTION("delete_after", apply_delete_after),
	OPTION("delete_bigger_than", apply_bigger),
	OPTION("max_message_size", apply_message_size),
	OPTION("max_messages_per_session", apply_messages),
	OPTION("max_bytes_per_session", apply_bytes),
	OPTION("to_oldmail_on_each_mail", apply_always),
	SAYS("options", "only_oldmail_file", IMPORT_TAKEN, ""),
	SAYS("options", "skip_imap_fetch_size", IMPORT_CHANGED,
	    "sizes come with the listing"),
	SAYS("options", "received", IMPORT_CHANGED,
	    "we write a field X-Mailhaul, and no Received"),
	SAYS("options", "delivered_to", IMPORT_CHANGED,
	    "Postfix writes Delivered-To"),
	SAYS("options", "fingerprint", IMPORT_CHANGED, "see mailhaul probe"),
	SAYS("options", "use_netrc", IMPORT_CHANGED,
	    "the password goes to a file of its own"),
	SAYS("options", "netrc_file", IMPORT_CHANGED,
	    "the password goes to a file of its own"),
	SAYS("options", "verbose", IMPORT_CHANGED, LOGS),
	SAYS("options", "message_log", IMPORT_CHANGED, LOGS),
	SAYS("options", "message_log_syslog", IMPORT_CHANGED, LOGS),
	SAYS("options", "message_log_verbose", IMPORT_CHANGED, LOGS),
	SAYS("options", "logfile", IMPORT_CHANGED, LOGS),
};

bool
getmail_apply(struct getmail *g, struct ini_entry *e)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *s = &settings[i];

		if (strcmp(s->section, e->section) != 0 ||
		    strcmp(s->name, e->key) != 0)
			continue;
		if (s->apply != NULL)
			s->apply(g, e);
		else
			tell(g, e, s->verdict, s->text);
		return true;
	}
	return false;
}
