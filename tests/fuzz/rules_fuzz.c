#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decide/expr.h"
#include "decide/rules.h"

/* Any text as an expression: through rules_try(), through both walls with long values bound, and
 * through the lock alone. What is accepted must end, and give no more than RULES_LENGTH_MAX bytes.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(TALLOC_CTX *mem, struct expr *expr)
{
	static char notes[RULES_LENGTH_MAX];
	struct expr_value bound[EXPR_NAMES], value;

	memset(notes, 'a', sizeof notes - 1);
	for (int i = 0; i < EXPR_NAMES; i++)
		bound[i] =
			i % 3 == 0 ? (struct expr_value){ .type = EXPR_TEXT, .text = notes }
			: i % 3 == 1
				? (struct expr_value){ .type = EXPR_INTEGER, .integer = INT64_MIN }
				: (struct expr_value){ .type = EXPR_TEXT, .text = "2026-11-21" };
	if (!expr_evaluate(mem, expr, bound, &value) && value.type == EXPR_TEXT &&
	    strlen(value.text) > RULES_LENGTH_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = mem_bytes(mem, data, size);
	struct expr_engine *engine;
	struct expr *expr;
	struct fault *fault = rules_try(mem, text);

	talloc_free(fault);
	if (expr_engine_new(mem, &engine))
		abort();
	if (!expr_compile(mem, engine, text, size, &expr))
		evaluate(mem, expr);
	if (!expr_compile_unscanned(mem, engine, text, &expr))
		evaluate(mem, expr);
	talloc_free(mem);
	return 0;
}
