/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup_plan - which of Postfix's settings must become what, and what takes
 * that back.  Pure.
 *
 * The administrator's own milters and classes stay, in their order and
 * spelling; ours are put before them.  Only where another parameter that the
 * milters refer to names ours is the list written out.
 */
#ifndef ADMIN_SETUP_PLAN_H
#define ADMIN_SETUP_PLAN_H

#include "postfix/milters.h"

enum setup_setting {
	SETUP_MILTERS,  /* main.cf: non_smtpd_milters */
	SETUP_CLASSES,  /* main.cf: notify_classes */
	SETUP_UTF8,     /* main.cf: smtputf8_autodetect_classes */
	SETUP_LISTENER, /* master.cf: the smtpd that takes collected mail */
	N_SETUP_SETTINGS
};

/* What Postfix has now. */
struct setup_facts {
	struct setup_fact {
		const char *text; /* as written; NULL: not there */
		const char *all;  /* with defaults, and $names replaced */
	} now[N_SETUP_SETTINGS];
	const char *smtpd_milters; /* $names replaced */
	const char *chroot;        /* column of smtp/inet; "" for none */
	struct milter_place place;
};

struct setup_change {
	enum setup_setting setting;
	char *before, *after; /* NULL: not there; owned */
};
struct setup_changes {
	struct setup_change list[N_SETUP_SETTINGS];
	size_t n;
};

/* "non_smtpd_milters", "notify_classes", "mailhaul/unix", … */
const char *setup_setting_name(enum setup_setting);

/* `listener`: also the one for inject.method smtp. */
void
setup_plan(const struct setup_facts *, bool listener, struct setup_changes *);
/* Takes one change that setup made out of what is there now: to the byte when
 * nobody changed more since, else only what setup added.  False: nothing to do.
 */
bool setup_plan_undo(const struct setup_facts *,
    const struct setup_change *made, struct setup_change *);

void setup_change_clear(struct setup_change *);
void setup_changes_clear(struct setup_changes *);

#endif
