/* SPDX-License-Identifier: Apache-2.0 */
/*
 * milter_client STATE_DIR CANDIDATES FIELDS ROUNDS SOCKET... - gives the same
 * message with a ticket to each filter in turn, ROUNDS times, and prints the
 * median and the 99th percentile of each in microseconds.
 *
 * A message is what Postfix's cleanup(8) makes of mail from sendmail(1): a
 * connection of its own, all events that the filter wants, and everything that
 * needs no answer in one piece with what does (Postfix 3.7).
 *
 * With "-" for ROUNDS it writes the message instead.
 */
#include <arpa/inet.h>
#include <libmilter/mfdef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "mail/ticket.h"
#include "state/ticket_key.h"

#define SENDER "newsletter-bounces@sender.example"
#define FALLBACK "office@example.org"

enum {
	VERSION = 6,
	ALL_ACTIONS = 0x1ff,
	ALL_STEPS = 0x1fffff,
	FILTERS_MAX = 8,
	BODY_SIZE = 4096,
	BUFFER_SIZE = 128 * 1024,
};

struct message {
	char *ticket; /* value of the field */
	size_t n_fields;
	char body[BODY_SIZE];
};

struct filter {
	const char *path;
	int fd;
	uint32_t steps;
	uint8_t out[BUFFER_SIZE], in[BUFFER_SIZE];
	size_t n_out, n_in, used; /* of `in` */
	unsigned added, deleted, changed;
	double *taken;
};

static void
give_up(const char *what)
{
	fprintf(stderr, "milter_client: %s\n", what);
	exit(1);
}

/* --- packets: length, letter, data --------------------------------------- */

static void
put(struct filter *f, const void *bytes, size_t len)
{
	if (len > sizeof(f->out) - f->n_out)
		give_up("the message is too large");
	memcpy(f->out + f->n_out, bytes, len);
	f->n_out += len;
}

static void
send_packet(struct filter *f, char letter, const void *data, size_t len)
{
	uint32_t size = htonl((uint32_t)len + 1);

	put(f, &size, sizeof(size));
	put(f, &letter, 1);
	put(f, data, len);
}

static void
flush(struct filter *f)
{
	if (write(f->fd, f->out, f->n_out) != (ssize_t)f->n_out)
		give_up("the filter does not read");
	f->n_out = 0;
}

static void
need(struct filter *f, size_t len)
{
	ssize_t n;

	if (f->used == f->n_in)
		f->used = f->n_in = 0;
	while (f->n_in - f->used < len) {
		n = read(f->fd, f->in + f->n_in, sizeof(f->in) - f->n_in);
		if (n <= 0)
			give_up("the filter hung up");
		f->n_in += (size_t)n;
	}
}

/* Its letter; *data is valid until the next one. */
static char
read_packet(struct filter *f, const uint8_t **data)
{
	uint32_t size;
	char letter;

	if (f->n_out > 0)
		flush(f);
	need(f, sizeof(size));
	memcpy(&size, f->in + f->used, sizeof(size));
	size = ntohl(size);
	f->used += sizeof(size);
	need(f, size);
	letter = (char)f->in[f->used];
	*data = f->in + f->used + 1;
	f->used += size;
	return letter;
}

/* --- one message --------------------------------------------------------- */

static void
negotiate(struct filter *f)
{
	uint32_t offer[] = { htonl(VERSION), htonl(ALL_ACTIONS),
		htonl(ALL_STEPS) };
	const uint8_t *data;

	send_packet(f, SMFIC_OPTNEG, offer, sizeof(offer));
	if (read_packet(f, &data) != SMFIC_OPTNEG)
		give_up("the filter does not negotiate");
	memcpy(&f->steps, data + 2 * sizeof(f->steps), sizeof(f->steps));
	f->steps = ntohl(f->steps);
}

static void
send_macros(struct filter *f, char event)
{
	static const char connect[] = "Cj\0mx.example.org\0v\0Postfix 3.7.11",
			  mail[] = "Mi\0"
				   "4F00A1\0v\0Postfix 3.7.11",
			  other[] = "?i\0"
				    "4F00A1";
	char text[sizeof(other)];

	if (event == SMFIC_CONNECT) {
		send_packet(f, SMFIC_MACRO, connect, sizeof(connect));
	} else if (event == SMFIC_MAIL) {
		send_packet(f, SMFIC_MACRO, mail, sizeof(mail));
	} else {
		memcpy(text, other, sizeof(other));
		text[0] = event;
		send_packet(f, SMFIC_MACRO, text, sizeof(text));
	}
}

