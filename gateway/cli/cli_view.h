/* cli_view.h - what the listing commands share: who is who by id, and values as people and programs
 * read them. */
#ifndef TASKFERRY_CLI_VIEW_H
#define TASKFERRY_CLI_VIEW_H

#include "gateway/cli/cli.h"
#include "gateway/cli/cli_columns.h"
#include "store/link.h"

/* Projects, people and accounts of the whole database, each sorted by id. */
struct cli_view {
	struct project *projects;
	struct resource *people;
	struct account *accounts;
	size_t project_count, person_count, account_count;
};

/* Reads them. */
struct fault *cli_view_new(struct cli *cli, struct cli_view **view_r) ATTR_MUST_CHECK;

/* By id; NULL when there is none. */
const struct project *cli_view_project(const struct cli_view *view, int64_t id);
const struct resource *cli_view_person(const struct cli_view *view, int64_t id);
const struct account *cli_view_account(const struct cli_view *view, int64_t id);

/* "SERVER/RESOURCE" of an account; "?" when there is none of that id. */
char *cli_view_account_name(const struct cli_view *view, TALLOC_CTX *mem, int64_t id);

/* "Ana Silva <ana@example.com>", or as much as is known. */
char *cli_view_person_text(TALLOC_CTX *mem, const struct resource *person);

/* A value for people: local dates, "60 %", "3 h 30 min"; NULL when it is not set. */
char *cli_view_value(const struct cli *cli, TALLOC_CTX *mem, enum field field,
		     const struct value *value);

/* A time for people, "2026-11-21 09:00" in the site's zone; NULL for 0. */
char *cli_view_time(TALLOC_CTX *mem, int64_t us);

/* An object of `project list` (DESIGN section 10). */
struct fault *cli_view_project_json(struct cli *cli, const struct project *project,
				    json_t **object_r) ATTR_MUST_CHECK;

/* Prints the projects as a table; nothing when there is none. */
struct fault *cli_view_print_projects(struct cli *cli, const struct project *projects,
				      size_t count) ATTR_MUST_CHECK;

/* Prints a table as wide as the terminal that standard output may be. */
void cli_view_print(struct cli *cli, const struct cli_columns *table);

/* "  HEAD        text", further lines of the text below its first; nothing when TEXT is NULL or
 * empty. */
void cli_view_line(struct cli *cli, const char *head, const char *text);

/* "1 job", "2 jobs": the number with the word that fits. */
char *cli_view_count(TALLOC_CTX *mem, int64_t count, const char *one, const char *many);

#endif
