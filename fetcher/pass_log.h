/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_log - what the log says of an account's passes: how each ended, what is
 * told only when it changes, how far a long one has come.
 */
#ifndef FETCHER_PASS_LOG_H
#define FETCHER_PASS_LOG_H

#include "fetcher/mailbox.h"

void pass_log_result(struct mailbox *, const struct pass_result *);
/* To be called often: a line a minute while it fetches. */
void pass_log_progress(struct mailbox *);

#endif
