/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/setup_files.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_ROOM = 4096, FILE_MAX = 8 * 1024 * 1024, COPIES_MAX = 100 };

static char *
take(struct postconf_value *value)
{
	char *text = value->text;

	value->text = NULL;
	return text == NULL ? mem_string("") : text;
}

static bool
read_expanded(const char *postconf, struct setup_now *now, struct error *err)
{
	struct postconf_value values[] = {
		{ .name = "non_smtpd_milters" },
		{ .name = "notify_classes" },
		{ .name = "smtputf8_autodetect_classes" },
		{ .name = "smtpd_milters" },
		{ .name = "queue_directory" },
		{ .name = "config_directory" },
	};
	enum { N = sizeof(values) / sizeof(values[0]) };

	if (!postconf_read(postconf, POSTCONF_EXPANDED, values, N, err))
		return false;
	now->all[SETUP_MILTERS] = take(&values[0]);
	now->all[SETUP_CLASSES] = take(&values[1]);
	now->all[SETUP_UTF8] = take(&values[2]);
	now->smtpd_milters = take(&values[3]);
	now->queue_directory = take(&values[4]);
	now->config_directory_text = take(&values[5]);
	postconf_values_clear(values, N);
	return true;
}

static bool
read_written(const char *postconf, struct setup_now *now, struct error *err)
{
	struct postconf_value values[] = {
		{ .name = "non_smtpd_milters" },
		{ .name = "notify_classes" },
		{ .name = "smtputf8_autodetect_classes" },
	};
	enum { N = sizeof(values) / sizeof(values[0]) };

	if (!postconf_read(postconf, POSTCONF_ONLY_SET, values, N, err))
		return false;
	now->written[SETUP_MILTERS] = values[0].text;
	now->written[SETUP_CLASSES] = values[1].text;
	now->written[SETUP_UTF8] = values[2].text;
	return true;
}

static bool
read_services(const char *postconf, struct setup_now *now, struct error *err)
{
	return postconf_service(postconf, setup_setting_name(SETUP_LISTENER),
		   &now->written[SETUP_LISTENER], err) &&
	       postconf_column(
		   postconf, "smtp/inet/chroot", now->chroot, err) &&
	       postconf_column(
		   postconf, "cleanup/unix/chroot", now->cleanup_chroot, err);
}

bool
setup_now_read(const char *postconf, const char *milter_socket,
    struct setup_now *now, struct error *err)
{
	*now = (struct setup_now){ .facts.place.socket = milter_socket };
	if (!read_expanded(postconf, now, err) ||
	    !read_written(postconf, now, err) ||
	    !read_services(postconf, now, err)) {
		setup_now_clear(now);
		return false;
	}
	for (int i = 0; i < N_SETUP_SETTINGS; i++) {
		now->facts.now[i].text = now->written[i];
		now->facts.now[i].all = now->all[i];
	}
	now->facts.smtpd_milters = now->smtpd_milters;
	now->facts.chroot = now->chroot;
	now->facts.place.queue_directory = slice_of(now->queue_directory);
	now->config_directory = now->config_directory_text;
	return true;
}

void
setup_now_clear(struct setup_now *now)
{
	for (int i = 0; i < N_SETUP_SETTINGS; i++) {
		free(now->written[i]);
		free(now->all[i]);
	}
	free(now->config_directory_text);
	free(now->queue_directory);
	free(now->smtpd_milters);
	*now = (struct setup_now){ .config_directory = NULL };
}

const char *
setup_file_name(enum setup_setting setting)
{
	return setting == SETUP_LISTENER ? "master.cf" : "main.cf";
}

char *
setup_path(const char *folder, const char *name)
{
	struct buf path;
	char *text;

	buf_init(&path, PATH_ROOM);
	buf_printf(&path, "%s/%s", folder, name);
	text = mem_string(buf_string(&path));
	buf_clear(&path);
	return text;
}

/* Two runs may fall into one second. */
static bool
create_copy(const char *path, struct slice text, mode_t mode, struct error *err)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm utc;
	struct buf copy;
	bool existed = true, ok = true;

	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	buf_init(&copy, PATH_ROOM);
	for (int i = 0; ok && existed && i < COPIES_MAX; i++) {
		buf_reset(&copy);
		buf_printf(&copy, "%s.mailhaul-%s", path, stamp);
		if (i > 0)
			buf_printf(&copy, ".%d", i);
		ok = file_create(buf_string(&copy), text, mode, &existed, err);
	}
	if (ok && existed)
		ok =
		    error_set(err, ERROR_LOCAL, "%s exists", buf_string(&copy));
	if (ok)
		printf("Copy: %s\n", buf_string(&copy));
	buf_clear(&copy);
	return ok;
}

static bool
back_up(const char *folder, const char *name, struct error *err)
{
	char *path = setup_path(folder, name);
	struct buf text;
	struct stat st;
	bool ok;

	buf_init(&text, FILE_MAX);
	ok = file_read(path, &text, err) &&
	     create_copy(path, buf_slice(&text),
		 stat(path, &st) == 0 ? st.st_mode & 0777 : 0600, err);
	buf_clear(&text);
	free(path);
	return ok;
}

bool
setup_files_back_up(
    const char *folder, const struct setup_changes *changes, struct error *err)
{
	const char *last = "";

	for (size_t i = 0; i < changes->n; i++) {
		const char *name = setup_file_name(changes->list[i].setting);

		if (strcmp(name, last) != 0 && !back_up(folder, name, err))
			return false;
		last = name;
	}
	return true;
}

static bool
change(const char *postconf, const struct setup_change *c, struct error *err)
{
	const char *name = setup_setting_name(c->setting);
	bool service = c->setting == SETUP_LISTENER;
	const char *arguments[] = { service ? "-M" : "-e", NULL, NULL };
	struct buf pair;
	bool ok;

	buf_init(&pair, FILE_MAX);
	buf_add_string(&pair, name);
	if (c->after == NULL)
		arguments[0] = service ? "-MX" : "-X";
	else
		buf_printf(&pair, "=%s", c->after);
	arguments[1] = buf_string(&pair);
	ok = postconf_change(postconf, arguments, err);
	buf_clear(&pair);
	return ok;
}

bool
setup_files_change(const char *postconf, const struct setup_changes *changes,
    struct error *err)
{
	for (size_t i = 0; i < changes->n; i++)
		if (!change(postconf, &changes->list[i], err))
			return false;
	return true;
}
