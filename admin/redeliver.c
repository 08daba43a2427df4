/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/redeliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/archived_mail.h"
#include "admin/postconf.h"
#include "base/control_socket.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "policy/intake.h"
#include "postfix/milters.h"
#include "recipients/candidates.h"
#include "state/archive.h"
#include "state/ticket_key.h"

#define NAMESPACE "archive:"
enum { MILTER_MS = 15 * 1000 };

struct redelivery {
	const struct config *config;
	const char *id;
	const struct address *to;
	struct archived_mail mail;
	struct address sender, recipient; /* of the envelope */
	int fd;                           /* what sendmail reads */
};

static bool
milter_is_ready(const struct config *config, struct error *err)
{
	struct slice answer;
	struct buf text;
	bool ready;

	if (!config->inject.require_milter)
		return true;
	buf_init(&text, CONTROL_LINE_MAX + ERROR_TEXT_MAX);
	ready = control_socket_ask(
	    config->milter.control, "READY", MILTER_MS, &text, err);
	answer = slice_trim(buf_slice(&text));
	if (ready && !slice_equal(answer, SLICE("OK")))
		ready = error_set(
		    err, ERROR_RETRY, "the milter: %.*s", SLICE_ARG(answer));
	else if (!ready) {
		error_prefix(err, "the milter cannot be asked");
		err->kind = ERROR_RETRY;
	}
	buf_clear(&text);
	return ready;
}

/* Else the mail would go to the fallback with its ticket on top, which may name
 * people of Bcc. */
static bool
milter_is_named(const struct config *config, struct error *err)
{
	struct postconf_value values[] = { { .name = "non_smtpd_milters" },
		{ .name = "queue_directory" } };
	struct milter_place place = { .socket = config->milter.socket };
	bool ok;

	if (!config->inject.require_milter)
		return true;
	if (!postconf_read(
		config->inject.postconf, POSTCONF_EXPANDED, values, 2, err))
		return false;
	place.queue_directory =
	    slice_of(postconf_text(values, 2, "queue_directory"));
	ok = milters_name(
		 slice_of(postconf_text(values, 2, "non_smtpd_milters")),
		 &place) ||
	     error_set(err, ERROR_RETRY,
		 "non_smtpd_milters in Postfix's main.cf does not name our "
		 "milter (mailhaul setup postfix)");
	postconf_values_clear(values, 2);
	return ok;
}

static struct address
find_sender(const struct redelivery *r)
{
	char *name = mem_string_len(
	    r->mail.trace.account.data, r->mail.trace.account.len);
	const struct account *account = config_account(r->config, name);
	struct address sender = { .local = "" };
	struct candidates candidates;

	free(name);
	if (account == NULL)
		return sender;
	candidates_find(
	    r->config, account, archived_mail_header(&r->mail), &candidates);
	sender = intake_sender(r->config, account, &candidates);
	candidates_clear(&candidates);
	return sender;
}

/* The fallback as the ticket gives it: the milter deletes it in this one
 * spelling. */
static bool
read_ticket(
    struct redelivery *r, const struct ticket_keys *keys, struct error *err)
{
	struct ticket ticket;

	if (ticket_read(r->mail.trace.ticket, keys->key, keys->n, &ticket) !=
	    TICKET_VALID)
		return error_set(err, ERROR_REFUSED,
		    "%s: its ticket is of a key that is not in use any more; "
		    "name a recipient: --to ADDRESS",
		    r->id);
	r->recipient = ticket.fallback;
	ticket_clear(&ticket);
	return true;
}

static bool
copy_rest(int from, int to, struct error *err)
{
	uint8_t piece[64 * 1024];
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) > 0)
		if (write(to, piece, (size_t)n) != n)
			break;
	return n == 0 ||
	       error_errno(err, ERROR_LOCAL, errno, "the message's copy");
}

/* A file without a name: sendmail(1) must never read from somebody who may die
 * half-way. */
