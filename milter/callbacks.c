/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/callbacks.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "directory/inquiry.h"
#include "milter/session.h"
#include "milter/smtp_mail.h"
#include "milter/verdict.h"
#include "state/ticket_key.h"

#define ACTIONS                                                                \
	(SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT | SMFIF_CHGHDRS |   \
	    SMFIF_ADDHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST)
#define STEPS                                                                  \
	(SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOBODY |        \
	    SMFIP_NOUNKNOWN | SMFIP_NR_HDR | SMFIP_NR_BODY)

enum { CLIENT_SIZE = 256 + INET6_ADDRSTRLEN + 3, LOG_LINE_MAX = 4096 };

struct connection {
	sfsistat after_header;    /* what the MTA awaits after each field */
	sfsistat after_body;      /* … and after each part of the body */
	bool sized;               /* the MTA tells the body */
	char client[CLIENT_SIZE]; /* "host[ip]", for the log */

	/* Of the message under way. */
	struct snapshot *snapshot; /* NULL: none is */
	struct session session;
	struct smtp_mail smtp;
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
		connection->after_body = SMFIS_CONTINUE;
		snprintf(connection->client, sizeof(connection->client),
		    "unknown[unknown]");
		smfi_setpriv(ctx, connection);
	}
	return connection;
}

static void
end_message(struct connection *connection)
{
	session_clear(&connection->session);
	smtp_mail_clear(&connection->smtp);
	if (connection->snapshot != NULL)
		service_leave(the_service, connection->snapshot);
	connection->snapshot = NULL;
}

/* The macros are asked for by name, so that milter_*_macros in main.cf cannot
 * take away what tells sendmail(1) mail from SMTP mail. */
static void
ask_for_macros(SMFICTX *ctx)
{
	char mail[] = "i v {mail_mailer}", id[] = "i";

	smfi_setsymlist(ctx, SMFIM_ENVFROM, mail);
	smfi_setsymlist(ctx, SMFIM_ENVRCPT, id);
	smfi_setsymlist(ctx, SMFIM_EOM, id);
}

/* Of the steps that are left out: only a refused recipient is logged with its
 * client, only some rules ask for the size. */
