/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check_rules.h"

#include "base/mem.h"
#include "config/check.h"

#include <stdlib.h>
#include <string.h>

/* Fields that are not there when rules run, or that are ours. */
struct hidden_field {
	const char *name;
	const char *why;
};
static const struct hidden_field hidden[] = {
	{ "Bcc", "Postfix removes it before rules run" },
	{ "Resent-Bcc", "Postfix removes it before rules run" },
	{ "Return-Path", "Postfix removes it before rules run; see sender" },
	{ "Content-Length", "Postfix removes it before rules run" },
	{ "Delivered-To", "it is renamed before rules run" },
};

static void
check_field(struct load *load, const struct node *node)
{
	struct slice name = slice_of(node->text);
	const char *why = NULL;

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (slice_equal_nocase(name, slice_of(hidden[i].name)))
			why = hidden[i].why;
	if (slice_starts_nocase(name, SLICE("X-Mailhaul")))
		why = "fields of this name are Mailhaul's own";
	if (why != NULL)
		finding_error(load->findings, node, "%s cannot be used: %s",
		    node->text, why);
}

static bool
is_ascii(uint8_t byte)
{
	return byte < 0x80;
}

static void
check_sent_to(
    struct load *load, const struct config *config, const struct node *node)
{
	const struct address *address = node->field;

	if (config_domain(config, address->domain) == NULL &&
	    !config_allows_external(config, address))
		finding_error(load->findings, node,
		    "%s is neither in one of the accepted_domains nor in "
		    "allow_external",
		    node->text);
}

static bool
is_whole_text(const struct node *node)
{
	return strcmp(node->row->name, "is") == 0;
}

/* What no address can be; "" is the null sender. */
static void
check_address_test(struct load *load, const struct node *node)
{
	struct slice text = slice_of(node->text), domain = text;
	bool star = slice_find(text, '*') < text.len;
	struct slice local;

	if (text.len > 0 && slice_find(text, '@') == text.len &&
	    (is_whole_text(node) || !star)) {
		finding_error(load->findings, node,
		    "no address is without @: %s",
		    is_whole_text(node)
			? "for a part of one there are contains, starts, "
			  "ends and glob"
			: "write * for what may stand around it");
		return;
	}
	if (is_whole_text(node) && star)
		finding_warning(load->findings, node,
		    "* stands for itself here; for a pattern write {glob: "
		    "\"%s\"}",
		    node->text);
	while (slice_cut_until(&domain, '@', &local))
		continue;
	if (domain.len < text.len && !slice_all(domain, is_ascii))
		finding_error(load->findings, node,
		    "domains are compared in ASCII: write xn--...");
}

void
check_rule_value(struct load *load, const struct config *config,
    const struct node *node, unsigned flags)
{
	if ((flags & ROW_SENT_TO) != 0)
		check_sent_to(load, config, node);
	if ((flags & ROW_ADDRESS_TEST) != 0)
		check_address_test(load, node);
	if ((flags & ROW_SEEN_BY_RULES) != 0)
		check_field(load, node);
	if ((flags & ROW_ASCII) != 0 &&
	    !slice_all(slice_of(node->text), is_ascii))
		finding_error(load->findings, node,
		    "only ASCII can stand in a header as it is");
	if ((flags & ROW_ACCOUNT) != 0 &&
	    config_account(config, node->text) == NULL)
		finding_error(
		    load->findings, node, "there is no account of this name");
}

/* Every key is a switch that is off; what could not be read has been told. */
static bool
does_nothing(const struct node *then)
{
	for (then = then->first; then != NULL; then = then->next)
		if (then->kind != NODE_SCALAR ||
		    strcmp(then->text, "false") != 0)
			return false;
	return true;
}

static void
check_rule(struct load *load, const struct rule *rule, const struct node *node)
{
	const struct node *then = node_child(node, "then");

	if (then == NULL)
		return;
	if (rule->then.fallback && rule->then.n_replace > 0)
		finding_error(load->findings, then,
		    "fallback and replace: it must be one of them");
	if (does_nothing(then))
		finding_error(load->findings, then,
		    "does nothing; there are add, replace, drop, fallback, "
		    "hold, add_header and stop");
}

static void
check_size(struct load *load, const struct node *node)
{
	const struct size_test *const *test = node->field;

	if ((*test)->below > 0 && (*test)->above >= (*test)->below)
		finding_error(load->findings, node,
		    "nothing is above and below these at once");
}

