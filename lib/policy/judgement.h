/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judgement - what is asked about one target of a candidate, what was answered,
 * and the words for it: what route and route_smtp share.  Nobody else needs it.
 */
#ifndef POLICY_JUDGEMENT_H
#define POLICY_JUDGEMENT_H

#include "policy/route.h"
#include "policy/target.h"

/* May mail be sent to it?  The one place where an accepted domain becomes an
 * accepted_rcpt. */
bool judgement_accept(
    const struct config *, const struct address *, struct accepted_rcpt *out);

/* Appends to the step's reason; what does not fit is cut. */
void judgement_say(struct route_step *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* How the candidate became the target. */
void judgement_say_target(const struct target *, struct route_step *);

/* Tells the directory beforehand what judgement_ask() may ask for. */
void judgement_prepare(
    const struct route_question *, const struct target *, size_t n);

/* The directory's answer about an address or, when that is absent, about the
 * same without its extension. */
struct inquired {
	struct address address; /* the one of the two */
	struct directory_answer answer;
};
enum existence judgement_ask(const struct route_question *,
    const struct address *, struct route_step *, struct inquired *out);
/* What the address is delivered to, now that it was found: the address that the
 * directory names instead, with the extension; or as it is.  With its
 * extension: local(8) and virtual(8) take that off themselves and may use
 * it. */
struct address judgement_final(const struct route_question *,
    const struct address *, const struct inquired *found, struct route_step *);

#endif
