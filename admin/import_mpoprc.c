/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_mpoprc - accounts out of a .mpoprc: a command and its argument in each
 * line; accounts begin with the defaults as they are then, and with all that
 * the accounts which they name have.
 */
#include "admin/import_mpoprc_commands.h"

#include <string.h>

/* Inherited lines count each time: a file can be written to explode. */
enum { LINES_MAX = 100000, ARGUMENT_MAX = 4096 };

/* The lines of an account, its inherited ones first. */
struct block {
	const char *name; /* NULL: defaults */
	size_t line;
	struct mpop_line **lines;
	size_t n, room;
	size_t inherited; /* of these */
	bool is_parent;
};

struct mpop {
	struct import *import;
	struct block defaults, **blocks;
	size_t n, room, total;
};

static void
make_account(struct mpop *mpop, const struct block *block)
{
	struct mpop_target t = { .account = import_add_account(
				     mpop->import, block->name, block->line) };

	if (t.account == NULL)
		return;
	for (size_t i = 0; i < block->n; i++) {
		t.shared = block->is_parent || i < block->inherited;
		mpop_apply(&t, block->lines[i]);
	}
	mpop_finish(&t);
	import_say_of(t.account, block->line, IMPORT_TAKEN, "account %s",
	    t.account->name);
}

static bool
add_line(struct mpop *mpop, struct block *block, struct mpop_line *line)
{
	if (mpop->total++ >= LINES_MAX) {
		import_say(mpop->import, line->line, IMPORT_REFUSED,
		    "more than %d lines, with those inherited; nothing of "
		    "what follows is read",
		    LINES_MAX);
		return false;
	}
	if (block->n == block->room) {
		size_t room = block->room == 0 ? 16 : 2 * block->room;
		struct mpop_line **larger = arena_new_array(
		    &mpop->import->arena, room, sizeof(struct mpop_line *));

		if (block->n > 0)
			memcpy(larger, block->lines,
			    block->n * sizeof(struct mpop_line *));
		block->lines = larger;
		block->room = room;
	}
	block->lines[block->n++] = line;
	return true;
}

static bool
inherit(struct mpop *mpop, struct block *block, const struct block *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (!add_line(mpop, block, from->lines[i]))
			return false;
	return true;
}

static struct block *
find_block(struct mpop *mpop, struct slice name)
{
	for (size_t i = mpop->n; i > 0; i--)
		if (slice_equal(name, slice_of(mpop->blocks[i - 1]->name)))
			return mpop->blocks[i - 1];
	return NULL;
}

static bool
inherit_all(struct mpop *mpop, struct block *block, struct slice parents)
{
	while (parents.len > 0) {
		struct block *parent;
		struct slice name;

		if (!slice_cut_until(&parents, ',', &name)) {
			name = parents;
			parents.len = 0;
		}
		parent = find_block(mpop, slice_trim(name));
		if (parent == NULL)
			import_say(mpop->import, block->line, IMPORT_REFUSED,
			    "inherits from an account that is not there");
		else if (!inherit(mpop, block, parent))
			return false;
		if (parent != NULL)
			parent->is_parent = true;
	}
	return true;
}

/* account NAME [: PARENT, ...] */
static struct block *
open_account(struct mpop *mpop, struct slice argument, size_t line)
{
	struct arena *arena = &mpop->import->arena;
	struct block *block = arena_new(arena, sizeof(*block));
	struct slice name;

	if (!slice_cut_until(&argument, ':', &name)) {
		name = argument;
		argument.len = 0;
	}
	block->name = arena_string(arena, slice_trim(name));
	block->line = line;
	if (!inherit(mpop, block, &mpop->defaults) ||
	    !inherit_all(mpop, block, slice_trim(argument)))
		return NULL;
	block->inherited = block->n;
	if (mpop->n == mpop->room) {
		size_t room = mpop->room == 0 ? 16 : 2 * mpop->room;
		struct block **larger =
		    arena_new_array(arena, room, sizeof(struct block *));

		if (mpop->n > 0)
			memcpy(larger, mpop->blocks,
			    mpop->n * sizeof(struct block *));
		mpop->blocks = larger;
		mpop->room = room;
	}
	mpop->blocks[mpop->n++] = block;
	return block;
}

static struct slice
unquoted(struct slice argument)
{
	if (argument.len >= 2 && argument.data[0] == '"' &&
	    argument.data[argument.len - 1] == '"')
		return slice_first(slice_from(argument, 1), argument.len - 2);
	return argument;
}

/* False ends the reading. */
static bool
read_command(struct mpop *mpop, struct block *block, struct slice name,
    struct slice argument, size_t number)
{
	struct mpop_line *line = arena_new(&mpop->import->arena, sizeof(*line));

	line->command = mpop_find_command(name);
	line->argument = arena_string(&mpop->import->arena, unquoted(argument));
	line->line = number;
	if (slice_equal(name, SLICE("eval")))
		import_say(mpop->import, number, IMPORT_REFUSED,
		    "eval: no command is run; put in its place what it "
		    "prints");
	else if (argument.len > ARGUMENT_MAX)
		import_say(mpop->import, number, IMPORT_REFUSED,
		    "longer than %d bytes", ARGUMENT_MAX);
	else if (line->command == NULL)
		import_say(mpop->import, number, IMPORT_REFUSED,
		    "something that mpop does not know (its text may be a "
		    "password and is not shown)");
	else if (block == NULL)
		import_say(mpop->import, number, IMPORT_REFUSED,
		    "%s before the first account",
		    mpop_command_name(line->command));
	else
		return add_line(mpop, block, line);
	return true;
}

static void
read_lines(struct mpop *mpop, struct slice source)
{
	struct block *block = NULL;
	struct slice line, name;
	size_t number = 0;

	while (slice_cut_line(&source, &line)) {
		number++;
		line = slice_trim(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		slice_cut_word(&line, &name);
		line = slice_trim(line);
		if (slice_equal(name, SLICE("defaults"))) {
			block = &mpop->defaults;
			import_say(mpop->import, number, IMPORT_TAKEN,
			    "defaults of what follows");
		} else if (slice_equal(name, SLICE("account"))) {
			block = open_account(mpop, unquoted(line), number);
			if (block == NULL)
				return;
		} else if (!read_command(mpop, block, name, line, number)) {
			return;
		}
	}
}

/* `account default : office` gives another name to a mailbox. */
static bool
is_alias(const struct block *block)
{
	return block->n == block->inherited &&
	       strcmp(block->name, "default") == 0 && block->n > 0;
}

void
import_mpoprc(struct import *import, struct slice source)
{
	struct mpop mpop = { .import = import };

	read_lines(&mpop, source);
	for (size_t i = 0; i < mpop.n; i++) {
		if (is_alias(mpop.blocks[i]))
			import_say(import, mpop.blocks[i]->line, IMPORT_CHANGED,
			    "account default: a mailbox that has a name "
			    "already is collected once");
		else
			make_account(&mpop, mpop.blocks[i]);
	}
	for (size_t i = 0; i < mpop.defaults.n; i++)
		if (mpop.n == 0)
			import_say(import, mpop.defaults.lines[i]->line,
			    IMPORT_DROPPED, "%s: no account follows",
			    mpop_command_name(mpop.defaults.lines[i]->command));
}