struct event {
	char letter;
	uint32_t not_wanted, no_reply;
	bool macros;
};

static void
tell(struct filter *f, struct event event, const void *data, size_t len)
{
	const uint8_t *answer;

	if ((f->steps & event.not_wanted) != 0)
		return;
	if (event.macros)
		send_macros(f, event.letter);
	send_packet(f, event.letter, data, len);
	if ((f->steps & event.no_reply) != 0)
		return;
	if (read_packet(f, &answer) != SMFIR_CONTINUE)
		give_up("the filter does not go on");
}

static void
tell_field(struct filter *f, const char *name, const char *value)
{
	static const struct event header = { SMFIC_HEADER, SMFIP_NOHDRS,
		SMFIP_NR_HDR, false };
	char *text = mem_new(strlen(name) + strlen(value) + 2);

	memcpy(text, name, strlen(name));
	memcpy(text + strlen(name) + 1, value, strlen(value));
	tell(f, header, text, strlen(name) + strlen(value) + 2);
	free(text);
}

static void
make_field(size_t number, char name[32], char value[128])
{
	snprintf(name, 32, number == 0 ? "Subject" : "X-Field-%zu", number);
	snprintf(value, 128,
	    "what a message of today has in a field, about this long; %zu",
	    number);
}

static void
tell_envelope(struct filter *f)
{
	static const char connect[] = "localhost\0004\0\0"
				      "127.0.0.1";
	static const char mail[] = "<" SENDER ">", rcpt[] = "<" FALLBACK ">";

	tell(f,
	    (struct event){
		SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, true },
	    connect, sizeof(connect));
	tell(f,
	    (struct event){ SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, false },
	    "localhost", sizeof("localhost"));
	tell(f, (struct event){ SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL, true },
	    mail, sizeof(mail));
	tell(f, (struct event){ SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, true },
	    rcpt, sizeof(rcpt));
	tell(f,
	    (struct event){ SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, false },
	    "", 0);
}

static void
read_verdict(struct filter *f)
{
	const uint8_t *data;
	char letter;

	f->added = f->deleted = f->changed = 0;
	for (;;) {
		letter = read_packet(f, &data);
		f->added +=
		    letter == SMFIR_ADDRCPT || letter == SMFIR_ADDRCPT_PAR;
		f->deleted += letter == SMFIR_DELRCPT;
		f->changed += letter == SMFIR_CHGHEADER;
		if (letter == SMFIR_CONTINUE)
			return;
		if (letter == SMFIR_TEMPFAIL || letter == SMFIR_REPLYCODE)
			give_up("the filter defers the message");
	}
}

static void
tell_message(struct filter *f, const struct message *m)
{
	char name[32], value[128];

	negotiate(f);
	tell_envelope(f);
	tell_field(f, TICKET_FIELD, m->ticket);
	for (size_t i = 0; i < m->n_fields; i++) {
		make_field(i, name, value);
		tell_field(f, name, value);
	}
	tell(f, (struct event){ SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, false },
	    "", 0);
	tell(f,
	    (struct event){ SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, false },
	    m->body, sizeof(m->body));
	send_macros(f, SMFIC_BODYEOB);
	send_packet(f, SMFIC_BODYEOB, "", 0);
	read_verdict(f);
	send_packet(f, SMFIC_QUIT, "", 0);
	flush(f);
}

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The next one is not to wait for what this filter still has to do. */
static void
wait_for_end(struct filter *f)
{
	if (read(f->fd, f->in, sizeof(f->in)) != 0)
		give_up("the filter says more than its verdict");
	close(f->fd);
}

/* From connect() to the verdict. */
static double
time_message(struct filter *f, const struct message *m)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	double begun = now_us(), taken;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	f->n_out = f->n_in = f->used = 0;
	f->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(f->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		give_up("nobody listens at the socket");
	tell_message(f, m);
	taken = now_us() - begun;
	wait_for_end(f);
	return taken;
}

