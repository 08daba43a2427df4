/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/delivery_log.h"

#include "base/log.h"
#include "fetcher/folder_key.h"
#include "recipients/candidates.h"

enum { LINE_MAX_LEN = 4096 };

/* How a message's line begins, up to its status. */
static const char *
describe(const struct delivery_message *m, struct buf *line)
{
	char uid[4 * SEEN_UID_MAX + 8], sender[ADDRESS_TEXT_SIZE];
	char folder[FOLDER_WORDS_SIZE];

	buf_init(line, LINE_MAX_LEN);
	folder_words(m->account, m->mailbox, folder);
	buf_printf(line,
	    "%s: account=%s%s%s uid=\"%s\" size=%llu sender=<%s> source=%s "
	    "candidates=%zu",
	    m->id, m->account->name, folder[0] == '\0' ? "" : " ", folder,
	    log_quotable(uid, sizeof(uid), m->uid), (unsigned long long)m->size,
	    address_write(&m->sender, sender), tier_name(m->tier),
	    m->n_candidates);
	return buf_string(line);
}

void
delivery_log(
    const struct delivery_message *message, const struct delivery_fate *fate)
{
	const char *status = seen_status_name(fate->status);
	char reason[2 * ERROR_TEXT_MAX];
	struct buf line;

	describe(message, &line);
	if (fate->status == SEEN_DUPLICATE)
		log_info("%s status=%s original=%s", buf_string(&line), status,
		    fate->original_id);
	else if (fate->status == SEEN_INJECTED)
		log_info("%s status=%s%s%s", buf_string(&line), status,
		    fate->queue_id[0] == '\0' ? "" : " queue=", fate->queue_id);
	else
		log_warning("%s status=%s%s%s reason=\"%s\"", buf_string(&line),
		    status,
		    fate->queue_id[0] == '\0' ? "" : " queue=", fate->queue_id,
		    log_quotable(
			reason, sizeof(reason), slice_of(fate->reason)));
	buf_clear(&line);
}

void
delivery_log_recognised(
    const struct delivery_message *message, enum seen_status known_as)
{
	struct buf line;

	log_info("%s status=recognised reason=\"the same message as one that "
		 "is known as %s\"",
	    describe(message, &line), seen_status_name(known_as));
	buf_clear(&line);
}
