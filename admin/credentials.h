/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials - what systemd hands a service (LoadCredential=), for root's
 * commands that do as that service does.
 */
#ifndef ADMIN_CREDENTIALS_H
#define ADMIN_CREDENTIALS_H

#include <stdbool.h>

#define FETCHER_UNIT "mailhaul-fetcher.service"
#define MILTER_UNIT "mailhaul-milter.service"

/* From now on secrets are read as by this unit.  False, and nothing changed,
 * when it does not run, has none, or they are not for us. */
bool credentials_use(const char *unit);
/* Those of another unit were used before, and are not for this one: then `own`,
 * CREDENTIALS_DIRECTORY as the command found it, or NULL. */
void credentials_use_instead(const char *unit, const char *own);

#endif
