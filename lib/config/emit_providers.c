/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The providers as a part of the manual page; see emit.h.
 */
#include "config/emit.h"

#include "config/providers.h"
#include "config/recipients_yaml.h"

enum { EXAMPLE_MAX = 4096 };

static const char head[] =
    ".Ss Providers\n"
    "What\n"
    ".Cm provider\n"
    "stands for, each as an account that does without it.\n"
    "Providers change what they do:\n"
    ".Ql mailhaul test-catch-all\n"
    "looks at real messages.\n"
    ".Pp\n"
    "A field that stands several times above the line with which the provider "
    "took\n"
    "the message in means one of two things.\n"
    "Side by side they are several recipients: that is\n"
    ".Ql occurrence: all .\n"
    "With Received fields between them they are the history of forwarding: "
    "the\n"
    "lowest is the address that the sender used, and\n"
    ".Ql occurrence: last\n"
    "takes that.\n"
    ".Bl -tag -width Ds\n";

static void
write_example(const struct provider *p, const char *word, struct buf *out)
{
	buf_printf(out, "  - name: %s\n", word);
	if (p->bridge_port != 0)
		buf_printf(out,
		    "    protocol: imap\n    host: 127.0.0.1\n    port: %u\n",
		    (unsigned)p->bridge_port);
	else
		buf_printf(out,
		    "    protocol: pop3s\n    host: %s\n"
		    "    # or protocol: imaps, host: %s\n",
		    p->pop3_host, p->imap_host);
	buf_add_string(out, "    user: box17@isp.example\n");
	buf_printf(out, "    password: {file: %s.password}\n", word);
	recipients_write_yaml(&p->recipients, 4, out);
}

static void
write_facts(const struct provider *p, struct buf *out)
{
	char least[32];

	if (p->remedy != NULL)
		buf_printf(out,
		    "It records nowhere whom a message is for: To and Cc are "
		    "all there is, mail by Bcc and from lists goes to the "
		    "fallback. What helps: %s. ",
		    p->remedy);
	if (p->pop3_every_ms > 0)
		buf_printf(out, "By POP3 it may be asked every %s. ",
		    duration_write(p->pop3_every_ms, least));
	if (p->note != NULL)
		buf_printf(out, "%s ", p->note);
	buf_printf(out, "Source: %s.", p->source);
}

static void
write_provider(FILE *out, const struct schema_word *w)
{
	const struct provider *p = w->provider;
	struct buf example, text;

	buf_init(&example, EXAMPLE_MAX);
	buf_init(&text, EXAMPLE_MAX);
	write_example(p, w->word, &example);
	fprintf(out, ".It Cm %s\n%s.\n.Bd -literal\n%s.Ed\n.Pp\n", w->word,
	    p->title, buf_string(&example));
	buf_clear(&example);
	write_facts(p, &text);
	emit_mdoc_text(out, buf_slice(&text));
	buf_clear(&text);
}

void
emit_providers(FILE *out)
{
	const struct schema_word *w;

	fputs(head, out);
	for (w = provider_words; w->word != NULL; w++)
		write_provider(out, w);
	fputs(".El\n", out);
}
