/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify - tell systemd how far a service is (sd_notify's protocol: one
 * datagram to the socket that $NOTIFY_SOCKET names).  Without that variable
 * nothing happens.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=…", "STATUS=…".
 * Trouble is not reported: nobody could do anything about it. */
void notify_send(const char *state);
/* How often "WATCHDOG=1" is due, in milliseconds: half of the time after which
 * systemd takes this process for hung and restarts it ($WATCHDOG_USEC).
 * 0: nobody watches. */
int64_t notify_watchdog_ms(void);

#endif
