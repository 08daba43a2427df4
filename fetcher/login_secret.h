/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login_secret - the password or token of an account, fetched when it is needed
 * and wiped when it is not: a file is read at once, a command runs beside the
 * loop.
 *
 * A token that the server refuses may have been revoked, or have come to its end
 * early: it is fetched once more, and is of use if it is another one.  A command
 * finds the refused one on its standard input, and can let go of what it keeps.
 */
#ifndef FETCHER_LOGIN_SECRET_H
#define FETCHER_LOGIN_SECRET_H

#include "config/config.h"
#include "fetcher/loop.h"

struct login_secret;

/* The handler runs later, once for each login_secret_fetch(); errors as
 * secret_read(). */
typedef void login_secret_handler(void *arg, bool ok, const struct error *);

struct login_secret *login_secret_new(
    struct loop *, const struct account *, login_secret_handler *, void *arg);
/* Wipes it; the handler does not run any more. */
void login_secret_free(struct login_secret *);

void login_secret_fetch(struct login_secret *);
/* The server refused it.  True: it is a token, and is fetched once more; the
 * handler's error is `why` when that is the same again. */
bool login_secret_refused(struct login_secret *, const struct error *why);
/* Valid until it is wiped, or fetched again. */
struct slice login_secret_text(const struct login_secret *);
bool login_secret_is_token(const struct login_secret *);
void login_secret_wipe(struct login_secret *);

#endif
