/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redeliver - a message of the archive once more into Postfix, by sendmail(1)
 * as the fetcher does it.
 *
 * Without an address the ticket on top is left: the milter routes the message
 * again, to those who exist now.  With one it gets a new ticket for nobody but
 * this address, under an account that no configuration can have, so that no
 * account's settings send it elsewhere.  The sender is found as the fetcher
 * finds it: the archive does not hold the envelope.
 */
#ifndef ADMIN_REDELIVER_H
#define ADMIN_REDELIVER_H

#include "config/config.h"

/* `to`: NULL for the ticket's recipients.  Logs the success.
 * ERROR_REFUSED: no such message, or an address that is not ours.
 * ERROR_RETRY: the milter cannot judge mail now, or Postfix does not ask it.  ERROR_LOCAL. */
bool redeliver(const struct config *, const char *id, const struct address *to,
    struct error *);

#endif
