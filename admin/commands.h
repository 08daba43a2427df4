/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - the subcommands of mailhaul(8), one file cmd_NAME.c each.
 *
 * argv[0] is the subcommand's name.  The result is the exit status; EX_USAGE
 * makes main() print the subcommand's usage line.
 */
#ifndef ADMIN_COMMANDS_H
#define ADMIN_COMMANDS_H

int cmd_check(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_test_catch_all(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_parked(int argc, char **argv);
int cmd_seen(int argc, char **argv);
int cmd_archive(int argc, char **argv);
int cmd_setup(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_schema(int argc, char **argv);

#endif
