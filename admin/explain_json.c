/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"
#include "admin/json_text.h"
#include "mail/header.h"

static json_t *
address_of(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	return json_text(address_write(address, text));
}

static json_t *
recipients_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->n_recipients; i++)
		json_array_append_new(all, json_text(e->recipients[i]));
	return all;
}

/* Where a candidate, or the people of the alias that it is, went. */
static json_t *
went_to(const struct explanation *e, const struct candidate *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->route.n_steps; i++) {
		const struct route_step *step = &e->route.steps[i];

		if (address_equal(&step->candidate, &c->address) &&
		    !address_is_null(&step->to))
			json_array_append_new(all, address_of(&step->to));
	}
	return all;
}

static json_t *
candidates_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->candidates.n; i++) {
		const struct candidate *c = &e->candidates.all[i];
		const char *result = explanation_result(e, c);
		const char *field = explanation_field(e, i);
		bool invalid = c->kind == CANDIDATE_INVALID;

		json_array_append_new(all,
		    json_pack("{s:o, s:o, s:s, s:o}", "address",
			invalid ? json_text(c->text) : address_of(&c->address),
			"from", field == NULL ? json_null() : json_text(field),
			"result", result == NULL ? "unknown" : result, "to",
			invalid ? json_array() : went_to(e, c)));
	}
	return all;
}

static void
add_step(json_t *all, const char *step, json_t *subject, const char *result,
    const char *text)
{
	json_array_append_new(
	    all, json_pack("{s:s, s:o, s:s, s:o}", "step", step, "subject",
		     subject, "result", result, "text", json_text(text)));
}

static void
add_origin(json_t *all, const struct explanation *e)
{
	char origin[EXPLANATION_ORIGIN_SIZE];
	bool known = explanation_origin(e, origin);

	add_step(all, "origin", json_text(known ? origin : ""),
	    known ? "found" : "none",
	    known ? "the client from which the provider took the message"
		  : "no boundary that names a client");
}

static json_t *
steps_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->candidates.n_findings; i++) {
		const struct finding *f = &e->candidates.findings[i];

		add_step(
		    all, f->step, json_text(f->subject), f->result, f->text);
	}
	add_origin(all, e);
	for (size_t i = 0; i < e->route.n_steps; i++) {
		const struct route_step *s = &e->route.steps[i];

		add_step(all, "policy", address_of(&s->candidate),
		    route_result_name(s->result), s->text);
	}
	if (e->route.used_fallback)
		add_step(all, "policy", address_of(&e->account->fallback),
		    "fallback", "nobody else is left to get the message");
	for (size_t i = 0; i < e->route.rules.n_steps; i++) {
		const struct rule_step *s = &e->route.rules.steps[i];

		add_step(all, "rule", json_text(s->rule),
		    rule_result_name(s->result), s->text);
	}
	if (e->route.rules_left_nobody)
		add_step(all, "rule", address_of(&e->account->fallback),
		    "fallback", "the rules leave nobody");
	add_step(all, "size", json_text(""), explanation_size_name(e->size),
	    e->size_text);
	add_step(all, "known", json_text(""), explanation_known_name(e->known),
	    e->known_text);
	add_step(all, "duplicate", json_text(""),
	    explanation_copies_name(e->copies), e->copies_text);
	add_step(all, "verdict", json_text(e->account->name),
	    explanation_verdict_name(e->verdict), e->reason);
	return all;
}

static json_t *
warnings_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->candidates.n_warnings; i++)
		json_array_append_new(
		    all, json_text(e->candidates.warnings[i]));
	return all;
}

static json_t *
origin_of(const struct explanation *e)
{
	const struct origin *o = &e->candidates.origin;

	if (o->ip[0] == '\0')
		return json_null();
	return json_pack(
	    "{s:s, s:s, s:s}", "ip", o->ip, "name", o->name, "helo", o->helo);
}

/* What was found in it when it was collected. */
static json_t *
then_of(const struct explanation *e, const struct named_mail *mail)
{
	const struct ticket *ticket = &mail->ticket;
	json_t *all;

	if (!mail->has_ticket)
		return json_null();
	all = json_array();
	for (size_t i = 0; i < ticket->n_candidates; i++)
		json_array_append_new(all, address_of(&ticket->candidates[i]));
	return json_pack("{s:s, s:o, s:o, s:b}", "source",
	    tier_name(ticket->tier), "candidates", all, "fallback",
	    address_of(&ticket->fallback), "same",
	    explanation_agrees(e, ticket));
}

static json_t *
ids_of(const struct archive_hits *hits)
{
	json_t *all = json_array();

	for (size_t i = 0; i < hits->n; i++)
		json_array_append_new(all, json_text(hits->ids[i]));
	return all;
}

static json_t *
message_id_of(const struct explained_message *message)
{
	struct header_field f;

	return header_find(message->header, "Message-ID", &f)
		   ? json_text_of(slice_trim(f.body))
		   : json_null();
}

bool
explanation_print_json(const struct explanation *e,
    const struct explained_message *message, const struct named_mail *mail)
{
	json_t *root =
	    json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
		"version", 1, "verdict", explanation_verdict_name(e->verdict),
		"source", tier_name(e->candidates.tier), "account",
		e->account->name, "sender", address_of(&e->sender),
		"recipients", recipients_of(e), "candidates", candidates_of(e),
		"steps", steps_of(e), "warnings", warnings_of(e));
	const struct rule_step *held_by = e->route.rules.held_by;
	json_t *more =
	    json_pack("{s:s?, s:b, s:o, s:s, s:I, s:s, s:o, s:o, s:o}",
		"held_by", held_by == NULL ? NULL : held_by->rule,
		"may_be_answered", intake_may_be_answered(e->candidates.tier),
		"message_id", message_id_of(message), "id", mail->id,
		"collected_ms", (json_int_t)mail->collected_ms, "queue_id",
		mail->queue_id, "found", ids_of(&mail->hits), "origin",
		origin_of(e), "then", then_of(e, mail));

	if (root != NULL && more != NULL)
		json_object_update(root, more);
	json_decref(more);
	return json_print(root);
}
