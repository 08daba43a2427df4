/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/readable.h"
#include "state/content.h"
#include "state/seen_revise.h"

/* On the wire each line ends in CRLF, in a file perhaps in LF: only what is
 * before an LF may be either. */
static void
feed(struct content *c, struct slice s, bool *held)
{
	while (s.len > 0) {
		size_t len = slice_find(s, '\r');

		if (*held && s.data[0] != '\n')
			content_feed(c, SLICE("\r"));
		content_feed(c, slice_first(s, len));
		*held = len < s.len;
		s = slice_from(s, len + 1);
	}
}

static bool
read_content(
    const struct explained_message *message, uint8_t *out, struct error *err)
{
	uint8_t piece[4096];
	struct content c;
	bool held = false;
	size_t n;

	content_init(&c);
	feed(&c, message->header, &held);
	while ((n = fread(piece, 1, sizeof(piece), message->rest)) > 0)
		feed(&c, (struct slice){ piece, n }, &held);
	if (held)
		content_feed(&c, SLICE("\r"));
	content_end(&c, out);
	return !ferror(message->rest) ||
	       error_errno(err, ERROR_LOCAL, errno, "the message");
}

static void
tell(void *arg, const struct seen_entry *found)
{
	static const char *const fates[SEEN_STATUSES] = {
		[SEEN_RETRY] = "tried again",
		[SEEN_PARKED] = "left there",
		[SEEN_DROPPED] = "left there",
		[SEEN_BASELINE] = "left there",
	};
	struct explanation *e = arg;
	enum seen_status status = found->row.status;
	bool gone = found->uid.len == 0;
	char time[READABLE_SIZE];
	int len;

	e->known = gone ? KNOWN_GONE : KNOWN_LISTED;
	readable_time(found->since_ms, time);
	len = snprintf(e->known_text, sizeof(e->known_text), "%s since %s%s%s",
	    seen_status_name(status), time, found->id[0] == '\0' ? "" : ", as ",
	    found->id);
	if (!gone || len < 0 || (size_t)len >= sizeof(e->known_text))
		return;
	snprintf(e->known_text + len, sizeof(e->known_text) - (size_t)len,
	    ", and gone from the mailbox: if it comes back there, it is "
	    "recognised by its content, and %s",
	    fates[status] == NULL ? "disposed of without being delivered again"
				  : fates[status]);
}

/* Leaves "none" if there is nothing. */
static bool
look_up(struct explanation *e, const struct config *config,
    const struct explained_message *message, struct error *err)
{
	uint8_t content[SEEN_CONTENT_SIZE];
	char account[ACCOUNT_KEY_SIZE];
	struct seen *seen;
	bool ok;

	if (!read_content(message, content, err) ||
	    !explanation_open_state(config, &seen, err))
		return false;
	if (seen == NULL)
		return true;
	account_key(e->account, account, sizeof(account));
	ok = seen_visit_same(seen,
	    &(struct seen_entry){
		.mailbox = account, .id = message->id, .content = content },
	    tell, e, err);
	seen_close(seen);
	return ok;
}

void
explanation_find_known(struct explanation *e, const struct config *config,
    const struct explained_message *message)
{
	off_t at = ftello(message->rest);
	struct error err;

	snprintf(e->known_text, sizeof(e->known_text),
	    "no message of this content was collected by the account");
	if (!look_up(e, config, message, &err)) {
		e->known = KNOWN_UNKNOWN;
		snprintf(e->known_text, sizeof(e->known_text),
		    "whether it was collected before cannot be known: %.400s",
		    err.text);
	}
	fseeko(message->rest, at, SEEK_SET);
}

const char *
explanation_known_name(enum explanation_known known)
{
	static const char *const names[] = {
		[KNOWN_NONE] = "none",
		[KNOWN_LISTED] = "listed",
		[KNOWN_GONE] = "recognised",
		[KNOWN_UNKNOWN] = "unknown",
	};

	return names[known];
}
