/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callbacks - libmilter's events to session and verdict, and the edits back.
 * Nothing is decided here.
 *
 * libmilter serves one connection by different threads from event to event:
 * all that is known of it hangs on the connection (smfi_setpriv), nothing on
 * the thread.
 */
#ifndef MILTER_CALLBACKS_H
#define MILTER_CALLBACKS_H

#include "milter/service.h"

/* Before smfi_main(); the service must outlive it.  False: libmilter refused. */
bool callbacks_register(struct service *);

#endif