static unsigned long
unwanted_steps(void)
{
	struct snapshot *snapshot = service_enter(the_service);
	unsigned long steps = STEPS;

	if (snapshot->config->milter.smtp != MILTER_SMTP_OFF)
		steps &= ~(unsigned long)SMFIP_NOCONNECT;
	if (snapshot->config->rule_size)
		steps &= ~(unsigned long)SMFIP_NOBODY;
	service_leave(the_service, snapshot);
	return steps;
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
	*steps = offered_steps & unwanted_steps();
	connection_of(ctx)->sized = (*steps & SMFIP_NOBODY) == 0;
	if ((*steps & SMFIP_NR_BODY) != 0)
		connection_of(ctx)->after_body = SMFIS_NOREPLY;
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
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	struct connection *connection = connection_of(ctx);
	char text[INET6_ADDRSTRLEN] = "unknown";
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (address != NULL && address->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
	else if (address != NULL && address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
	/* A host without a name comes as "[192.0.2.1]". */
	snprintf(connection->client, sizeof(connection->client), "%.255s[%s]",
	    host[0] == '[' ? "unknown" : host, text);
	return SMFIS_CONTINUE;
}

static sfsistat
on_mail(SMFICTX *ctx, char **arguments)
{
	struct connection *connection = connection_of(ctx);

	end_message(connection);
	connection->snapshot = service_enter(the_service);
	session_mail(&connection->session, arguments[0],
	    (struct session_mta){ .version = macro(ctx, "v"),
		.queue_id = macro(ctx, "i"),
		.mail_mailer = macro(ctx, "{mail_mailer}") });
	session_want(&connection->session, connection->snapshot->config,
	    connection->sized);
	return SMFIS_CONTINUE;
}

/* As Postfix writes its own. */
static void
report_refusal(const struct connection *connection, const char *rcpt,
    const struct smtp_mail_reply *reply)
{
	const struct session *session = &connection->session;
	const char *id = session->queue_id;

	log_info(
	    "%s: reject: RCPT from %s: %s %s %s; from=%s to=%s reason=\"%s\"",
	    id[0] == '\0' ? "NOQUEUE" : id, connection->client, reply->code,
	    reply->extended, reply->text, session->sender, rcpt, reply->reason);
}

/* The one place where anything is refused for good: a recipient of ordinary
 * mail, while the client waits for the answer.  Never in mail by sendmail(1):
 * Postfix would try that again without end (measured, 3.7). */
static sfsistat
refuse_rcpt(SMFICTX *ctx, const struct smtp_mail_reply *reply)
{
	char code[4], extended[8], text[sizeof(reply->text)];

	snprintf(code, sizeof(code), "%s", reply->code);
	snprintf(extended, sizeof(extended), "%s", reply->extended);
	memcpy(text, reply->text, sizeof(text));
	smfi_setreply(ctx, code, extended, text);
	return reply->answer == SMTP_MAIL_REFUSED ? SMFIS_REJECT
						  : SMFIS_TEMPFAIL;
}

static sfsistat
judge_rcpt(SMFICTX *ctx, struct connection *connection, char **arguments)
{
	struct inquiry inquiry;
	struct smtp_mail_reply reply;

	inquiry_begin(&inquiry, connection->snapshot->directory,
	    clock_monotonic_ms() + INQUIRY_RCPT_MS);
	smtp_mail_rcpt(&connection->smtp,
	    &(struct smtp_mail_question){
		.config = connection->snapshot->config,
		.prepare = inquiry_prepare,
		.lookup = inquiry_lookup,
		.context = &inquiry,
		.arguments = (const char *const *)arguments },
	    &reply);
	inquiry_end(&inquiry);
	if (reply.answer == SMTP_MAIL_TAKEN)
		return SMFIS_CONTINUE;
	/* Postfix has it only from the second recipient on. */
	session_queue_id(&connection->session, macro(ctx, "i"));
	report_refusal(connection, arguments[0], &reply);
	return refuse_rcpt(ctx, &reply);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **arguments)
{
	struct connection *connection = connection_of(ctx);

	session_rcpt(&connection->session, arguments[0]);
	if (connection->session.from_sendmail ||
	    connection->snapshot->config->milter.smtp == MILTER_SMTP_OFF)
		return SMFIS_CONTINUE;
	return judge_rcpt(ctx, connection, arguments);
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
	struct connection *connection = connection_of(ctx);

	if (connection->session.n_tickets > 0 ||
	    connection->smtp.n_replaced > 0)
		return SMFIS_CONTINUE;
	/* Mail that is none of ours costs nothing more. */
	end_message(connection);
	return SMFIS_ACCEPT;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *piece, size_t len)
{
	struct connection *connection = connection_of(ctx);

	(void)piece;
	session_body(&connection->session, len);
	return connection->after_body;
}

static const char refuses_delete[] = "the MTA does not delete a recipient",
		  refuses_add[] = "the MTA takes no additional recipient";

/* What rules ask for besides recipients; NULL: done. */
static const char *
obey_rules(SMFICTX *ctx, const struct verdict *verdict)
{
	char name[128], value[1024], reason[RULE_LABEL_SIZE + 32];

	for (size_t i = 0; i < verdict->n_headers; i++) {
		/* libmilter takes them without const */
		snprintf(name, sizeof(name), "%s", verdict->headers[i]->name);
		snprintf(
		    value, sizeof(value), "%s", verdict->headers[i]->value);
		if (smfi_addheader(ctx, name, value) != MI_SUCCESS)
			return "the MTA adds no header field";
	}
	if (verdict->hold[0] == '\0')
		return NULL;
	snprintf(reason, sizeof(reason), "Mailhaul's rule %s", verdict->hold);
	return smfi_quarantine(ctx, reason) == MI_SUCCESS
		   ? NULL
		   : "the MTA holds no message";
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
		return refuses_delete;
	for (size_t i = 0; i < verdict->n_add; i++)
		if (smfi_addrcpt_par(ctx, verdict->add[i], never) != MI_SUCCESS)
			return refuses_add;
	/* From the last up: the numbers of those above stay right. */
	for (unsigned i = session->n_tickets; i > 0; i--)
		if (smfi_chgheader(ctx, field, (int)i, NULL) != MI_SUCCESS)
			return "the MTA does not remove the ticket";
	return obey_rules(ctx, verdict);
}

/* As edit(), of ordinary mail. */
static const char *
replace_rcpts(SMFICTX *ctx, const struct smtp_mail *mail)
{
	struct smtp_mail_edits edits;
	const char *failed = NULL;

	smtp_mail_edit(mail, &edits);
	for (size_t i = 0; failed == NULL && i < edits.n_remove; i++)
		if (smfi_delrcpt(ctx, edits.remove[i]) != MI_SUCCESS)
			failed = refuses_delete;
	for (size_t i = 0; failed == NULL && i < edits.n_add; i++)
		if (smfi_addrcpt_par(ctx, edits.add[i].address,
			edits.add[i].parameters) != MI_SUCCESS)
			failed = refuses_add;
	smtp_mail_edits_clear(&edits);
	return failed;
}

static void
judge(const struct connection *connection, struct verdict *verdict)
{
	const struct snapshot *snapshot = connection->snapshot;
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
	verdict_make(
	    &(struct verdict_question){ .session = &connection->session,
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
}

static void
report(const struct session *session, const struct verdict *verdict)
{
	struct buf line;

	buf_init(&line, LOG_LINE_MAX);
	verdict_write(verdict, session, &line);
	log_info("%s", buf_string(&line));
	if (verdict->key_missing)
		log_error("%s: %s", session->queue_id, verdict->reason);
	else if (verdict->status == VERDICT_PASSED)
		log_warning("%s: %s", session->queue_id, verdict->reason);
	buf_clear(&line);
}

static sfsistat
defer_message(SMFICTX *ctx)
{
	char code[] = "451", extended[] = "4.3.0";
	char text[] = "The recipients cannot be told now, try again later";

	smfi_setreply(ctx, code, extended, text);
	return SMFIS_TEMPFAIL;
}

/* What the ticket says, and whether that leaves ordinary mail. */
static enum verdict_status
obey_ticket(SMFICTX *ctx, const struct connection *connection)
{
	const struct session *session = &connection->session;
	struct verdict verdict;
	enum verdict_status status;
	const char *failed = NULL;

	judge(connection, &verdict);
	if (verdict.status != VERDICT_DEFERRED)
		failed = edit(ctx, session, &verdict);
	if (failed != NULL)
		verdict_defer(&verdict, failed);
	service_count(the_service, verdict.status);
	report(session, &verdict);
	status = verdict.status;
	verdict_clear(&verdict);
	return status;
}

static bool
obey_catch_all(SMFICTX *ctx, const struct connection *connection)
{
	const struct session *session = &connection->session;
	const char *failed = replace_rcpts(ctx, &connection->smtp);
	struct buf line;

	buf_init(&line, LOG_LINE_MAX);
	smtp_mail_write(&connection->smtp, &line);
	log_info("%s: catch_all: %s; from=%s%s%s", session->queue_id,
	    buf_string(&line), session->sender,
	    failed != NULL ? " status=deferred: " : "",
	    failed != NULL ? failed : "");
	buf_clear(&line);
	return failed == NULL;
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
	struct connection *connection = connection_of(ctx);
	enum verdict_status status = VERDICT_PASSED;

	session_queue_id(&connection->session, macro(ctx, "i"));
	/* None, to an MTA that sends no end of header. */
	if (connection->session.n_tickets > 0)
		status = obey_ticket(ctx, connection);
	if (status == VERDICT_PASSED && connection->smtp.n_replaced > 0 &&
	    !obey_catch_all(ctx, connection))
		status = VERDICT_DEFERRED;
	end_message(connection);
	return status == VERDICT_DEFERRED ? defer_message(ctx) : SMFIS_CONTINUE;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	end_message(connection_of(ctx));
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct connection *connection = smfi_getpriv(ctx);

	if (connection == NULL)
		return SMFIS_CONTINUE;
	end_message(connection);
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
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
	};

	the_service = service;
	/* libmilter copies the description and the name. */
	return smfi_register(description) == MI_SUCCESS;
}
