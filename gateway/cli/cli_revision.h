/* cli_revision.h - a revision as people and programs read it; shared by the commands that show
 * some. */
#ifndef TASKFERRY_CLI_REVISION_H
#define TASKFERRY_CLI_REVISION_H

#include "gateway/cli/cli.h"
#include "model/revision.h"

/* The object of `revision show` (DESIGN section 10). */
json_t *cli_revision_json(TALLOC_CTX *mem, const struct revision *revision);

/* "percent 140 %, STANDS: 100 %; status ..." */
char *cli_revision_values(const struct cli *cli, TALLOC_CTX *mem, const struct revision *revision,
			  const char *stands);

#endif
