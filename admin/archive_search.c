/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/archive_search.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/archived_mail.h"
#include "base/mem.h"
#include "mail/header.h"
#include "state/archive.h"

struct slice
message_id_bare(struct slice id)
{
	id = slice_trim(id);
	if (id.len >= 2 && id.data[0] == '<' && id.data[id.len - 1] == '>')
		id = slice_first(slice_from(id, 1), id.len - 2);
	return id;
}

static bool
has_message_id(const struct archived_mail *mail, struct slice bare)
{
	struct slice header = archived_mail_header(mail);
	struct header_field f;

	/* Most of them do not hold these bytes anywhere. */
	return memmem(header.data, header.len, bare.data, bare.len) != NULL &&
	       header_find(header, "Message-ID", &f) &&
	       slice_equal(message_id_bare(f.body), bare);
}

static void
look_at(const char *state_dir, const char *id, struct slice bare,
    struct archive_hits *hits)
{
	struct archived_mail mail;
	struct error err;
	bool ok;
	int fd;

	/* Expired meanwhile, or not of ours. */
	if (!archive_open(state_dir, id, &fd, &err))
		return;
	ok = archived_mail_read(fd, &mail, &err);
	close(fd);
	if (!ok)
		return;
	hits->searched++;
	if (has_message_id(&mail, bare)) {
		hits->ids =
		    mem_resize(hits->ids, hits->n + 1, sizeof(*hits->ids));
		hits->ids[hits->n++] = mem_string(id);
	}
	archived_mail_clear(&mail);
}

bool
archive_search(const char *state_dir, struct slice message_id,
    struct archive_hits *hits, struct error *err)
{
	struct slice bare = message_id_bare(message_id);
	struct archive_list files;

	*hits = (struct archive_hits){ .n = 0 };
	if (!archive_read(state_dir, &files, err))
		return false;
	for (size_t i = files.n; i > 0 && bare.len > 0; i--)
		look_at(state_dir, files.all[i - 1].id, bare, hits);
	archive_list_clear(&files);
	return true;
}

void
archive_hits_clear(struct archive_hits *hits)
{
	for (size_t i = 0; i < hits->n; i++)
		free(hits->ids[i]);
	free(hits->ids);
	*hits = (struct archive_hits){ .n = 0 };
}
