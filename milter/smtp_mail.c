/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/smtp_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "mail/address_set.h"

/* NOTIFY and ORCPT (RFC 3461) are what Postfix takes with an addition. */
static bool
may_be_carried(struct slice parameter)
{
	if (!slice_starts_nocase(parameter, SLICE("NOTIFY=")) &&
	    !slice_starts_nocase(parameter, SLICE("ORCPT=")))
		return false;
	for (size_t i = 0; i < parameter.len; i++)
		if (parameter.data[i] <= ' ' || parameter.data[i] > '~')
			return false;
	return true;
}

static char *
carried_parameters(const char *const *parameters)
{
	struct buf all;
	char *text;

	buf_init(&all, SMTP_MAIL_PARAMETERS_MAX);
	for (; *parameters != NULL; parameters++)
		if (may_be_carried(slice_of(*parameters)))
			buf_printf(
			    &all, "%s%s", all.len > 0 ? " " : "", *parameters);
	text = mem_string(buf_overflowed(&all) ? "" : buf_string(&all));
	buf_clear(&all);
	return text;
}

static void
keep(struct smtp_mail *mail, const struct smtp_mail_question *q,
    const struct address *to)
{
	mail->rcpts =
	    mem_resize(mail->rcpts, mail->n + 1, sizeof(*mail->rcpts));
	mail->rcpts[mail->n++] =
	    (struct smtp_rcpt){ .shown = mem_string(q->arguments[0]),
		    .parameters = carried_parameters(q->arguments + 1),
		    .to = *to };
}

static void
keep_replaced(struct smtp_mail *mail, const struct smtp_mail_question *q,
    const struct route_smtp *route)
{
	for (size_t i = 0; i < route->n_to; i++) {
		keep(mail, q, &route->to[i].address);
		mail->rcpts[mail->n - 1].replaced = true;
		mail->rcpts[mail->n - 1].further = i > 0;
	}
	mail->n_replaced += route->n_to;
}

struct refusal {
	enum smtp_mail_answer answer;
	const char *code, *extended, *words;
};
static const struct refusal user_unknown = { SMTP_MAIL_REFUSED, "550", "5.1.1",
	"Recipient address rejected: User unknown" };
static const struct refusal unsure = { SMTP_MAIL_LATER, "451", "4.3.0",
	"Recipient address rejected: The directory does not answer, try again "
	"later" };
static const struct refusal too_many = { SMTP_MAIL_LATER, "452", "4.5.3",
	"Error: too many recipients" };

static void
refuse(const struct refusal *refusal, const struct address *address,
    struct smtp_mail_reply *reply)
{
	char text[ADDRESS_TEXT_SIZE], line[sizeof(reply->text)];

	reply->answer = refusal->answer;
	reply->code = refusal->code;
	reply->extended = refusal->extended;
	snprintf(line, sizeof(line), "<%s>: %s", address_write(address, text),
	    refusal->words);
	log_safe(reply->text, sizeof(reply->text), slice_of(line));
}

static void
answer(struct smtp_mail *mail, const struct smtp_mail_question *q,
    const struct address *address, const struct route_smtp *route,
    struct smtp_mail_reply *reply)
{
	switch (route->result) {
	case ROUTE_SMTP_LEFT:
		keep(mail, q, address);
		return;
	case ROUTE_SMTP_REPLACED:
		keep_replaced(mail, q, route);
		return;
	case ROUTE_SMTP_REFUSED:
		refuse(&user_unknown, address, reply);
		return;
	case ROUTE_SMTP_UNSURE:
		refuse(&unsure, address, reply);
		return;
	}
}

void
smtp_mail_rcpt(struct smtp_mail *mail, const struct smtp_mail_question *q,
    struct smtp_mail_reply *reply)
{
	const struct route_question question = { .config = q->config,
		.prepare = q->prepare,
		.lookup = q->lookup,
		.context = q->context };
	struct address address;
	struct route_smtp route;

	*reply = (struct smtp_mail_reply){ .answer = SMTP_MAIL_TAKEN };
	if (address_parse(slice_of(q->arguments[0]), &address) != ADDRESS_OK ||
	    config_domain(q->config, address.domain) == NULL)
		return;
	if (mail->n >= SMTP_MAIL_RCPTS_MAX) {
		refuse(&too_many, &address, reply);
		return;
	}
	route_smtp_decide(&question, &address, &route);
	log_quotable(
	    reply->reason, sizeof(reply->reason), slice_of(route.text));
	answer(mail, q, &address, &route, reply);
	route_smtp_clear(&route);
}

void
smtp_mail_edit(const struct smtp_mail *mail, struct smtp_mail_edits *out)
{
	struct address_set replacements = { 0 }, added = { 0 };

	*out = (struct smtp_mail_edits){ .remove = mem_new_array(
					     mail->n, sizeof(*out->remove)),
		.add = mem_new_array(mail->n, sizeof(*out->add)) };
	for (size_t i = 0; i < mail->n; i++)
		if (mail->rcpts[i].replaced)
			address_set_add(&replacements, &mail->rcpts[i].to);
	for (size_t i = 0; i < mail->n; i++) {
		const struct smtp_rcpt *rcpt = &mail->rcpts[i];

		if (address_set_find(&replacements, &rcpt->to) ==
		    replacements.n)
			continue;
		if (!rcpt->further)
			out->remove[out->n_remove++] = rcpt->shown;
		if (address_set_add(&added, &rcpt->to))
			out->add[out->n_add++] =
			    (struct smtp_addition){ .address =
							address_path(&rcpt->to),
				    .parameters = rcpt->parameters };
	}
	address_set_clear(&replacements);
	address_set_clear(&added);
}

void
smtp_mail_edits_clear(struct smtp_mail_edits *edits)
{
	for (size_t i = 0; i < edits->n_add; i++)
		free(edits->add[i].address);
	free(edits->add);
	free(edits->remove);
	*edits = (struct smtp_mail_edits){ 0 };
}

void
smtp_mail_write(const struct smtp_mail *mail, struct buf *out)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < mail->n; i++)
		if (mail->rcpts[i].replaced)
			buf_printf(out, "%s%s to=<%s>",
			    out->len > 0 ? ", " : "", mail->rcpts[i].shown,
			    address_write(&mail->rcpts[i].to, text));
}

void
smtp_mail_clear(struct smtp_mail *mail)
{
	for (size_t i = 0; i < mail->n; i++) {
		free(mail->rcpts[i].shown);
		free(mail->rcpts[i].parameters);
	}
	free(mail->rcpts);
	*mail = (struct smtp_mail){ 0 };
}
