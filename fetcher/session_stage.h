/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_stage - what the parts of a session share: session logs in and does
 * the work in a folder, session_folders goes from one to the next, session_idle
 * hears of new mail in between; only they use this.
 */
#ifndef FETCHER_SESSION_STAGE_H
#define FETCHER_SESSION_STAGE_H

#include "fetcher/dialogue.h"
#include "fetcher/folders.h"
#include "fetcher/lookout.h"
#include "fetcher/pass.h"
#include "fetcher/session.h"

enum stage {
	STAGE_ASKING,  /* whether mail may be handed over */
	STAGE_LOGIN,   /* and what comes before it */
	STAGE_FOLDERS, /* which are there? */
	STAGE_LISTING,
	STAGE_WORKING,
	STAGE_QUIT,
	STAGE_IDLE,
	STAGE_ROUSED, /* IDLE is being left */
	STAGE_OVER,   /* no connection any more, or none was made */
};

struct session {
	struct session_settings settings;
	struct dialogue *dialogue; /* NULL before and after */
	struct pass pass;
	enum stage stage;
	struct folders folders;
	struct lookouts *lookouts; /* of all folders but the first */
	struct timer *soon, *noop, *again;
	int64_t again_ms; /* when all folders are due, by the clock */
	bool asking;      /* an answer of readiness is due */
	bool opened;      /* one of the folders was */
	bool only_new;    /* the last pass left nothing undone */
	bool refused;     /* the server does not want IDLE */
	bool stopped;     /* by session_stop() */
};

/* In session.c */

/* Whoever removed the key file to get a new key finds it in use at once. */
void session_refresh_keys(struct session *);
void session_quit(struct session *);
/* The pass has failed, the connection is given up. */
void session_fail(struct session *, const struct error *);

/* In session_folders.c */

/* Logged in, or DO_FOLDERS: asks for the next pattern of the account; when there
 * is none left, enters the first folder.  A mailbox of POP3 is one folder. */
void session_find_folders(struct session *);
/* DO_FOLDER. */
void session_on_folder(struct session *, const struct protocol_action *);
/* All was done in this one: the next, IDLE, or QUIT. */
void session_end_folder(struct session *);
/* A folder that cannot be opened keeps nobody from the others; the pass has
 * failed when none could. */
void session_on_folder_refused(struct session *, const struct error *);
/* Else one with much mail would keep the others waiting: a round that a limit
 * has cut short goes on where it was. */
void session_go_round(struct session *);

/* In session_idle.c */

/* The folder that is open is the one to hear of, and the server tells. */
bool session_wants_to_idle(const struct session *);
/* The pass is over, the session stays. */
void session_idle(struct session *);
/* IDLE was answered although nobody ended it; was not wanted. */
void session_idle_ended(struct session *);
void session_idle_refused(struct session *, const struct error *);
/* While it idles: a pass, when its host may be kept busy, and if mail may be
 * handed over then. */
void session_begin_pass(struct session *);
/* The same, over all folders. */
loop_handler session_on_again;

#endif
