/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify - tell systemd how far a service is (sd_notify's protocol: one
 * datagram to the socket that $NOTIFY_SOCKET names).  Without that variable
 * nothing happens.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=…", "STATUS=…".
 * Trouble is not reported: nobody could do anything about it. */
void notify_send(const char *state);

#endif
