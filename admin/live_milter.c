/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the milter answer: Postfix on its socket, from inside the chroot, and
 * the fetcher on the control socket?
 */
#include "admin/live.h"

#include "admin/as_user.h"
#include "base/control_socket.h"
#include "postfix/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, READY_TIMEOUT_MS = 15000 };

static const char *
advice(int failed)
{
	switch (failed) {
	case ENOENT:
	case ECONNREFUSED:
		return "start mailhaul-milter";
	case EACCES:
		return "its folder must be of mailhaul-milter:postfix, mode "
		       "2710, and the socket 0660";
	default:
		return "look at milter.socket";
	}
}

/* Who may write into the folder can put another socket in its place. */
static void
check_folder(struct live *live, const char *path)
{
	char folder[PATH_ROOM];
	struct stat st;
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	if (stat(folder, &st) != 0)
		return; /* told when connecting */
	if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
		live_say(live, LIVE_WARNING, "milter socket",
		    "%s has mode %04o, so that others than Postfix can get at "
		    "the socket in it; run: chmod 2710 %s",
		    folder, (unsigned)(st.st_mode & 07777), folder);
}

static void
check_as_postfix(struct live *live, struct slice path, bool chrooted)
{
	const struct as_user postfix = {
		.user = live_postfix(live, "mail_owner"),
		.folder = live_postfix(live, "queue_directory"),
		.chroot = chrooted,
	};
	char name[PATH_ROOM];
	int failed;

	if (!as_user_can(postfix.user))
		return;
	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(path));
	failed = as_user_try(&postfix, AS_USER_CONNECT, name);
	if (failed == 0)
		live_say(live, LIVE_OK, "milter socket",
		    "Postfix's user %s can connect to %s in %s%s", postfix.user,
		    name, postfix.folder, chrooted ? " (chroot)" : "");
	else
		live_say(live, LIVE_ERROR, "milter socket",
		    "Postfix's user %s cannot connect to %s in %s%s: %s; %s",
		    postfix.user, name, postfix.folder,
		    chrooted ? " (chroot)" : "", as_user_reason(failed),
		    advice(failed));
}

static void
check_socket(struct live *live)
{
	const struct milter_place place = live_place(live);
	struct endpoint ours = { 0 };
	struct buf path;
	struct error err;
	char chrooted[16] = "";
	char absolute[PATH_ROOM];

	endpoint_of_libmilter(slice_of(place.socket), &ours);
	if (ours.is_inet || !live->has_postfix)
		return;
	if (!postconf_column(live->config->inject.postconf,
		"cleanup/unix/chroot", chrooted, &err))
		live_say(live, LIVE_ERROR, "postfix", "%s", err.text);
	if (strcmp(chrooted, "y") == 0 && !milter_is_reachable(&place)) {
		live_say(live, LIVE_ERROR, "milter socket",
		    "%s is not below %.*s, where Postfix's cleanup is "
		    "chrooted; set milter.socket: "
		    "unix:%.*s/mailhaul/milter.sock",
		    place.socket, SLICE_ARG(place.queue_directory),
		    SLICE_ARG(place.queue_directory));
		return;
	}
	snprintf(absolute, sizeof(absolute), "%.*s", SLICE_ARG(ours.path));
	check_folder(live, absolute);
	buf_init(&path, PATH_ROOM);
	if (!endpoint_below(&ours, place.queue_directory, &path))
		buf_add(&path, ours.path);
	check_as_postfix(live, buf_slice(&path), strcmp(chrooted, "y") == 0);
	buf_clear(&path);
}

static void
check_control(struct live *live)
{
	const char *path = live->config->milter.control;
	const struct as_user fetcher = { .user = FETCHER_USER };
	int failed = as_user_can(FETCHER_USER)
			 ? as_user_try(&fetcher, AS_USER_CONNECT, path)
			 : 0;
	struct buf answer;
	struct error err;

	if (failed != 0) {
		live_say(live, LIVE_ERROR, "milter",
		    "%s cannot connect to %s: %s; %s", FETCHER_USER, path,
		    as_user_reason(failed),
		    failed == EACCES
			? "its folder must be of the group mailhaul, mode 2770"
			: "start mailhaul-milter");
		return;
	}
	buf_init(&answer, CONTROL_LINE_MAX * 4);
	if (!control_socket_ask(path, "READY", READY_TIMEOUT_MS, &answer, &err))
		live_say(live, LIVE_ERROR, "milter",
		    "%s; restart mailhaul-milter", err.text);
	else if (slice_starts(buf_slice(&answer), SLICE("OK")))
		live_say(live, LIVE_OK, "milter", "ready (%s)", path);
	else
		live_say(live, LIVE_ERROR, "milter",
		    "cannot judge mail now, so that none is fetched: %.*s",
		    SLICE_ARG(slice_trim(buf_slice(&answer))));
	buf_clear(&answer);
}

void
live_check_milter(struct live *live)
{
	check_socket(live);
	check_control(live);
}
