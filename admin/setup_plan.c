/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/setup_plan.h"

#include "base/mem.h"
#include "postfix/words.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 1024 * 1024 };

static const char *const names[N_SETUP_SETTINGS] = {
	[SETUP_MILTERS] = "non_smtpd_milters",
	[SETUP_CLASSES] = "notify_classes",
	[SETUP_UTF8] = "smtputf8_autodetect_classes",
	[SETUP_LISTENER] = "mailhaul/unix",
};

/* The postmaster hears of collected mail that cannot be delivered. */
static const char *const classes[] = { "bounce", "2bounce" };
enum { N_CLASSES = sizeof(classes) / sizeof(classes[0]) };

/* Of the listener.  Who can reach its socket is the fetcher; what main.cf
 * demands of clients from the network must not stop collected mail. */
static const char *const listener_options[] = {
	"syslog_name=postfix/mailhaul",
	"milter_macro_daemon_name=MAILHAUL",
	"smtpd_milter_maps=",
	"smtpd_client_restrictions=",
	"smtpd_helo_restrictions=",
	"smtpd_sender_restrictions=",
	"smtpd_relay_restrictions=reject_unauth_destination",
	"smtpd_recipient_restrictions=reject_unauth_destination",
	"smtpd_data_restrictions=",
	"smtpd_end_of_data_restrictions=",
	"smtpd_reject_unlisted_sender=no",
	/* The client of the provider, again for each message: once told, it
	 * is the one that must be allowed to tell the next. */
	"smtpd_authorized_xclient_hosts=0.0.0.0/0,[::]/0",
	"smtpd_client_event_limit_exceptions=0.0.0.0/0,[::]/0",
	/* A session carries many messages, refused ones among them. */
	"smtpd_error_sleep_time=0",
	"smtpd_soft_error_limit=1001",
	"smtpd_hard_error_limit=1000",
	"smtpd_junk_command_limit=1000",
	/* What would want more than SMTP, or keep our milter from editing. */
	"smtpd_tls_security_level=none",
	"smtpd_tls_wrappermode=no",
	"smtpd_sasl_auth_enable=no",
	"smtpd_upstream_proxy_protocol=",
	"smtpd_proxy_filter=",
	/* As sendmail -G: the message stays as it was sent. */
	"local_header_rewrite_clients=",
};
enum { N_OPTIONS = sizeof(listener_options) / sizeof(listener_options[0]) };

const char *
setup_setting_name(enum setup_setting setting)
{
	return names[setting];
}

