/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/comparison.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "state/seen_mailbox.h"

#include <stdlib.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
/* For so long a message that has gone may come back and be known. */
#define KEPT_TOMBSTONE_MS (30 * DAY_MS)
#define DELETED_TOMBSTONE_MS (3 * DAY_MS)

struct comparison {
	struct seen *seen;
	struct storage_listing *listing;
	struct listed **sorted; /* by UID */
	size_t at;              /* the walk is here */
	struct seen_mailbox mailbox;
	bool by_content; /* there are entries without a UID of their own */
	bool burying;    /* the second walk */
	/* Rows that were settled once: */
	size_t matched, missing, recognisable;
	size_t gone;  /* rows in all that are missing */
	size_t fresh; /* entries without a row */
};

static struct slice
uid_of(const struct storage_listing *l, const struct listed *entry)
{
	return (struct slice){ l->uids + entry->uid_offset, entry->uid_len };
}

static int
compare_uids(const void *a, const void *b, void *arg)
{
	const struct listed *const *x = a, *const *y = b;

	return slice_compare(uid_of(arg, *x), uid_of(arg, *y));
}

/* Two messages of one content are as good as one. */
static bool
is_identity(struct slice uid)
{
	return slice_starts(uid, SLICE(IDENTITY_PREFIX));
}

static void
sort(struct comparison *c)
{
	struct storage_listing *l = c->listing;

	c->sorted = mem_new_array(l->n, sizeof(struct listed *));
	for (size_t i = 0; i < l->n; i++) {
		c->sorted[i] = &l->entries[i];
		c->sorted[i]->duplicate = false;
		c->sorted[i]->row = (struct seen_row){ .status = SEEN_NEW };
		c->by_content |= c->sorted[i]->uid_len == 0;
	}
	qsort_r(c->sorted, l->n, sizeof(struct listed *), compare_uids, l);
	for (size_t i = 1; i < l->n; i++) {
		struct slice uid = uid_of(l, c->sorted[i]);

		if (uid.len == 0 || is_identity(uid) ||
		    !slice_equal(uid_of(l, c->sorted[i - 1]), uid))
			continue;
		c->sorted[i - 1]->duplicate = c->sorted[i]->duplicate = true;
		c->by_content |= !l->keeps;
	}
}

static bool
is_settled(enum seen_status status)
{
	return status == SEEN_INJECTED || status == SEEN_PARKED ||
	       status == SEEN_DROPPED || status == SEEN_DISPOSED ||
	       status == SEEN_BASELINE || status == SEEN_DUPLICATE;
}

/* Under another host or user a UID alone proves nothing. */
static bool
is_same(const struct comparison *c, const struct listed *entry,
    const struct seen_row *row)
{
	return !entry->duplicate &&
	       (!c->mailbox.foreign ||
		   (row->size != 0 && row->size == entry->size));
}

/* Gives the row to its entry: both come in the order of their UIDs. */
static bool
match(struct comparison *c, const struct seen_entry *known)
{
	struct storage_listing *l = c->listing;
	bool found = false;
	int order = -1;

	while (
	    c->at < l->n && (order = slice_compare(
				 uid_of(l, c->sorted[c->at]), known->uid)) < 0)
		c->at++;
	/* More than one only of the same content. */
	for (; c->at < l->n && order == 0; c->at++) {
		struct listed *entry = c->sorted[c->at];

		order = slice_compare(uid_of(l, entry), known->uid);
		if (order != 0)
			break;
		if (!is_same(c, entry, &known->row))
			continue;
		entry->row = known->row;
		found = true;
	}
	return found;
}

static bool
is_present(void *arg, const struct seen_entry *known)
{
	struct comparison *c = arg;
	bool present =
	    match(c, known) || (c->by_content && is_identity(known->uid));
	bool settled = is_settled(known->row.status);

	if (c->burying)
		return present;
	c->gone += !present;
	c->matched += present && settled;
	c->missing += !present && settled;
	c->recognisable += !present && settled && known->content != NULL;
	return true;
}

static bool
walk(struct comparison *c, bool burying, struct error *err)
{
	c->burying = burying;
	c->at = 0;
	return seen_walk(c->seen, c->listing->mailbox, is_present, c, err);
}

/* "office" of "yaml:office/INBOX". */
static struct slice
account_name(const struct comparison *c)
{
	struct slice name = slice_of(c->listing->mailbox), space;

	slice_cut_until(&name, ':', &space);
	return slice_first(name, slice_find(name, '/'));
}

static bool
check_uids(const struct comparison *c, struct error *err)
{
	const struct storage_listing *l = c->listing;

	if (!l->keeps || l->n == 0 || c->sorted[0]->uid_len > 0)
		return true;
	return error_set(err, ERROR_CONFIG,
	    "the server names no UIDs (it has no UIDL), so a message that "
	    "stays there could not be told from a new one: only `keep: none` "
	    "is possible");
}