static bool
make_copy(struct redelivery *r, const struct buf *ticket, struct error *err)
{
	char *path;
	int fd;
	bool ok;

	if (asprintf(&path, "%s/redeliver.XXXXXX", r->config->state_dir) < 0)
		abort();
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		error_errno(err, ERROR_LOCAL, errno, "%s", path);
		free(path);
		return false;
	}
	unlink(path);
	free(path);
	ok = write(fd, ticket->data, ticket->len) == (ssize_t)ticket->len &&
	     lseek(r->fd, (off_t)r->mail.trace.ticket_end, SEEK_SET) >= 0;
	ok = ok ? copy_rest(r->fd, fd, err)
		: error_errno(err, ERROR_LOCAL, errno, "the message's copy");
	close(r->fd);
	r->fd = fd;
	return ok;
}

static bool
readdress(
    struct redelivery *r, const struct ticket_keys *keys, struct error *err)
{
	struct ticket ticket = { .fallback = *r->to, .tier = TIER_FALLBACK };
	struct buf field;
	bool ok;

	snprintf(ticket.account, sizeof(ticket.account), NAMESPACE "%.*s",
	    SLICE_ARG(
		slice_first(r->mail.trace.account, TICKET_ACCOUNT_MAX / 2)));
	snprintf(ticket.id, sizeof(ticket.id), "%s", r->id);
	r->recipient = *r->to;
	buf_init(&field, TICKET_MAX);
	ok = (ticket_write(&ticket, &keys->key[0], &field) ||
		 error_set(err, ERROR_LOCAL, "no room for a ticket")) &&
	     make_copy(r, &field, err);
	buf_clear(&field);
	return ok;
}

static bool
address_it(struct redelivery *r, struct error *err)
{
	struct ticket_keys keys;
	bool ok = ticket_keys_load(r->config->state_dir, &keys, err);

	ok = ok && (r->to == NULL ? read_ticket(r, &keys, err)
				  : readdress(r, &keys, err));
	explicit_bzero(&keys, sizeof(keys));
	return ok;
}

static bool
wait_for(pid_t pid, const char *sendmail, struct error *err)
{
	char words[32];
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, ERROR_LOCAL, errno, "waitpid");
	return status == 0 || error_set(err, ERROR_LOCAL, "%s: %s", sendmail,
				  proc_status_text(status, words));
}

static bool
send(struct redelivery *r, struct error *err)
{
	char sender[ADDRESS_TEXT_SIZE], recipient[ADDRESS_TEXT_SIZE];
	const char *sendmail = r->config->inject.sendmail;
	/* As the fetcher does it (fetcher/inject). */
	const char *argv[] = { sendmail, "-G", "-i", "-N", "never", "-f",
		address_write(&r->sender, sender), "--",
		address_write(&r->recipient, recipient), NULL };
	struct proc_files files = {
		.in = r->fd, .out = STDOUT_FILENO, .err = STDERR_FILENO
	};
	struct stat st;
	pid_t pid;

	if (lseek(r->fd, 0, SEEK_SET) < 0 || fstat(r->fd, &st) != 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", r->id);
	if (!proc_start(argv, files, &pid, err) ||
	    !wait_for(pid, sendmail, err))
		return false;
	if (lseek(r->fd, 0, SEEK_CUR) != st.st_size)
		return error_set(err, ERROR_LOCAL,
		    "%s did not read all of the message", sendmail);
	log_info("%s: account=%.*s sender=<%s> to=%s%s%s status=redelivered",
	    r->id, SLICE_ARG(r->mail.trace.account), sender,
	    r->to == NULL ? "ticket" : "<", r->to == NULL ? "" : recipient,
	    r->to == NULL ? "" : ">");
	return true;
}

bool
redeliver(const struct config *config, const char *id, const struct address *to,
    struct error *err)
{
	struct redelivery r = { .config = config, .id = id, .to = to };
	bool ok;

	if (to != NULL && config_domain(config, to->domain) == NULL)
		return error_set(err, ERROR_REFUSED,
		    "%s is in none of accepted_domains", to->domain);
	if (!milter_is_named(config, err) || !milter_is_ready(config, err) ||
	    !archive_open(config->state_dir, id, &r.fd, err))
		return false;
	ok = archived_mail_read(r.fd, &r.mail, err);
	if (ok) {
		r.sender = find_sender(&r);
		ok = address_it(&r, err) && send(&r, err);
		archived_mail_clear(&r.mail);
	}
	close(r.fd);
	return ok;
}
