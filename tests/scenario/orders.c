#include "config.h"

#include "orders.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char *const done_words[] = { "lost", "late", "rewrite" };

static bool is_done_word(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(done_words); i++)
		if (!strcmp(word, done_words[i]))
			return true;
	return false;
}

#define DENIED "denied-"

const char *orders_denied(const char *word)
{
	return word && text_starts(word, DENIED) ? word + strlen(DENIED) : NULL;
}

struct fault *orders_fault(TALLOC_CTX *mem, const char *word)
{
	if (!word || is_done_word(word))
		return NULL;
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		if (!strcasecmp(fault_kind_name((enum fault_kind)kind), word))
			return fault_new(mem, (enum fault_kind)kind, "ordered fault '%s'", word);
	cr_assert_fail("no such fault: %s", word);
	return NULL;
}

struct fault *orders_lost(TALLOC_CTX *mem)
{
	struct fault *fault = fault_new(mem, FAULT_UNREACHABLE, "ordered: no answer came");

	fault->maybe_done = true;
	return fault;
}

void orders_add(struct orders *orders, const char *operation, int64_t from_now, const char *word)
{
	(void)orders_fault(orders->mem, orders_denied(word) ? orders_denied(word) : word);
	orders->list = MEM_GROW(orders->mem, orders->list, struct order, orders->count + 1);
	orders->list[orders->count++] = (struct order){ mem_strdup(orders->mem, operation),
							mem_strdup(orders->mem, word), from_now };
}

const char *orders_next(struct orders *orders, const char *operation)
{
	const char *word = NULL;

	for (size_t i = 0; i < orders->count; i++)
		if (!strcmp(orders->list[i].operation, operation) && --orders->list[i].left == 0)
			word = orders->list[i].word;
	return word;
}
