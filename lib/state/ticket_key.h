/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticket_key - the keys of the tickets, in STATE_DIR/ticket.key and
 * ticket.key.old (32 raw bytes each, 0640, group of the folder).
 */
#ifndef STATE_TICKET_KEY_H
#define STATE_TICKET_KEY_H

#include "base/error.h"
#include "mail/ticket.h"

struct ticket_keys {
	struct ticket_key key[2]; /* the present one first */
	size_t n;
};

/* Reads the keys; makes the first one when there is none (O_EXCL: whichever
 * daemon comes first).  ERROR_LOCAL or ERROR_CONFIG: not readable, wrong
 * size, readable by others. */
bool
ticket_keys_load(const char *state_dir, struct ticket_keys *, struct error *);

#endif
