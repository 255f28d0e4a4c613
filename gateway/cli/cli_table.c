#include "config.h"

#include "gateway/cli/cli.h"

#define COMMENT                                                                                    \
	{                                                                                          \
		"--comment", "TEXT", "why; kept, and told to the person"                           \
	}
#define JSON                                                                                       \
	{                                                                                          \
		"--json", NULL, "print one JSON document"                                          \
	}

/* clang-format off */
static const struct cli_command commands[] = {
	{ "init", NULL, "", 0, 0, CLI_CONF, cmd_init,
	  "Create the database, or bring it to this version; harmless when repeated.", { { NULL, NULL, NULL } } },
	{ "check", NULL, "", 0, 0, CLI_NOTHING, cmd_check,
	  "Read the configuration and report every error with file and line.", { { NULL, NULL, NULL } } },
	{ "doctor", NULL, "[SERVER|SERVER/RESOURCE]", 0, 1, CLI_CONF, cmd_doctor,
	  "Connect to the servers, try what each does, and print that and what is wrong.",
	  { { "--read-only", NULL, "write nothing to find out what a server does; tell what is known" }, JSON } },
	{ "import", NULL, "FILE", 1, 1, CLI_RULES, cmd_import,
	  "Import a Microsoft Project XML file; importing again updates, never doubles.",
	  { { "--project", "CODE", "the project's code; default: made from its title" },
	    { "--resources", "CSV", "names and e-mail addresses of people" },
	    { "--withdraw", NULL, "withdraw assignments that the file has no more" },
	    { "--dry-run", NULL, "tell what would happen, change nothing" } } },
	{ "publish", NULL, "PROJECT...", 0, -1, CLI_STORE, cmd_publish,
	  "Make projects visible to their assignees: one job per person.",
	  { { "--all", NULL, "all projects that are not archived" } } },
	{ "sync", NULL, "", 0, 0, CLI_STORE, cmd_sync,
	  "Carry changes both ways until nothing is due, then exit.",
	  { { "--account", "SERVER/RESOURCE", "this account only" },
	    { "--project", "CODE", "this project only" },
	    { "--full", NULL, "compare every folder completely instead of asking for changes" },
	    { "--dry-run", NULL, "tell what would happen, change nothing" } } },
	{ "run", NULL, "", 0, 0, CLI_RULES, cmd_run,
	  "The service: carry changes both ways until it is told to end.",
	  { { "--takeover", NULL, "the database was moved here for good, or is to go on although it is old" } } },
	{ "status", NULL, "", 0, 0, CLI_STORE, cmd_status,
	  "Show accounts, their last contact, the queue, what is held and the last errors.", { JSON } },
	{ "project", "list", "", 0, 0, CLI_STORE, cmd_project_list, "List the projects.", { JSON } },
	{ "project", "show", "CODE", 1, 1, CLI_STORE, cmd_project_show, "Show one project.", { JSON } },
	{ "project", "archive", "CODE", 1, 1, CLI_STORE, cmd_project_archive,
	  "Archive a project: its items stay where they are, nothing is carried any more.", { { NULL, NULL, NULL } } },
	{ "task", "list", "", 0, 0, CLI_STORE, cmd_task_list, "List assignments.",
	  { { "--project", "CODE", "of this project only" },
	    { "--resource", "KEY", "of this person only" }, JSON } },
	{ "task", "show", "ASSIGNMENT", 1, 1, CLI_STORE, cmd_task_show, "Show one assignment.", { JSON } },
	{ "task", "set", "ASSIGNMENT FIELD=VALUE...", 2, -1, CLI_RULES, cmd_task_set,
	  "Change fields of an assignment; an empty value clears.", { { NULL, NULL, NULL } } },
	{ "task", "attach", "ASSIGNMENT FILE...", 2, -1, CLI_RULES, cmd_task_attach,
	  "Attach files to an assignment; a file of the same name is replaced.", { { NULL, NULL, NULL } } },
	{ "task", "detach", "ASSIGNMENT NAME...", 2, -1, CLI_RULES, cmd_task_detach,
	  "Take attachments away from an assignment.", { { NULL, NULL, NULL } } },
	{ "task", "files", "ASSIGNMENT [NAME]", 1, 2, CLI_STORE, cmd_task_files,
	  "List the attachments of an assignment, or save one.",
	  { { "--output", "FILE", "save it under this name; without it under its own" }, JSON } },
	{ "resource", "list", "", 0, 0, CLI_STORE, cmd_resource_list, "List the people.", { JSON } },
	{ "resource", "show", "KEY", 1, 1, CLI_STORE, cmd_resource_show, "Show one person.", { JSON } },
	{ "resource", "set", "KEY FIELD=VALUE...", 2, -1, CLI_STORE, cmd_resource_set,
	  "Change a person's name or e-mail address (name=, email=).", { { NULL, NULL, NULL } } },
	{ "history", NULL, "ASSIGNMENT", 1, 1, CLI_STORE, cmd_history,
	  "Show all that happened to an assignment: changes, bookings and revisions, newest last.", { JSON } },
	{ "revisions", NULL, "", 0, 0, CLI_STORE, cmd_revisions,
	  "List values that did not become the project's.",
	  { { "--state", "STATE", "losing, corrected, rejected, proposed, accepted or dismissed" }, JSON } },
	{ "revision", "show", "ID", 1, 1, CLI_STORE, cmd_revision_show, "Show one revision.", { JSON } },
	{ "revision", "accept", "ID", 1, 1, CLI_RULES, cmd_revision_decide,
	  "Take a proposal over: its values become the project's.", { COMMENT } },
	{ "revision", "reject", "ID", 1, 1, CLI_RULES, cmd_revision_decide,
	  "Refuse a proposal.", { COMMENT } },
	{ "revision", "restore", "ID", 1, 1, CLI_RULES, cmd_revision_decide,
	  "Make the values that lost, or were corrected, rejected or dismissed, the project's again.", { COMMENT } },
	{ "revision", "dismiss", "ID", 1, 1, CLI_RULES, cmd_revision_decide,
	  "Put aside a revision that nobody has decided on.", { COMMENT } },
	{ "queue", "retry", "ID", 0, 1, CLI_STORE, cmd_queue_retry,
	  "Try a job again now; with --all every waiting, held and dead one, and every held item.",
	  { { "--all", NULL, "all of them" } } },
	{ "queue", NULL, "", 0, 0, CLI_STORE, cmd_queue, "List the jobs that are not done.", { JSON } },
};
/* clang-format on */

const struct cli_command *cli_commands(size_t *count_r)
{
	*count_r = COUNT_OF(commands);
	return commands;
}
