/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/callbacks.h"

#include <libmilter/mfapi.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "directory/inquiry.h"
#include "milter/session.h"
#include "milter/verdict.h"
#include "state/ticket_key.h"

#define ACTIONS                                                                \
	(SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT | SMFIF_CHGHDRS |   \
	    SMFIF_SETSYMLIST)
#define STEPS                                                                  \
	(SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOBODY |        \
	    SMFIP_NOUNKNOWN | SMFIP_NR_HDR)

struct connection {
	sfsistat after_header; /* what the MTA awaits after each field */
	struct session session;
};

/* Set once, before libmilter starts a thread. */
static struct service *the_service;

/* Made by the first event of a connection. */
static struct connection *
connection_of(SMFICTX *ctx)
{
	struct connection *connection = smfi_getpriv(ctx);

	if (connection == NULL) {
		connection = mem_new(sizeof(*connection));
		connection->after_header = SMFIS_CONTINUE;
		smfi_setpriv(ctx, connection);
	}
	return connection;
}

/* The macros are asked for by name, so that milter_*_macros in main.cf cannot
 * take away what tells sendmail(1) mail from SMTP mail. */
static void
ask_for_macros(SMFICTX *ctx)
{
	char mail[] = "i v {mail_mailer}", end[] = "i";

	smfi_setsymlist(ctx, SMFIM_ENVFROM, mail);
	smfi_setsymlist(ctx, SMFIM_EOM, end);
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions,
    unsigned long offered_steps, unsigned long unused_in_1,
    unsigned long unused_in_2, unsigned long *actions, unsigned long *steps,
    unsigned long *unused_out_1, unsigned long *unused_out_2)
{
	(void)unused_in_1;
	(void)unused_in_2;
	*unused_out_1 = *unused_out_2 = 0;
	*actions = offered_actions & ACTIONS;
	*steps = offered_steps & STEPS;
	if ((*steps & SMFIP_NR_HDR) != 0)
		connection_of(ctx)->after_header = SMFIS_NOREPLY;
	if ((*actions & SMFIF_SETSYMLIST) != 0)
		ask_for_macros(ctx);
	return SMFIS_CONTINUE;
}

static char *
macro(SMFICTX *ctx, const char *name)
{
	char symbol[32];

	/* libmilter takes it without const */
	memcpy(symbol, name, strlen(name) + 1);
	return smfi_getsymval(ctx, symbol);
}

static sfsistat
on_mail(SMFICTX *ctx, char **arguments)
{
	(void)arguments;
	session_mail(&connection_of(ctx)->session,
	    (struct session_mta){ .version = macro(ctx, "v"),
		.queue_id = macro(ctx, "i"),
		.mail_mailer = macro(ctx, "{mail_mailer}") });
	return SMFIS_CONTINUE;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **arguments)
{
	session_rcpt(&connection_of(ctx)->session, arguments[0]);
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct connection *connection = connection_of(ctx);

	session_header(&connection->session, name, value);
	return connection->after_header;
}

static sfsistat
on_end_of_header(SMFICTX *ctx)
{
	/* Mail that is none of ours costs nothing more. */
	return connection_of(ctx)->session.n_tickets == 0 ? SMFIS_ACCEPT
							  : SMFIS_CONTINUE;
}

/* NULL: done; else what was refused.  A message that is then deferred keeps
 * none of the edits (measured).  The delete comes first: canonical_maps may turn
 * a recipient that is added into the fallback, and a delete after it would take
 * the mail from everybody (measured, Postfix 3.7). */
static const char *
edit(SMFICTX *ctx, const struct session *session, const struct verdict *verdict)
{
	char field[] = TICKET_FIELD, never[] = "NOTIFY=NEVER";

	if (verdict->remove != NULL &&
	    smfi_delrcpt(ctx, verdict->remove) != MI_SUCCESS)
		return "the MTA does not delete a recipient";
	for (size_t i = 0; i < verdict->n_add; i++)
		if (smfi_addrcpt_par(ctx, verdict->add[i], never) != MI_SUCCESS)
			return "the MTA takes no additional recipient";
	/* From the last up: the numbers of those above stay right. */
	for (unsigned i = session->n_tickets; i > 0; i--)
		if (smfi_chgheader(ctx, field, (int)i, NULL) != MI_SUCCESS)
			return "the MTA does not remove the ticket";
	return NULL;
}

static void
judge(const struct session *session, struct verdict *verdict)
{
	struct snapshot *snapshot = service_enter(the_service);
	struct inquiry inquiry;
	struct ticket_keys keys;
	struct error err;
	bool loaded;

	/* Read anew for each message, so that a new key counts at once. */
	loaded = ticket_keys_load(snapshot->config->state_dir, &keys, &err);
	if (!loaded)
		keys.n = 0;
	inquiry_begin(
	    &inquiry, snapshot->directory, clock_monotonic_ms() + INQUIRY_MS);
	verdict_make(&(struct verdict_question){ .session = session,
			 .config = snapshot->config,
			 .keys = &keys,
			 .prepare = inquiry_prepare,
			 .lookup = inquiry_lookup,
			 .context = &inquiry },
	    verdict);
	if (!loaded && verdict->key_missing)
		verdict_defer(verdict, err.text);
	explicit_bzero(&keys, sizeof(keys));
	inquiry_end(&inquiry);
	service_leave(the_service, snapshot);
}

static void
report(const struct session *session, const struct verdict *verdict)
{
	struct buf line;

	buf_init(&line, 4096);
	verdict_write(verdict, session, &line);
	log_info("%s", buf_string(&line));
	if (verdict->key_missing)
		log_error("%s: %s", session->queue_id, verdict->reason);
	else if (verdict->status == VERDICT_PASSED)
		log_warning("%s: %s", session->queue_id, verdict->reason);
	buf_clear(&line);
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
	char code[] = "451", extended[] = "4.3.0";
	char text[] = "The recipients cannot be told now, try again later";
	struct session *session = &connection_of(ctx)->session;
	struct verdict verdict;
	const char *failed = NULL;
	sfsistat answer = SMFIS_CONTINUE;

	/* To an MTA that sends no end of header. */
	if (session->n_tickets == 0)
		return SMFIS_ACCEPT;
	session_queue_id(session, macro(ctx, "i"));
	judge(session, &verdict);
	if (verdict.status != VERDICT_DEFERRED)
		failed = edit(ctx, session, &verdict);
	if (failed != NULL)
		verdict_defer(&verdict, failed);
	service_count(the_service, verdict.status);
	report(session, &verdict);
	if (verdict.status == VERDICT_DEFERRED) {
		smfi_setreply(ctx, code, extended, text);
		answer = SMFIS_TEMPFAIL;
	}
	verdict_clear(&verdict);
	session_clear(session);
	return answer;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	session_clear(&connection_of(ctx)->session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct connection *connection = smfi_getpriv(ctx);

	if (connection == NULL)
		return SMFIS_CONTINUE;
	session_clear(&connection->session);
	free(connection);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

bool
callbacks_register(struct service *service)
{
	char name[] = "mailhaul-milter";
	struct smfiDesc description = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS,
		.xxfi_negotiate = on_negotiate,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_header,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
	};

	the_service = service;
	/* libmilter copies the description and the name. */
	return smfi_register(description) == MI_SUCCESS;
}
