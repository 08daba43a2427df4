/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/readiness.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/descriptors.h"
#include "fetcher/gate.h"

enum {
	FACTS_KEPT_MS = 10 * 1000,   /* while main.cf is as it should be */
	FACTS_RECHECK_MS = 2 * 1000, /* while it is not */
	FAULT_FIRST_MS = 5 * 1000,
	FAULT_MOST_MS = 5 * 60 * 1000,
};

struct question {
	struct readiness *readiness;
	readiness_handler *handler;
	void *arg;
	struct question *next;
};

struct readiness {
	struct loop *loop;
	struct config *config;
	struct gate *gate;
	struct postfix_facts facts;
	bool facts_good;
	struct error facts_error;
	int64_t facts_at_ms; /* 0: never asked */
	bool asking_facts;
	struct question *waiting; /* for the facts */
	unsigned faults;
	int64_t fault_until_ms;
	struct error fault;
};

struct readiness *
readiness_new(struct loop *loop, struct config *config)
{
	struct readiness *r = mem_new(sizeof(*r));

	r->loop = loop;
	r->config = config_ref(config);
	r->gate = gate_new(loop, config);
	return r;
}

void
readiness_free(struct readiness *r)
{
	gate_free(r->gate);
	config_unref(r->config);
	free(r);
}

void
readiness_configure(struct readiness *r, struct config *config)
{
	struct config *old = r->config;

	r->config = config_ref(config);
	gate_configure(r->gate, config);
	config_unref(old);
	r->facts_at_ms = 0;
}

const struct postfix_facts *
readiness_facts(const struct readiness *r)
{
	return &r->facts;
}

static int64_t
fault_pause(unsigned faults)
{
	int64_t pause = FAULT_FIRST_MS;

	for (unsigned n = 0; n < faults && pause < FAULT_MOST_MS; n++)
		pause *= 2;
	return pause < FAULT_MOST_MS ? pause : FAULT_MOST_MS;
}

/* Without descriptors each that fails does so at another place, and as if
 * something else were wrong. */
static struct error
true_reason(const struct error *err)
{
	struct error reason = *err;

	if (!descriptors_left())
		error_set(&reason, ERROR_LOCAL, "no file descriptors are left");
	return reason;
}

void
readiness_fault(struct readiness *r, const struct error *err)
{
	struct error reason = true_reason(err);
	int64_t now_ms = clock_monotonic_ms();
	bool told = r->faults > 0 && strcmp(r->fault.text, reason.text) == 0;

	/* What was under way when a pause began fails for the same reason. */
	if (r->fault_until_ms <= now_ms)
		r->fault_until_ms = now_ms + fault_pause(r->faults++);
	if (!told)
		log_error("%s; collecting pauses for %lld s, longer if it goes "
			  "on",
		    reason.text,
		    (long long)(r->fault_until_ms - now_ms + 999) / 1000);
	r->fault = reason;
}

void
readiness_works(struct readiness *r)
{
	r->faults = 0;
	r->fault_until_ms = 0;
}

static void
answer(struct question *q, bool ready, const struct error *reason)
{
	q->handler(q->arg, ready, reason);
	free(q);
}

static void
on_gate(void *arg, bool open, const struct error *reason)
{
	answer(arg, open, reason);
}

/* The facts are as fresh as they need to be. */
static void
judge_facts(struct question *q)
{
	struct readiness *r = q->readiness;
	struct error err;

	if (r->config->inject.require_milter && !r->facts_good) {
		answer(q, false, &r->facts_error);
		return;
	}
	if (r->fault_until_ms > clock_monotonic_ms()) {
		err = r->fault;
		answer(q, false, &err);
		return;
	}
	gate_ask(r->gate, on_gate, q);
}

/* Once, not with every question: nothing is lost by it, as the archive has the
 * message and the postmaster is told. */
static void
warn_of_smtputf8(const struct readiness *r, const struct postfix_facts *facts)
{
	if (facts->wants_smtputf8 && !r->facts.wants_smtputf8)
		log_warning(
		    "Postfix will not deliver collected mail with 8-bit "
		    "header fields to a server without SMTPUTF8; put "
		    "smtputf8_autodetect_classes = verify into main.cf, "
		    "then postfix reload");
}

static void
check_facts(struct readiness *r, bool known, const struct postfix_facts *facts,
    const struct error *err)
{
	if (!known) {
		if (r->facts_good || r->facts_at_ms == 0)
			log_warning("%s", err->text);
		r->facts_good = false;
		r->facts_error = *err;
		return;
	}
	warn_of_smtputf8(r, facts);
	r->facts = *facts;
	r->facts_good = facts->has_milter;
	if (!facts->has_milter)
		error_set(&r->facts_error, ERROR_LOCAL,
		    "%s does not name %s, so nobody would route the mail: "
		    "mailhaul setup postfix, then postfix reload (see "
		    "mailhaul-milter(8))",
		    r->config->inject.method == METHOD_SMTP
			? "smtpd_milters of the listener in Postfix's "
			  "master.cf"
			: "non_smtpd_milters in Postfix's main.cf",
		    r->config->milter.socket);
}

static void
on_facts(void *arg, bool known, const struct postfix_facts *facts,
    const struct error *err)
{
	struct readiness *r = arg;
	struct question *q = r->waiting;

	check_facts(r, known, facts, err);
	r->asking_facts = false;
	r->facts_at_ms = clock_monotonic_ms();
	r->waiting = NULL;
	while (q != NULL) {
		struct question *next = q->next;

		judge_facts(q);
		q = next;
	}
}

static bool
facts_are_fresh(const struct readiness *r)
{
	int64_t kept = r->facts_good ? FACTS_KEPT_MS : FACTS_RECHECK_MS;

	return r->facts_at_ms != 0 &&
	       clock_monotonic_ms() - r->facts_at_ms < kept;
}

/* The caller must not be answered before this returns. */
static void
on_fresh(void *arg)
{
	judge_facts(arg);
}

void
readiness_ask(struct readiness *r, readiness_handler *handler, void *arg)
{
	struct question *q = mem_new(sizeof(*q));

	*q =
	    (struct question){ .readiness = r, .handler = handler, .arg = arg };
	if (facts_are_fresh(r)) {
		loop_call(r->loop, on_fresh, q);
		return;
	}
	q->next = r->waiting;
	r->waiting = q;
	if (r->asking_facts)
		return;
	r->asking_facts = true;
	postfix_ask(r->loop, r->config, on_facts, r);
}
