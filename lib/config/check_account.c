/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of an account must be to each other. */
#include "config/check.h"

#include "config/providers.h"

#include <string.h>

static void
check_host(struct load *load, const struct account *a, const struct node *node)
{
	if (a->host != NULL || node_child(node, "host") != NULL)
		return;
	if (a->provider == NULL && node_child(node, "provider") != NULL)
		return;
	if (a->provider == NULL)
		finding_missing(load->findings, node, "host",
		    "missing: The provider's server.");
	else
		finding_missing(load->findings, node, "host",
		    "missing: %s is reached through a program of its own: "
		    "protocol: imap, host: 127.0.0.1, port: %u",
		    a->provider->title, (unsigned)a->provider->bridge_port);
}

static void
check_provider(
    struct load *load, const struct account *a, const struct node *node)
{
	const struct node *place = check_node_of(node, &a->provider);
	const struct provider *p = a->provider;
	char least[32];

	if (p->remedy != NULL && a->mailbox == MAILBOX_CATCH_ALL &&
	    a->recipients.envelope_headers == NULL)
		finding_warning(load->findings, place,
		    "%s records nowhere whom a message is for: To and Cc are "
		    "all there is, so mail by Bcc and from lists goes to the "
		    "fallback; %s",
		    p->title, p->remedy);
	if (!account_is_imap(a) && a->every_ms > 0 &&
	    a->every_ms < p->pop3_every_ms)
		finding_warning(load->findings,
		    check_node_of(node, &a->every_ms),
		    "%s lets nobody ask more often by POP3; set every: %s",
		    p->title, duration_write(p->pop3_every_ms, least));
}

static void
check_login(struct load *load, const struct account *a, const struct node *node)
{
	struct findings *f = load->findings;
	bool password = a->password.kind != SECRET_NONE;
	bool token = a->token.kind != SECRET_NONE;
	bool for_token = a->auth == AUTH_XOAUTH2 || a->auth == AUTH_OAUTHBEARER;

	if (password && token)
		finding_error(f, check_node_of(node, &a->token),
		    "a password and a token: it must be one of them");
	else if (token && a->auth != AUTH_AUTO && !for_token)
		finding_error(f, check_node_of(node, &a->auth),
		    "a token is for auth: xoauth2 or oauthbearer");
	else if (password && for_token)
		finding_error(f, check_node_of(node, &a->auth),
		    "needs a token instead of a password");
	else if (a->auth == AUTH_EXTERNAL && a->tls.client_certificate == NULL)
		finding_error(f, check_node_of(node, &a->auth),
		    "needs tls.client_certificate");
	else if (a->auth != AUTH_EXTERNAL &&
		 node_child(node, "password") == NULL &&
		 node_child(node, "token") == NULL)
		finding_missing(f, node, "password",
		    "missing: Where the password is, never the password "
		    "itself: {file: PATH}, {credential: NAME} or {command: "
		    "[...]}; or a token.");
	if (a->tls.client_key != NULL && a->tls.client_certificate == NULL)
		finding_error(f, check_node_of(node, &a->tls.client_key),
		    "a key without tls.client_certificate");
}

/* RFC 9051 9: flag; and not \Deleted, which is not to stay. */
static bool
is_flag(struct slice text)
{
	static const char *const system_flags[] = { "\\Seen", "\\Answered",
		"\\Flagged", "\\Draft" };

	for (size_t i = 0; i < sizeof(system_flags) / sizeof(*system_flags);
	     i++)
		if (slice_equal_nocase(text, slice_of(system_flags[i])))
			return true;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f ||
		    slice_find(SLICE("(){%*\"\\]"), text.data[i]) < 8)
			return false;
	return text.len > 0;
}

static bool
is_same_folder(const char *a, const char *b)
{
	return strcmp(a, b) == 0 ||
	       (strcasecmp(a, "INBOX") == 0 && strcasecmp(b, "INBOX") == 0);
}

static void
check_dispose(
    struct load *load, const struct account *a, const struct node *parent)
{
	struct findings *f = load->findings;
	const struct node *node = check_node_of(parent, &a->dispose);
	const char *const *folder = a->folders;

