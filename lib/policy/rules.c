/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules.h"

#include "base/log.h"
#include "base/mem.h"
#include "mail/encoded_text.h"
#include "policy/rule_condition.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
wanted_name(const struct rule_fields *fields, struct slice name)
{
	const char *const *wanted = fields->names;

	for (; wanted != NULL && *wanted != NULL; wanted++)
		if (slice_equal_nocase(slice_of(*wanted), name))
			return *wanted;
	return NULL;
}

void
rule_fields_take(
    struct rule_fields *fields, struct slice name, struct slice body)
{
	const char *wanted = wanted_name(fields, name);
	struct rule_field *field;

	if (wanted == NULL || fields->n == RULE_FIELDS_MAX ||
	    body.len > RULE_FIELDS_SIZE - fields->bytes)
		return;
	fields->bytes += body.len;
	fields->list =
	    mem_resize(fields->list, fields->n + 1, sizeof(*fields->list));
	field = &fields->list[fields->n++];
	*field = (struct rule_field){
		.name = wanted, .body = mem_new(body.len + 1), .len = body.len
	};
	if (body.len > 0)
		memcpy(field->body, body.data, body.len);
}

void
rule_fields_clear(struct rule_fields *fields)
{
	for (size_t i = 0; i < fields->n; i++)
		free(fields->list[i].body);
	free(fields->list);
	*fields = (struct rule_fields){ 0 };
}

const char *
rule_result_name(enum rule_result result)
{
	static const char *const names[] = {
		[RULE_APPLIED] = "applied",
		[RULE_NOT_APPLIED] = "not_applied",
		[RULE_SKIPPED] = "skipped",
	};

	return names[result];
}

static void say(struct rule_step *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends to the line; what does not fit is cut. */
static void
say(struct rule_step *step, const char *fmt, ...)
{
	size_t len = strlen(step->text);
	va_list ap;

	va_start(ap, fmt);
	log_vsafe(step->text + len, sizeof(step->text) - len, fmt, ap);
	va_end(ap);
}

/* Lists what an action is about: "; WORDS a, b". */
static void
say_addresses(struct rule_step *step, const char *words,
    const struct address *list, size_t n)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		say(step, "%s%s", i > 0 ? ", " : words,
		    address_write(&list[i], text));
}

static void
add(struct rules_outcome *out, const struct address *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;

		while (at < out->n_recipients &&
		       !address_equal(&out->recipients[at], &list[i]))
			at++;
		if (at < out->n_recipients)
			continue;
		out->recipients = mem_resize(
		    out->recipients, at + 1, sizeof(*out->recipients));
		out->recipients[out->n_recipients++] = list[i];
	}
}

static bool
is_dropped(const char *const *globs, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	struct slice written = slice_of(address_write(address, text));

	for (; *globs != NULL; globs++)
		if (rules_glob(slice_of(*globs), written))
			return true;
	return false;
}

static void
drop(
    struct rules_outcome *out, const char *const *globs, struct rule_step *step)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->n_recipients; i++)
		if (is_dropped(globs, &out->recipients[i]))
			say_addresses(step, "; drops ", &out->recipients[i], 1);
		else
			out->recipients[kept++] = out->recipients[i];
	out->n_recipients = kept;
}

static void
change_recipients(const struct rules_question *q,
    const struct rule_actions *then, struct rules_outcome *out,
    struct rule_step *step)
{
	if (then->fallback) {
		out->n_recipients = 0;
		add(out, q->fallback, 1);
		say_addresses(
		    step, "; replaces all by the fallback ", q->fallback, 1);
	}
	if (then->n_replace > 0) {
		out->n_recipients = 0;
		add(out, then->replace, then->n_replace);
		say_addresses(
		    step, "; replaces all by ", then->replace, then->n_replace);
	}
	if (then->drop != NULL)
		drop(out, then->drop, step);
	add(out, then->add, then->n_add);
	say_addresses(step, "; adds ", then->add, then->n_add);
}

static void
add_headers(const struct rule_actions *then, struct rules_outcome *out,
    struct rule_step *step)
{
	for (size_t i = 0; i < then->n_headers; i++) {
		out->headers = mem_resize((void *)out->headers,
		    out->n_headers + 1, sizeof(const struct rule_header *));
		out->headers[out->n_headers++] = &then->headers[i];
		say(step, "; adds the field %s", then->headers[i].name);
	}
}

/* One rule's turn; false: none after it. */
static bool
run_rule(const struct rule_matter *m, const struct rule *rule,
    struct rules_outcome *out, struct rule_step *step)
{
	const char *fails = rule_condition_fails(m, &rule->when);

	if (fails != NULL) {
		step->result = RULE_NOT_APPLIED;
		say(step, "its condition on %s does not hold", fails);
		return true;
	}
	say(step, "applies");
	change_recipients(m->asked, &rule->then, out, step);
	add_headers(&rule->then, out, step);
	if (rule->then.hold) {
		say(step, "; holds");
		if (out->held_by == NULL)
			out->held_by = step;
	}
	if (rule->then.stop)
		say(step, "; stops");
	return !rule->then.stop;
}

/* A list of rules; false: one stopped. */
static bool
run_list(const struct rule_matter *m, const struct rule *rules, size_t n,
    bool running, struct rules_outcome *out)
{
	bool of_account =
	    m->asked->account != NULL && rules == m->asked->account->rules;

	for (size_t i = 0; i < n; i++) {
		struct rule_step *step = &out->steps[out->n_steps++];

		if (rules[i].name != NULL)
			snprintf(step->rule, sizeof(step->rule), "%s",
			    rules[i].name);
		else
			snprintf(step->rule, sizeof(step->rule), "%srules[%zu]",
			    of_account ? "account." : "", i);
		if (running) {
			running = run_rule(m, &rules[i], out, step);
			continue;
		}
		step->result = RULE_SKIPPED;
		say(step, "a rule before it stops");
	}
	return running;
}

static struct buf *
read_texts(const struct rule_fields *fields)
{
	struct buf *texts = mem_new_array(fields->n + 1, sizeof(*texts));

	for (size_t i = 0; i < fields->n; i++) {
		buf_init(&texts[i], RULE_FIELDS_SIZE);
		encoded_text_read(
		    (struct slice){ (const uint8_t *)fields->list[i].body,
			fields->list[i].len },
		    &texts[i]);
	}
	return texts;
}

void
rules_run(const struct rules_question *q, struct rules_outcome *out)
{
	const struct rule_fields *fields = q->message->fields;
	const struct account *account = q->account;
	size_t n_own = account != NULL ? account->n_rules : 0;
	struct rule_matter m = { .asked = q, .now = out };
	bool running = true;

	*out = (struct rules_outcome){ 0 };
	out->recipients =
	    mem_new_array(q->n_recipients, sizeof(*out->recipients));
	out->n_recipients = q->n_recipients;
	for (size_t i = 0; i < q->n_recipients; i++)
		out->recipients[i] = q->recipients[i];
	if (n_own + q->config->n_rules == 0)
		return;
	out->steps =
	    mem_new_array(n_own + q->config->n_rules, sizeof(*out->steps));
	m.texts = read_texts(fields);
	if (account != NULL)
		running = run_list(&m, account->rules, n_own, true, out);
	run_list(&m, q->config->rules, q->config->n_rules, running, out);
	for (size_t i = 0; i < fields->n; i++)
		buf_clear(&m.texts[i]);
	free(m.texts);
}

void
rules_clear(struct rules_outcome *outcome)
{
	free(outcome->recipients);
	free(outcome->steps);
	free((void *)outcome->headers);
	*outcome = (struct rules_outcome){ 0 };
}