/* No UID of its own, and we do not know its content: it cannot be skipped. */
static bool
check_wish(const struct comparison *c, struct error *err)
{
	if (c->mailbox.wish != WISH_BASELINE || !c->by_content)
		return true;
	return error_set(err, ERROR_CONFIG,
	    "the server names no UIDs, so nothing there can be marked as "
	    "collected: `mailhaul seen adopt %.*s` collects it all",
	    SLICE_ARG(account_name(c)));
}

#define COMMANDS                                                               \
	"`mailhaul seen baseline %.*s` takes all that is there now as "        \
	"collected, `mailhaul seen adopt %.*s` collects it"

static bool
check_owner(const struct comparison *c, struct error *err)
{
	struct slice name = account_name(c);

	return !c->mailbox.foreign || c->mailbox.wish != WISH_NONE ||
	       error_set(err, ERROR_CONFIG,
		   "its name was used for %s before, and the state under it "
		   "belongs to that mailbox: give this one another account "
		   "name; or, if its mail has moved, `mailhaul seen adopt "
		   "%.*s`",
		   c->mailbox.owner, SLICE_ARG(name));
}

/* Rather ask than deliver a whole mailbox once more. */
static bool
check_strangeness(const struct comparison *c, struct error *err)
{
	struct slice name = account_name(c);

	if (c->mailbox.wish != WISH_NONE || c->listing->partial)
		return true;
	if (!c->mailbox.known && c->listing->keeps && c->listing->n > FIRST_MAX)
		return error_set(err, ERROR_CONFIG,
		    "it holds %zu messages, which are to stay there, and "
		    "nothing is known of them: " COMMANDS,
		    c->listing->n, SLICE_ARG(name), SLICE_ARG(name));
	if (c->missing >= STRANGE_MIN && c->matched == 0 &&
	    c->fresh >= STRANGE_MIN && 2 * c->recognisable < c->missing)
		return error_set(err, ERROR_CONFIG,
		    "none of the %zu messages that were there before is left, "
		    "%zu others are, and most cannot be recognised: " COMMANDS,
		    c->missing, c->fresh, SLICE_ARG(name), SLICE_ARG(name));
	return true;
}

static bool
claim(const struct comparison *c, struct error *err)
{
	const struct storage_listing *l = c->listing;

	return seen_mailbox_claim(c->seen, l->mailbox, l->host, l->user, err) &&
	       (c->mailbox.wish == WISH_NONE ||
		   seen_wish_done(c->seen, l->mailbox, err));
}

static bool
take_as_collected(const struct comparison *c, struct error *err)
{
	const struct storage_listing *l = c->listing;

	for (size_t i = 0; i < l->n; i++) {
		struct listed *entry = &l->entries[i];
		struct seen_entry mark = {
			.mailbox = l->mailbox,
			.uid = uid_of(l, entry),
			.row = { .status = SEEN_BASELINE, .size = entry->size },
			.id = "",
			.reason = "",
		};

		if (entry->row.status != SEEN_NEW || entry->duplicate)
			continue;
		if (!seen_put(c->seen, &mark, err))
			return false;
		entry->row = mark.row;
	}
	return true;
}

static bool
carry_out(struct comparison *c, struct error *err)
{
	const struct storage_listing *l = c->listing;
	int64_t life = l->keeps ? KEPT_TOMBSTONE_MS : DELETED_TOMBSTONE_MS;

	if (!claim(c, err))
		return false;
	if (c->gone > 0 && !l->partial && !walk(c, true, err))
		return false;
	if (c->gone > 0 && !l->partial)
		log_debug("%s: %zu messages are gone", l->mailbox, c->gone);
	return (c->mailbox.wish != WISH_BASELINE ||
		   take_as_collected(c, err)) &&
	       seen_expire(c->seen, l->mailbox, clock_wall_ms() - life, err) &&
	       (c->fresh == 0 ||
		   seen_tombstones(c->seen, l->mailbox, &c->listing->tombstones,
		       &c->listing->n_tombstones, err));
}

bool
comparison_run(struct seen *seen, struct storage_listing *l, struct error *err)
{
	struct comparison c = { .seen = seen, .listing = l };
	bool ok;

	free(l->tombstones);
	l->tombstones = NULL;
	l->n_tombstones = 0;
	c.mailbox.mailbox = l->mailbox;
	c.mailbox.host = l->host;
	c.mailbox.user = l->user;
	if (!seen_mailbox_find(seen, &c.mailbox, err))
		return false;
	sort(&c);
	ok = check_owner(&c, err) && check_uids(&c, err) &&
	     check_wish(&c, err) && walk(&c, false, err);
	for (size_t i = 0; i < l->n; i++)
		c.fresh += l->entries[i].row.status == SEEN_NEW;
	ok = ok && check_strangeness(&c, err) && carry_out(&c, err);
	free(c.sorted);
	return ok;
}
