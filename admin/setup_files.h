/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup_files - Postfix's files for setup: what is in them, copies of them, and
 * the changes, by postconf(1).
 */
#ifndef ADMIN_SETUP_FILES_H
#define ADMIN_SETUP_FILES_H

#include "admin/postconf.h"
#include "admin/setup_plan.h"

struct setup_now {
	struct setup_facts facts;
	const char *config_directory;
	char cleanup_chroot[16];
	/* What the above points into. */
	char *config_directory_text, *queue_directory, *smtpd_milters;
	char *written[N_SETUP_SETTINGS], *all[N_SETUP_SETTINGS];
	char chroot[16];
};

bool setup_now_read(const char *postconf, const char *milter_socket,
    struct setup_now *, struct error *);
void setup_now_clear(struct setup_now *);

/* "main.cf" or "master.cf" */
const char *setup_file_name(enum setup_setting);
/* FOLDER/NAME, to be freed. */
char *setup_path(const char *folder, const char *name);
/* Copies the files that will change to FILE.mailhaul-TIME beside them, and
 * prints the names. */
bool setup_files_back_up(
    const char *folder, const struct setup_changes *, struct error *);
bool setup_files_change(
    const char *postconf, const struct setup_changes *, struct error *);

#endif
