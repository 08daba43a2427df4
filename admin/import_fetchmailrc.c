/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_fetchmailrc - accounts out of the servers and users of a .fetchmailrc.
 */
#include "admin/import_fetchmailrc_names.h"
#include "admin/import_fetchmailrc_options.h"

#include "mail/domain.h"

#include <string.h>

/* A server that stands for one account names it; else the user's name comes
 * after it, or stands alone if it tells the domain. */
static const char *
wished_name(
    struct import *import, const struct rc_server *server, const char *user)
{
	if ((server->n_users <= 1 && !server->repeated) || user == NULL)
		return server->name;
	if (strchr(user, '@') != NULL)
		return user;
	return arena_printf(&import->arena, "%s-%s", server->name, user);
}

static void
apply_all(struct rc_target *t, const struct rc_options *options, bool shared)
{
	t->shared = shared;
	for (struct rc_option *o = options->first; o != NULL; o = o->next)
		rc_apply(t, o);
}

static void
finish_protocol(struct rc_target *t)
{
	struct import_account *a = t->account;
	bool pop3 = t->pop3 || (!t->imap && (a->port == 110 || a->port == 995));

	a->protocol = pop3     ? t->ssl ? IMPORT_POP3S : IMPORT_POP3
		      : t->ssl ? IMPORT_IMAPS
			       : IMPORT_IMAP;
	if (t->ssl)
		a->clear_text = false;
	else if (!t->sslproto)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: without ssl fetchmail encrypts if the server "
		    "can; here it must, by %s",
		    a->name, pop3 ? "STLS" : "STARTTLS");
	if (!t->imap && !t->pop3)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: no protocol is given; %s is written, mailhaul "
		    "probe says what the server speaks",
		    a->name, import_protocol_name(a->protocol));
	if (!pop3 && !a->refused)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: fetchmail keeps no UIDs of IMAP and goes by "
		    "\\Seen; run mailhaul seen baseline %s before the first "
		    "fetch, or all that is there is collected",
		    a->name, a->name);
}

static void
finish_schedule(struct rc_target *t)
{
	t->account->every_s = t->daemon_s * (t->interval > 0 ? t->interval : 1);
}

/* Those of the aliases that are not the admin's own domains. */
static void
finish_trusted_hosts(struct rc_target *t)
{
	char name[DOMAIN_SIZE];

	for (size_t i = 0; i < t->aka.n; i++) {
		bool own = !domain_normalise(slice_of(t->aka.items[i]), name);

		for (size_t k = 0; k < t->import->domains.n && !own; k++)
			own = slice_ends_nocase(slice_of(name),
			    slice_of(t->import->domains.items[k]));
		if (!own)
			import_add_once(t->import, &t->account->trusted_hosts,
			    arena_string(&t->import->arena, slice_of(name)));
	}
}

static void
keep_names(struct rc_target *t)
{
	struct rc_names *names = arena_new(&t->import->arena, sizeof(*names));

	*names = (struct rc_names){ .account = t->account,
		.line = t->names_line,
		.remotes = t->remotes,
		.locals = t->locals,
		.star = t->star,
		.local_domains = t->local_domains.n > 0 };
	*t->rc->names_end = names;
	t->rc->names_end = &names->next;
}

static void
finish_recipients(struct rc_target *t)
{
	struct import_account *a = t->account;

	if (t->star || (t->remotes.n > 1 && t->smtp_name == NULL)) {
		keep_names(t);
		finish_trusted_hosts(t);
		return;
	}
	a->from = NULL;
	a->envelope_headers.n = 0;
	a->occurrence = 0;
	a->strip_prefix = NULL;
	if (t->smtp_name != NULL || t->remotes.n == 1) {
		a->deliver_to =
		    t->smtp_name != NULL ? t->smtp_name : t->locals.items[0];
		import_accept_domain_of(t->import, a->deliver_to);
		return;
	}
	a->deliver_to =
	    t->import->owner == NULL ? "postmaster" : t->import->owner;
	import_say_of(a, a->line, IMPORT_CHANGED,
	    "account %s: no local name; %s gets the mail, as whoever runs "
	    "fetchmail",
	    a->name, a->deliver_to);
}