	if (a->dispose.kind == DISPOSE_FLAG &&
	    !is_flag(slice_of(a->dispose.text)))
		finding_error(f, node,
		    "\"%s\" is no keyword: graphic ASCII without ( ) { %% * "
		    "\" \\ and ], or one of \\Seen, \\Answered, \\Flagged and "
		    "\\Draft",
		    a->dispose.text);
	if (a->dispose.kind != DISPOSE_DELETE && node != parent &&
	    a->keep == KEEP_FOREVER && !load->keep_for_all)
		finding_warning(f, node,
		    "not used: with keep: forever nothing is done to mail at "
		    "the provider");
	for (; a->dispose.kind == DISPOSE_MOVE && *folder != NULL; folder++)
		if (is_same_folder(*folder, a->dispose.text))
			finding_error(f, node,
			    "mail is collected from the folder %s, and cannot "
			    "be moved there as well",
			    *folder);
}

/* What another setting makes meaningless. */
static void
check_unused(
    struct findings *f, const struct account *a, const struct node *node)
{
	const bool pop3 = !account_is_imap(a);
	const bool single = a->mailbox == MAILBOX_SINGLE;
	const struct {
		bool unused;
		const void *setting;
		const char *why;
	} settings[] = {
		{ pop3, &a->folders, "POP3 has no folders" },
		{ pop3, &a->exclude_folders, "POP3 has no folders" },
		{ pop3 && a->full_expunge, &a->full_expunge,
		    "POP3 deletes what was collected, and nothing else" },
		{ pop3 && a->idle, &a->idle,
		    "POP3 has no IDLE; every is for it" },
		{ pop3, &a->idle_renew_ms,
		    "POP3 has no IDLE; every is for it" },
		{ single, &a->unknown_recipients,
		    "all mail of a single mailbox is for deliver_to" },
		{ single, &a->recipients.tiers,
		    "all mail of a single mailbox is for deliver_to" },
		{ a->tls.pinned, &a->tls.ca_file,
		    "with fingerprint_sha256 no authority is asked" },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct node *at =
		    check_node_of(node, settings[i].setting);

		/* A mapping lies where the first of its settings does. */
		if (!settings[i].unused || at == node ||
		    at->kind == NODE_MAPPING)
			continue;
		/* The first of a list lies where the list does. */
		if (at->parent->kind == NODE_LIST)
			at = at->parent;
		finding_warning(f, at, "not used: %s", settings[i].why);
	}
}

/* A server that waits for TLS while we wait for its greeting says nothing. */
static void
check_port(struct findings *f, const struct account *a, const struct node *node)
{
	static const char *const names[] = {
		[PROTOCOL_POP3] = "pop3",
		[PROTOCOL_POP3S] = "pop3s",
		[PROTOCOL_IMAP] = "imap",
		[PROTOCOL_IMAPS] = "imaps",
	};

	for (enum account_protocol p = PROTOCOL_POP3; p <= PROTOCOL_IMAPS; p++)
		if (p != a->protocol && a->port == schema_port(p))
			finding_warning(f, check_node_of(node, &a->port),
			    "%u is the usual port of %s, not of %s",
			    (unsigned)a->port, names[p], names[a->protocol]);
}

/* What only one of the protocols has. */
static void
check_protocol(
    struct load *load, const struct account *a, const struct node *node)
{
	struct findings *f = load->findings;
	bool imap = account_is_imap(a);

	check_port(f, a, node);
	if (a->tls.mode == TLS_NEVER && a->protocol == PROTOCOL_POP3S)
		finding_error(f, check_node_of(node, &a->tls.mode),
		    "pop3s is always encrypted; clear text needs protocol: "
		    "pop3");
	if (a->tls.mode == TLS_NEVER && a->protocol == PROTOCOL_IMAPS)
		finding_error(f, check_node_of(node, &a->tls.mode),
		    "imaps is always encrypted; clear text needs protocol: "
		    "imap");
	if (!imap && a->dispose.kind != DISPOSE_DELETE)
		finding_error(f, check_node_of(node, &a->dispose),
		    "POP3 can only delete; move and flag need imap or imaps");
	if (imap)
		check_dispose(load, a, node);
}

void
check_account(
    struct load *load, const struct account *a, const struct node *node)
{
	struct findings *f = load->findings;
	bool single = a->mailbox == MAILBOX_SINGLE;
	bool delivered = check_node_of(node, &a->deliver_to) != node;

	check_host(load, a, node);
	if (a->provider != NULL)
		check_provider(load, a, node);
	check_login(load, a, node);
	check_protocol(load, a, node);
	check_unused(f, a, node);
	if (single && address_is_null(&a->deliver_to))
		finding_error(f, check_node_of(node, &a->mailbox),
		    "a single mailbox needs deliver_to: whose mail it is");
	if (!single && delivered)
		finding_error(f, check_node_of(node, &a->deliver_to),
		    "deliver_to is for mailbox: single; this one is "
		    "catch_all");
	check_recipients(load, a, node);
}
