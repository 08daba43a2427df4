/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "directory/inquiry.h"
#include "mail/header.h"

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
collect_recipients(struct explanation *out)
{
	char text[ADDRESS_TEXT_SIZE];

	out->n_recipients = out->route.n_recipients;
	out->recipients =
	    mem_new_array(out->n_recipients, sizeof(*out->recipients));
	for (size_t i = 0; i < out->n_recipients; i++)
		out->recipients[i] = mem_string(
		    address_write(&out->route.recipients[i].address, text));
	if (out->n_recipients > 0)
		qsort(out->recipients, out->n_recipients,
		    sizeof(*out->recipients), compare_texts);
}

/* As Postfix would tell the milter. */
static void
take_fields(const struct config *config, struct slice header,
    struct rule_fields *fields)
{
	struct header_field field;
	struct header all;

	fields->names = config->rule_fields;
	header_init(&all, header);
	while (header_next(&all, &field))
		rule_fields_take(fields, field.name, field.body);
}

static void
decide(const struct config *config, const struct explained_message *message,
    struct directory *directory, struct explanation *out)
{
	struct rule_fields fields = { .names = NULL };
	char sender[ADDRESS_TEXT_SIZE];
	const struct rule_message ruled = { .fields = &fields,
		.sender = slice_of(address_write(&out->sender, sender)),
		.size = message->size };
	struct inquiry inquiry;

	take_fields(config, message->header, &fields);
	inquiry_begin(&inquiry, directory, clock_monotonic_ms() + INQUIRY_MS);
	route_decide(&(struct route_question){ .config = config,
			 .account = out->account,
			 .ticket = &out->ticket,
			 .message = &ruled,
			 .prepare = inquiry_prepare,
			 .lookup = inquiry_lookup,
			 .context = &inquiry },
	    &out->route);
	inquiry_end(&inquiry);
	rule_fields_clear(&fields);
}

void
explanation_make(const struct config *config, const struct account *account,
    const struct explained_message *message, struct directory *directory,
    struct explanation *out)
{
	*out = (struct explanation){ .account = account };
	candidates_find(config, account, message->header, &out->candidates);
	candidates_ticket(&out->candidates, account, "explain", &out->ticket);
	out->sender = intake_sender(config, account, &out->candidates);
	if (intake_loops(&out->candidates, message->collected,
		INTAKE_HOPCOUNT_LIMIT, out->reason)) {
		out->verdict = EXPLAIN_PARK;
		return;
	}
	decide(config, message, directory, out);
	if (out->route.defer) {
		out->verdict = EXPLAIN_DEFER;
		memcpy(
		    out->reason, out->route.defer_reason, sizeof(out->reason));
	}
	collect_recipients(out);
}

void
explanation_clear(struct explanation *e)
{
	for (size_t i = 0; i < e->n_recipients; i++)
		free(e->recipients[i]);
	free(e->recipients);
	route_clear(&e->route);
	ticket_clear(&e->ticket);
	candidates_clear(&e->candidates);
}

const char *
explanation_verdict_name(enum explanation_verdict verdict)
{
	static const char *const names[] = {
		[EXPLAIN_DELIVER] = "deliver",
		[EXPLAIN_DEFER] = "defer",
		[EXPLAIN_PARK] = "park",
		[EXPLAIN_DUPLICATE] = "duplicate",
	};

	return names[verdict];
}

const char *
explanation_result(
    const struct explanation *e, const struct candidate *candidate)
{
	static const char *const unjudged[] = {
		[CANDIDATE_USABLE] = NULL,
		[CANDIDATE_FOREIGN] = "foreign",
		[CANDIDATE_OWN] = "own",
		[CANDIDATE_INVALID] = "invalid",
	};
	enum route_result result;

	if (candidate->kind == CANDIDATE_OWN ||
	    candidate->kind == CANDIDATE_INVALID)
		return unjudged[candidate->kind];
	if (route_result_of(&e->route, &candidate->address, &result))
		return route_result_name(result);
	return unjudged[candidate->kind];
}

const char *
explanation_copies_name(enum explanation_copies copies)
{
	static const char *const names[] = {
		[COPIES_NOT_SOUGHT] = "not_sought",
		[COPIES_NONE] = "none",
		[COPIES_ITSELF] = "itself",
		[COPIES_FOUND] = "copy",
		[COPIES_UNKNOWN] = "unknown",
	};

	return names[copies];
}

/* Each candidate has a finding behind that of the field in which it stands. */
const char *
explanation_field(const struct explanation *e, size_t candidate)
{
	const char *field = NULL;
	size_t n = 0;

	for (size_t i = 0; i < e->candidates.n_findings; i++) {
		const struct finding *f = &e->candidates.findings[i];

		if (strcmp(f->step, "field") == 0)
			field = f->subject;
		else if (strcmp(f->step, "candidate") == 0 && n++ == candidate)
			return field;
	}
	return NULL;
}

bool
explanation_origin(
    const struct explanation *e, char out[static EXPLANATION_ORIGIN_SIZE])
{
	const struct origin *o = &e->candidates.origin;

	snprintf(out, EXPLANATION_ORIGIN_SIZE, "%s%s[%s]%s%s", o->name,
	    o->name[0] == '\0' ? "" : " ", o->ip,
	    o->helo[0] == '\0' ? "" : ", HELO ", o->helo);
	return o->ip[0] != '\0';
}

static bool
has_candidate(const struct ticket *ticket, const struct address *address)
{
	for (size_t i = 0; i < ticket->n_candidates; i++)
		if (address_equal(&ticket->candidates[i], address))
			return true;
	return false;
}

bool
explanation_agrees(const struct explanation *e, const struct ticket *then)
{
	const struct ticket *now = &e->ticket;

	if (now->tier != then->tier ||
	    now->n_candidates != then->n_candidates ||
	    !address_equal(&now->fallback, &then->fallback))
		return false;
	/* Each of both has every address once. */
	for (size_t i = 0; i < now->n_candidates; i++)
		if (!has_candidate(then, &now->candidates[i]))
			return false;
	return true;
}