static void
finish(struct rc_target *t)
{
	struct import_account *a = t->account;

	a->user = t->user;
	a->host = t->via != NULL ? t->via : t->server->name;
	a->state_host = t->server->name;
	a->state_user = t->user;
	if (a->refused)
		return;
	finish_protocol(t);
	finish_schedule(t);
	finish_recipients(t);
	if (a->user == NULL && t->import->owner != NULL) {
		a->user = a->state_user = t->import->owner;
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: no user; the login is %s, who runs fetchmail",
		    a->name, a->user);
	}
}

/* `user` is NULL for a server without any: the one who runs fetchmail. */
static void
make_account(struct import *import, struct rc *rc,
    const struct rc_server *defaults, const struct rc_server *server,
    const struct rc_user *user)
{
	struct rc_target t = { .import = import,
		.rc = rc,
		.server = server,
		.user = user == NULL ? NULL : user->name,
		.daemon_s = rc->daemon_s };
	size_t line = user == NULL ? server->line : user->line;
	const struct rc_user *u;

	t.account = import_add_account(
	    import, wished_name(import, server, t.user), line);
	if (t.account == NULL)
		return;
	t.account->disabled = server->skip;
	if (defaults != NULL) {
		t.in_defaults = true;
		apply_all(&t, &defaults->options, true);
		for (u = defaults->users; u != NULL; u = u->next) {
			apply_all(&t, &u->options, true);
			t.user = t.user == NULL ? u->name : t.user;
		}
		t.in_defaults = false;
	}
	apply_all(&t, &server->options, server->n_users > 1);
	if (user != NULL)
		apply_all(&t, &user->options, false);
	finish(&t);
	import_say_of(t.account, line, IMPORT_TAKEN,
	    "account %s: user %s at %s%s", t.account->name,
	    t.account->user == NULL ? "(none)" : t.account->user,
	    t.account->host, server->skip ? ", enabled: false" : "");
}

static void
make_accounts(struct import *import, struct rc *rc,
    const struct rc_server *defaults, const struct rc_server *server)
{
	if (server->users == NULL)
		make_account(import, rc, defaults, server, NULL);
	for (const struct rc_user *u = server->users; u != NULL; u = u->next)
		make_account(import, rc, defaults, server, u);
}

/* Options that no account ever saw. */
static void
report_unused(struct import *import, const struct rc_options *options)
{
	for (struct rc_option *o = options->first; o != NULL; o = o->next)
		if (!o->applied)
			import_say(import, o->line, IMPORT_DROPPED,
			    "%s: no account follows", o->keyword->name);
}

/* The same server may be polled more than once. */
static void
mark_repeated(struct rc_server *servers)
{
	size_t n = 0, k;

	for (struct rc_server *s = servers;
	     s != NULL && n < IMPORT_ACCOUNTS_MAX; s = s->next, n++) {
		k = n + 1;
		for (struct rc_server *o = s->next;
		     o != NULL && k < IMPORT_ACCOUNTS_MAX; o = o->next, k++)
			if (s->name != NULL && o->name != NULL &&
			    strcmp(s->name, o->name) == 0)
				s->repeated = o->repeated = true;
	}
}

void
import_fetchmailrc(struct import *import, struct slice source)
{
	const struct rc_server *defaults = NULL;
	struct rc rc;

	rc_parse(import, source, &rc);
	rc_apply_globals(import, &rc.globals, &rc.daemon_s);
	mark_repeated(rc.servers);
	for (struct rc_server *s = rc.servers; s != NULL; s = s->next) {
		if (s->name != NULL) {
			make_accounts(import, &rc, defaults, s);
			continue;
		}
		defaults = s;
		import_say(
		    import, s->line, IMPORT_TAKEN, "defaults of what follows");
	}
	rc_finish_names(import, rc.names);
	for (struct rc_server *s = rc.servers; s != NULL; s = s->next)
		if (s->name == NULL) {
			report_unused(import, &s->options);
			for (struct rc_user *u = s->users; u != NULL;
			     u = u->next)
				report_unused(import, &u->options);
		}
}