static char *
copy(const char *text)
{
	return text == NULL ? NULL : mem_string(text);
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The default, when main.cf does not have it. */
static const char *
effective(const struct setup_fact *now)
{
	return now->text == NULL ? now->all : now->text;
}

static size_t
count_ours(const char *list, const struct milter_place *place)
{
	struct slice rest = slice_of(list);
	struct milter_entry entry;
	size_t n = 0;

	while (milters_cut(&rest, &entry))
		n += milter_is_ours(&entry, place);
	return n;
}

/* A reference stays, unless it would bring ours once more. */
static void
write_milters(const struct setup_facts *facts, struct buf *out)
{
	const struct setup_fact *now = &facts->now[SETUP_MILTERS];
	const char *written = effective(now);

	if (milters_are_right(slice_of(now->all), &facts->place)) {
		buf_add_string(out, written);
		return;
	}
	if (count_ours(now->all, &facts->place) >
	    count_ours(written, &facts->place))
		written = now->all;
	milters_with_ours_first(slice_of(written), &facts->place, out);
}

static void
write_classes(const struct setup_facts *facts, struct buf *out)
{
	const struct setup_fact *now = &facts->now[SETUP_CLASSES];
	const char *text = effective(now);

	for (size_t i = 0; i < N_CLASSES; i++)
		if (!words_have(slice_of(now->all), slice_of(classes[i])))
			buf_printf(
			    out, "%s%s", out->len > 0 ? ", " : "", classes[i]);
	if (out->len > 0 && text[0] != '\0')
		buf_add_string(out, ", ");
	buf_add_string(out, text);
}

/* 8-bit headers are common, and Postfix must not want SMTPUTF8 for them: many a
 * server behind it does not offer that. */
static void
write_utf8(const struct setup_facts *facts, struct buf *out)
{
	const struct setup_fact *now = &facts->now[SETUP_UTF8];

	buf_add_string(out, words_have(slice_of(now->all), SLICE("sendmail")) ||
				    words_have(slice_of(now->all), SLICE("all"))
				? "verify"
				: effective(now));
}

/* With single blanks, as postconf -M spells it. */
static void
add_neatly(struct buf *out, const struct buf *text)
{
	struct slice rest = buf_slice(text), word;

	while (slice_cut_word(&rest, &word))
		buf_printf(
		    out, "%s%.*s", out->len > 0 ? " " : "", SLICE_ARG(word));
}

static void
write_listener(const struct setup_facts *facts, struct buf *out)
{
	struct buf line;

	buf_init(&line, VALUE_MAX);
	buf_printf(&line, "mailhaul unix n - %s - - smtpd -o {smtpd_milters=",
	    facts->chroot[0] == '\0' ? "-" : facts->chroot);
	milters_with_ours_first(
	    slice_of(facts->smtpd_milters), &facts->place, &line);
	buf_add_byte(&line, '}');
	for (size_t i = 0; i < N_OPTIONS; i++)
		buf_printf(&line, " -o %s", listener_options[i]);
	add_neatly(out, &line);
	buf_clear(&line);
}

static void (*const writers[N_SETUP_SETTINGS])(
    const struct setup_facts *, struct buf *) = {
	[SETUP_MILTERS] = write_milters,
	[SETUP_CLASSES] = write_classes,
	[SETUP_UTF8] = write_utf8,
	[SETUP_LISTENER] = write_listener,
};

void
setup_plan(
    const struct setup_facts *facts, bool listener, struct setup_changes *out)
{
	struct buf wanted;

	out->n = 0;
	buf_init(&wanted, VALUE_MAX);
	for (int i = 0; i < N_SETUP_SETTINGS; i++) {
		const struct setup_fact *now = &facts->now[i];

		if (i == SETUP_LISTENER && !listener)
			continue;
		buf_reset(&wanted);
		writers[i](facts, &wanted);
		if (!same(effective(now), buf_string(&wanted)))
			out->list[out->n++] =
			    (struct setup_change){ (enum setup_setting)i,
				    copy(now->text),
				    mem_string(buf_string(&wanted)) };
	}
	buf_clear(&wanted);
}

static void
without_classes(
    const char *now, const struct setup_change *made, struct buf *out)
{
	struct slice rest = slice_of(now), word;
	struct slice before = slice_of(made->before);

	while (words_cut(&rest, &word)) {
		bool ours = false;

		for (size_t i = 0; i < N_CLASSES; i++)
			if (slice_equal_nocase(word, slice_of(classes[i])))
				ours =
				    words_have(slice_of(made->after), word) &&
				    !words_have(before, word);
		if (!ours)
			buf_printf(out, "%s%.*s", out->len > 0 ? ", " : "",
			    SLICE_ARG(word));
	}
}

/* Somebody changed the value since: only our part goes. */
static char *
without_ours(const struct setup_facts *facts, const struct setup_change *made,
    const char *now)
{
	struct buf left;
	char *text;

	buf_init(&left, VALUE_MAX);
	if (made->setting == SETUP_MILTERS)
		milters_without_ours(slice_of(now), &facts->place, &left);
	else if (made->setting == SETUP_CLASSES)
		without_classes(now, made, &left);
	else if (made->setting == SETUP_UTF8)
		buf_add_string(&left, now);
	text = left.len == 0 && made->before == NULL
		   ? NULL
		   : mem_string(buf_string(&left));
	buf_clear(&left);
	return text;
}

bool
setup_plan_undo(const struct setup_facts *facts,
    const struct setup_change *made, struct setup_change *out)
{
	const char *now = facts->now[made->setting].text;

	*out = (struct setup_change){ made->setting, copy(now), NULL };
	/* The listener is ours as a whole, whatever it looks like now. */
	if (now != NULL &&
	    (made->setting == SETUP_LISTENER || same(now, made->after)))
		out->after = copy(made->before);
	else if (now != NULL)
		out->after = without_ours(facts, made, now);
	if (!same(out->before, out->after))
		return true;
	setup_change_clear(out);
	return false;
}

void
setup_change_clear(struct setup_change *change)
{
	free(change->before);
	free(change->after);
	change->before = change->after = NULL;
}

void
setup_changes_clear(struct setup_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		setup_change_clear(&changes->list[i]);
	changes->n = 0;
}
