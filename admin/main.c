/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul(8): the administrator's command, one subcommand per row.
 */
#include "admin/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct command {
	const char *name, *usage, *help;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "check", "[-c FILE] [--live [--json]]",
	    "say what is wrong with the configuration, and around it",
	    cmd_check },
	{ "query", "[-c FILE] [--json] ADDRESS",
	    "ask the directory whether an address exists", cmd_query },
	{ "explain",
	    "[-c FILE] [--account NAME] [--json]\n"
	    "    FILE | - | ARCHIVE-ID | QUEUE-ID | MESSAGE-ID",
	    "say who would get a message, and why", cmd_explain },
	{ "probe",
	    "[-c FILE] [--json] ACCOUNT |\n"
	    "    --host HOST [--json] [--ca-file FILE | --fingerprint SHA256]\n"
	    "    [--user USER (--password-file FILE | --password-command WORDS "
	    "|\n"
	    "    --token-command WORDS)]",
	    "look at an account or a host, and suggest settings", cmd_probe },
	{ "test-catch-all", "[-c FILE] [--json] ACCOUNT",
	    "say whether an account tells apart whom its mail is for",
	    cmd_test_catch_all },
	{ "status", "[-c FILE] [--json]", "say what the daemons do",
	    cmd_status },
	{ "fetch", "[-c FILE] [--wait TIME] ACCOUNT ...",
	    "have accounts polled now", cmd_fetch },
	{ "parked",
	    "[-c FILE] list [--all] [--json] |\n"
	    "    retry ACCOUNT UID | ID | --all | drop ACCOUNT UID | ID | "
	    "--all",
	    "the messages that were not handed over", cmd_parked },
	{ "seen",
	    "[-c FILE] list [ACCOUNT] [--json] | export [ACCOUNT] | import "
	    "FILE |\n"
	    "    baseline ACCOUNT | adopt ACCOUNT | forget ACCOUNT UID ... | "
	    "ID ... | --all",
	    "what is remembered of the messages at the providers", cmd_seen },
	{ "archive",
	    "[-c FILE] list [--account NAME] [--json] |\n"
	    "    show ID [--headers] | redeliver ID [--to ADDRESS]",
	    "the messages that were handed over", cmd_archive },
	{ "setup",
	    "[-c FILE] [--method sendmail | smtp] [--dry-run] [--undo] "
	    "postfix",
	    "make the changes that Postfix needs, or take them back",
	    cmd_setup },
	{ "import",
	    "[--domain DOMAIN] [--secrets FOLDER]\n"
	    "    [--state FILE | FOLDER --seen FILE]\n"
	    "    fetchmailrc | getmailrc | mpoprc | csv FILE",
	    "turn the configuration of another program into ours", cmd_import },
	{ "schema", "man | json | sample",
	    "print what is made from the table of settings", cmd_schema },
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void
print_help(FILE *out)
{
	fputs("usage: mailhaul COMMAND [ARGUMENT ...]\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(
		    out, "  %-14s %s\n", commands[i].name, commands[i].help);
	fputs("\nmailhaul COMMAND --help says what a command takes; "
	      "see mailhaul(8).\n",
	    out);
}

static void
print_usage(const struct command *command, FILE *out)
{
	fprintf(out, "usage: mailhaul %s %s\n", command->name, command->usage);
}

/* Also behind a verb, as in "archive list --help". */
static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

static int
run(const struct command *command, int argc, char **argv)
{
	int status;

	if (asks_for_help(argc, argv)) {
		print_usage(command, stdout);
		printf("%s\n", command->help);
		return EX_OK;
	}
	status = command->run(argc, argv);
	if (status == EX_USAGE)
		print_usage(command, stderr);
	/* A report that could not be written is no report. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("mailhaul: cannot write to standard output\n", stderr);
		return EX_IOERR;
	}
	return status;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return EX_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("mailhaul %s\n", MAILHAUL_VERSION);
		return EX_OK;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], argc - 1, argv + 1);
	fprintf(
	    stderr, "mailhaul: no command %s; try mailhaul help\n", argv[1]);
	return EX_USAGE;
}
