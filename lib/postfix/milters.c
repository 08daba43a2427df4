/* SPDX-License-Identifier: Apache-2.0 */
#include "postfix/milters.h"

#include "postfix/endpoint.h"
#include "postfix/words.h"

/* tempfail: collected mail waits while the milter is away.  The times are
 * above what the milter itself takes for a directory that does not answer. */
static const char options[] = "default_action=tempfail, connect_timeout=5s, "
			      "command_timeout=30s, content_timeout=60s";

/* What is between the braces; without them, the whole. */
static struct slice
without_braces(struct slice s)
{
	if (s.len >= 2 && s.data[0] == '{' && s.data[s.len - 1] == '}')
		return slice_trim(slice_first(slice_from(s, 1), s.len - 2));
	return s;
}

bool
milters_cut(struct slice *list, struct milter_entry *entry)
{
	if (!words_cut(list, &entry->text))
		return false;
	entry->options = without_braces(entry->text);
	if (!words_cut(&entry->options, &entry->endpoint))
		entry->endpoint = SLICE("");
	return true;
}

struct slice
milter_option(const struct milter_entry *entry, struct slice name)
{
	struct slice rest = entry->options, word, found;

	while (words_cut(&rest, &word)) {
		word = without_braces(word);
		if (slice_cut_until(&word, '=', &found) &&
		    slice_equal(slice_trim(found), name))
			return slice_trim(word);
	}
	return SLICE("");
}

bool
milter_is_ours(
    const struct milter_entry *entry, const struct milter_place *place)
{
	struct endpoint theirs = { 0 }, ours = { 0 };

	if (!endpoint_of_postfix(entry->endpoint, &theirs))
		return false;
	endpoint_of_libmilter(slice_of(place->socket), &ours);
	return endpoint_same(&theirs, &ours, place->queue_directory);
}

bool
milters_name(struct slice list, const struct milter_place *place)
{
	struct milter_entry entry;

	while (milters_cut(&list, &entry)) {
		if (milter_is_ours(&entry, place))
			return true;
	}
	return false;
}

bool
milters_are_right(struct slice list, const struct milter_place *place)
{
	struct milter_entry first;

	return milters_cut(&list, &first) && milter_is_ours(&first, place) &&
	       slice_equal(milter_option(&first, SLICE("default_action")),
		   SLICE("tempfail")) &&
	       !milters_name(list, place);
}

bool
milter_is_reachable(const struct milter_place *place)
{
	struct endpoint ours = { 0 };
	struct buf path;
	bool below;

	endpoint_of_libmilter(slice_of(place->socket), &ours);
	buf_init(&path, slice_of(place->socket).len + 1);
	below = endpoint_below(&ours, place->queue_directory, &path);
	buf_clear(&path);
	return ours.is_inet || below;
}

void
milter_write(const struct milter_place *place, struct buf *out)
{
	struct endpoint ours = { 0 };

	endpoint_of_libmilter(slice_of(place->socket), &ours);
	buf_add_string(out, "{ ");
	endpoint_write(&ours, place->queue_directory, out);
	buf_printf(out, ", %s }", options);
}

/* Takes ours off the front, where setup puts it. */
static struct slice
behind_ours(struct slice list, const struct milter_place *place)
{
	struct milter_entry entry;
	struct slice rest = slice_trim(list);

	while (milters_cut(&rest, &entry))
		if (!milter_is_ours(&entry, place))
			return slice_trim(slice_from(
			    list, (size_t)(entry.text.data - list.data)));
	return SLICE("");
}

void
milters_without_ours(
    struct slice list, const struct milter_place *place, struct buf *out)
{
	struct milter_entry entry;
	const char *comma = "";

	list = behind_ours(list, place);
	if (!milters_name(list, place)) {
		buf_add(out, list);
		return;
	}
	while (milters_cut(&list, &entry)) {
		if (milter_is_ours(&entry, place))
			continue;
		buf_add_string(out, comma);
		buf_add(out, entry.text);
		comma = ", ";
	}
}

void
milters_with_ours_first(
    struct slice list, const struct milter_place *place, struct buf *out)
{
	struct buf others;

	buf_init(&others, list.len * 2 + 1);
	milters_without_ours(list, place, &others);
	milter_write(place, out);
	if (others.len > 0)
		buf_add_string(out, ", ");
	buf_add(out, buf_slice(&others));
	buf_clear(&others);
}
