/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noop_milter SOCKET lean|naive RECIPIENTS - the least that a filter with
 * Mailhaul's job can do: it gets the header, and at the end replaces the
 * recipient by so many others and removes a field.  naive: every event is told to
 * it, and waits for its answer; lean: it negotiates as mailhaul-milter does.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIONS (SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT | SMFIF_CHGHDRS)
#define LEAN                                                                   \
	(SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOBODY |        \
	    SMFIP_NOUNKNOWN | SMFIP_NR_HDR | SMFIP_NR_BODY)

/* Set before libmilter starts a thread. */
static unsigned long unwanted, n_recipients;

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions,
    unsigned long offered_steps, unsigned long unused_in_1,
    unsigned long unused_in_2, unsigned long *actions, unsigned long *steps,
    unsigned long *unused_out_1, unsigned long *unused_out_2)
{
	(void)ctx;
	(void)unused_in_1;
	(void)unused_in_2;
	*unused_out_1 = *unused_out_2 = 0;
	*actions = offered_actions & ACTIONS;
	*steps = offered_steps & unwanted;
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)ctx;
	(void)host;
	(void)address;
	return SMFIS_CONTINUE;
}

static sfsistat
on_text(SMFICTX *ctx, char *text)
{
	(void)ctx;
	(void)text;
	return SMFIS_CONTINUE;
}

static sfsistat
on_mail(SMFICTX *ctx, char **arguments)
{
	(void)ctx;
	(void)arguments;
	return SMFIS_CONTINUE;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **arguments)
{
	free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, strdup(arguments[0]));
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return unwanted == 0 ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *piece, size_t len)
{
	(void)ctx;
	(void)piece;
	(void)len;
	return SMFIS_CONTINUE;
}

static sfsistat
on_event(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
	char *given = smfi_getpriv(ctx), field[] = "X-Mailhaul-Ticket";
	char other[64], never[] = "NOTIFY=NEVER";

	if (smfi_delrcpt(ctx, given) != MI_SUCCESS)
		return SMFIS_TEMPFAIL;
	for (unsigned long i = 0; i < n_recipients; i++) {
		snprintf(other, sizeof(other), "<person%lu@example.org>", i);
		if (smfi_addrcpt_par(ctx, other, never) != MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	}
	return smfi_chgheader(ctx, field, 1, NULL) == MI_SUCCESS
		   ? SMFIS_CONTINUE
		   : SMFIS_TEMPFAIL;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	char name[] = "noop";
	struct smfiDesc description = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS,
		.xxfi_negotiate = on_negotiate,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_text,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_data = on_event,
		.xxfi_header = on_header,
		.xxfi_eoh = on_event,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_close = on_close,
	};

	if (argc != 4) {
		fputs("usage: noop_milter SOCKET lean|naive RECIPIENTS\n",
		    stderr);
		return 64;
	}
	n_recipients = strtoul(argv[3], NULL, 10);
	unwanted = strcmp(argv[2], "lean") == 0 ? LEAN : 0;
	return smfi_register(description) != MI_SUCCESS ||
	       smfi_setconn(argv[1]) != MI_SUCCESS || smfi_main() != MI_SUCCESS;
}
