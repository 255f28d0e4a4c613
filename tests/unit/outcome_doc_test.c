/* The table of outcomes and the manual say the same. */
#include "config.h"

#include "decide/outcome.h"

#include "manual.h"

#define MANUAL TF_SRCDIR "/doc/taskferry-sync.7"

Test(outcome_doc, every_cell_and_every_outcome_stands_in_the_manual)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *part = manual_part(mem, manual_load(mem, MANUAL), ".Sh WHAT IS DONE WITH AN ITEM");
	struct buf *cells = buf_new(mem), *outcomes = buf_new(mem);

	for (int p = 0; p < OUTCOME_PROJECTS; p++)
		for (int i = 0; i < OUTCOME_ITEMS; i++) {
			enum outcome_project project = (enum outcome_project)p;
			enum outcome_item item = (enum outcome_item)i;

			buf_printf(cells, ".It %s Ta %s Ta %s Ta %s\n",
				   outcome_project_words(project), outcome_item_words(item),
				   outcome_name(outcome_of(project, item, false)),
				   outcome_name(outcome_of(project, item, true)));
		}
	for (int o = 0; o < OUTCOMES; o++)
		buf_printf(outcomes, ".It Em %s\n%s.\n", outcome_name((enum outcome)o),
			   outcome_meaning((enum outcome)o));
	cr_expect(strstr(part, mem_printf(mem, "\n%s.El\n", cells->data)),
		  "the table:\n%sthe manual:\n%s", cells->data, part);
	cr_expect(strstr(part, mem_printf(mem, "\n%s.El\n", outcomes->data)),
		  "the table:\n%sthe manual:\n%s", outcomes->data, part);
	talloc_free(mem);
}