static void
check_tree(struct load *load, const struct node *node)
{
	const struct schema_row *row = node->row;

	if (row != NULL && row->table == &schema_rule &&
	    node->kind == NODE_MAPPING && node->field != NULL)
		check_rule(load, node->field, node);
	if (row != NULL && row->type == &value_optional_mapping &&
	    node->n_children == 0 &&
	    (node->kind == NODE_MAPPING ||
		(node->kind == NODE_SCALAR && node->text[0] == '\0')))
		finding_error(load->findings, node, "asks for nothing");
	if (row != NULL && row->table == &schema_size_test &&
	    node->field != NULL)
		check_size(load, node);
	for (node = node->first; node != NULL; node = node->next)
		check_tree(load, node);
}

/* What conditions ask for. */
struct needs {
	const char **fields;
	size_t n_fields;
	bool size;
};

static void
need_field(struct needs *needs, const char *name)
{
	for (size_t i = 0; i < needs->n_fields; i++)
		if (slice_equal_nocase(
			slice_of(needs->fields[i]), slice_of(name)))
			return;
	needs->fields = mem_resize(
	    (void *)needs->fields, needs->n_fields + 1, sizeof(*needs->fields));
	needs->fields[needs->n_fields++] = name;
}

static void
gather(const struct condition *c, struct needs *needs)
{
	if (c->subject != NULL)
		need_field(needs, "Subject");
	if (c->header != NULL && c->header->name != NULL)
		need_field(needs, c->header->name);
	needs->size = needs->size || c->size != NULL;
	for (size_t i = 0; i < c->n_all; i++)
		gather(&c->all[i], needs);
	for (size_t i = 0; i < c->n_any; i++)
		gather(&c->any[i], needs);
	if (c->negated != NULL)
		gather(c->negated, needs);
}

static void
gather_all(const struct rule *rules, size_t n, struct needs *needs)
{
	for (size_t i = 0; i < n; i++)
		gather(&rules[i].when, needs);
}

/* The names of rules in the order in which they were added: first those for
 * all accounts. */
struct rule_names {
	struct rule_name {
		const char *name;
		size_t number;
		const struct account *account; /* NULL: for all */
		const struct node *node;
	} * all;
	size_t n;
};

static int
by_name(const void *a, const void *b)
{
	const struct rule_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : (x->number > y->number) * 2 - 1;
}

static void
add_names(struct rule_names *names, const struct rule *rules, size_t n,
    const struct account *account, const struct node *entry)
{
	if (n == 0)
		return;
	names->all = mem_resize(names->all, names->n + n, sizeof(*names->all));
	for (size_t i = 0; i < n; i++, entry = entry->next)
		if (rules[i].name != NULL) {
			names->all[names->n] =
			    (struct rule_name){ rules[i].name, names->n,
				    account, node_child(entry, "name") };
			names->n++;
		}
}

/* Two that the same message can meet; rules of two accounts are kept apart by
 * the account, which the log and explain tell, too. */
static void
warn_of_names(struct load *load, const struct rule_names *names)
{
	const struct rule_name *first = names->all, *name, *other;

	for (size_t i = 1; i < names->n; i++) {
		name = &names->all[i];
		if (strcmp(name->name, first->name) != 0) {
			first = name;
			continue;
		}
		other = first->account == NULL ? first : name - 1;
		if (other->account == NULL || other->account == name->account)
			finding_warning(load->findings, name->node,
			    "the rule in line %zu has the same name: the log "
			    "and mailhaul explain cannot tell them apart; "
			    "rename one",
			    other->node->line);
	}
}

static void
check_names(
    struct load *load, const struct config *config, const struct node *root)
{
	struct rule_names names = { 0 };
	const struct node *entry = check_entries_of(root, &config->accounts);

	add_names(&names, config->rules, config->n_rules, NULL,
	    check_entries_of(root, &config->rules));
	for (size_t i = 0; i < config->n_accounts; i++, entry = entry->next) {
		const struct account *a = &config->accounts[i];

		add_names(&names, a->rules, a->n_rules, a,
		    check_entries_of(entry, &a->rules));
	}
	if (names.n > 1)
		qsort(names.all, names.n, sizeof(*names.all), by_name);
	warn_of_names(load, &names);
	free(names.all);
}

void
check_rules(struct load *load, struct config *config, const struct node *root)
{
	struct needs needs = { .fields = NULL };
	const char **fields;

	check_tree(load, root);
	check_names(load, config, root);
	gather_all(config->rules, config->n_rules, &needs);
	for (size_t i = 0; i < config->n_accounts; i++)
		gather_all(config->accounts[i].rules,
		    config->accounts[i].n_rules, &needs);
	config->rule_size = needs.size;
	if (needs.n_fields == 0)
		return;
	fields =
	    arena_new_array(load->arena, needs.n_fields + 1, sizeof(*fields));
	memcpy((void *)fields, (const void *)needs.fields,
	    needs.n_fields * sizeof(*fields));
	config->rule_fields = fields;
	free((void *)needs.fields);
}
