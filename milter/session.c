/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/slice.h"
#include "mail/ticket.h"

void
session_mail(
    struct session *session, const char *sender, struct session_mta mta)
{
	session_clear(session);
	session_queue_id(session, mta.queue_id);
	session->sender = mem_string(sender);
	/* Only cleanup(8), which speaks for sendmail(1), has the queue id at
	 * MAIL and no mailer; smtpd(8) and the Sendmail MTA name one
	 * (measured, Postfix 3.7 and Sendmail 8.17). */
	session->from_sendmail =
	    mta.queue_id != NULL && mta.mail_mailer == NULL &&
	    slice_starts(slice_of(mta.version), SLICE("Postfix"));
}

void
session_queue_id(struct session *session, const char *queue_id)
{
	if (queue_id != NULL)
		log_safe(session->queue_id, sizeof(session->queue_id),
		    slice_of(queue_id));
}

void
session_rcpt(struct session *session, const char *address)
{
	if (session->n_rcpts < SESSION_RCPTS_MAX)
		session->rcpts[session->n_rcpts] = mem_string(address);
	session->n_rcpts++;
}

void
session_want(struct session *session, const struct config *config, bool sized)
{
	session->fields.names = config->rule_fields;
	session->sized = sized;
}

void
session_header(struct session *session, const char *name, const char *value)
{
	if (!slice_equal_nocase(slice_of(name), SLICE(TICKET_FIELD))) {
		/* ": " and the line end */
		session->size += strlen(name) + strlen(value) + 4;
		rule_fields_take(
		    &session->fields, slice_of(name), slice_of(value));
		return;
	}
	/* The fetcher's is on top; below may stand what a sender wrote. */
	if (session->n_tickets++ == 0 && strlen(value) <= TICKET_MAX)
		session->ticket = mem_string(value);
}

void
session_body(struct session *session, size_t len)
{
	session->size += len;
}

void
session_clear(struct session *session)
{
	for (size_t i = 0; i < SESSION_RCPTS_MAX; i++)
		free(session->rcpts[i]);
	rule_fields_clear(&session->fields);
	free(session->ticket);
	free(session->sender);
	*session = (struct session){ 0 };
}
