/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postconf - Postfix's settings, read and changed by postconf(1) and never by
 * writing main.cf or master.cf ourselves.
 */
#ifndef ADMIN_POSTCONF_H
#define ADMIN_POSTCONF_H

#include "base/buf.h"
#include "base/error.h"

struct postconf_value {
	const char *name;
	char *text; /* NULL: postconf did not tell it; to be freed */
};

/* Asks for all of them at once.  How: */
#define POSTCONF_AS_WRITTEN NULL /* or the default */
#define POSTCONF_EXPANDED "-x"   /* $names replaced */
#define POSTCONF_ONLY_SET "-n"   /* what main.cf has, else nothing */
#define POSTCONF_DEFAULT "-d"
bool postconf_read(const char *program, const char *how,
    struct postconf_value *values, size_t n, struct error *);
void postconf_values_clear(struct postconf_value *values, size_t n);
/* By name; "" when it was not told. */
const char *
postconf_text(const struct postconf_value *values, size_t n, const char *name);

/* The line of master.cf for "mailhaul/unix" with single blanks, or NULL: there
 * is none.  To be freed. */
bool postconf_service(
    const char *program, const char *service, char **line, struct error *);
/* One column of it, as "smtp/inet/chroot": "y", "n", "-", or "" for none. */
bool postconf_column(const char *program, const char *column,
    char value[static 16], struct error *);

/* What a service of master.cf sets by -o, as "mailhaul/unix/smtpd_milters", with
 * $names replaced; NULL: nothing.  To be freed. */
bool postconf_override(
    const char *program, const char *option, char **value, struct error *);

/* Looks a key up with postmap(1).  True: it is there, its value appended; not
 * there and trouble are one. */
bool postmap_query(
    const char *program, const char *map, const char *key, struct buf *value);

/* Runs postconf with these arguments (NULL at the end), which change a file. */
bool postconf_change(
    const char *program, const char *const *arguments, struct error *);

#endif