/* --- all of them --------------------------------------------------------- */

static void
write_ticket(
    const struct ticket *ticket, const char *state_dir, struct message *m)
{
	struct ticket_keys keys;
	struct error err;
	struct buf field;

	buf_init(&field, TICKET_MAX);
	if (!ticket_keys_load(state_dir, &keys, &err))
		give_up(err.text);
	if (!ticket_write(ticket, &keys.key[0], &field))
		give_up("too many candidates for a ticket");
	/* Without name and last line end. */
	m->ticket = mem_string_len(field.data + strlen(TICKET_FIELD) + 2,
	    field.len - strlen(TICKET_FIELD) - 3);
	buf_clear(&field);
}

static void
make_message(struct message *m, const char *state_dir, size_t n_candidates)
{
	struct ticket ticket = { .account = "yaml:office",
		.id = "1795255200.7",
		.tier = TIER_ENVELOPE };
	char text[64];

	ticket.candidates =
	    mem_new_array(n_candidates, sizeof(*ticket.candidates));
	for (; ticket.n_candidates < n_candidates; ticket.n_candidates++) {
		snprintf(text, sizeof(text), "person%zu@example.org",
		    ticket.n_candidates);
		if (address_parse(slice_of(text),
			&ticket.candidates[ticket.n_candidates]) != ADDRESS_OK)
			give_up("cannot make an address");
	}
	if (address_parse(SLICE(FALLBACK), &ticket.fallback) != ADDRESS_OK)
		give_up("cannot make the fallback");
	write_ticket(&ticket, state_dir, m);
	ticket_clear(&ticket);
	memset(m->body, 'x', sizeof(m->body));
	for (size_t i = 71; i < sizeof(m->body); i += 72)
		m->body[i] = '\n';
}

static void
print_message(const struct message *m)
{
	char name[32], value[128];

	printf(TICKET_FIELD ": %s\n", m->ticket);
	for (size_t i = 0; i < m->n_fields; i++) {
		make_field(i, name, value);
		printf("%s: %s\n", name, value);
	}
	printf("\n%.*s\n", (int)sizeof(m->body), m->body);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
check_edits(const struct filter *f, size_t least)
{
	if (f->added < least || f->deleted != 1 || f->changed != 1) {
		fprintf(stderr, "%s: %u added, %u deleted, %u changed\n",
		    f->path, f->added, f->deleted, f->changed);
		give_up("other edits than expected");
	}
}

static void
measure(struct filter *filters, size_t n, size_t rounds,
    const struct message *m, size_t n_candidates)
{
	for (size_t i = 0; i < n; i++) {
		time_message(&filters[i], m); /* warms its cache */
		filters[i].taken =
		    mem_new_array(rounds, sizeof(*filters[i].taken));
	}
	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < n; i++) {
			filters[i].taken[round] = time_message(&filters[i], m);
			/* The first is mailhaul-milter. */
			check_edits(&filters[i], i == 0 ? n_candidates : 1);
		}
	for (size_t i = 0; i < n; i++) {
		qsort(filters[i].taken, rounds, sizeof(double), compare);
		printf("%.1f %.1f\n", filters[i].taken[rounds / 2],
		    filters[i].taken[rounds * 99 / 100]);
		free(filters[i].taken);
	}
}

int
main(int argc, char **argv)
{
	static struct filter filters[FILTERS_MAX];
	struct message message = { 0 };
	size_t n_candidates, rounds, n = 0;

	if (argc < 5 || argc - 5 > FILTERS_MAX)
		give_up("usage: milter_client STATE_DIR CANDIDATES FIELDS "
			"ROUNDS|- SOCKET...");
	n_candidates = strtoul(argv[2], NULL, 10);
	message.n_fields = strtoul(argv[3], NULL, 10);
	rounds = strtoul(argv[4], NULL, 10);
	make_message(&message, argv[1], n_candidates);
	for (; 5 + n < (size_t)argc; n++)
		filters[n].path = argv[5 + n];
	if (rounds > 0)
		measure(filters, n, rounds, &message, n_candidates);
	else
		print_message(&message);
	free(message.ticket);
	return 0;
}
