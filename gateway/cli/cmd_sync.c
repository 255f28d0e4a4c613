/* cmd_sync.c - carry changes now: by the service when one runs, else by this process. */
#include "config.h"

#include "gateway/cli/cli.h"

#include <string.h>

#include "base/progress.h"
#include "gateway/daemon/control.h"
#include "gateway/daemon/lock.h"
#include "gateway/daemon/machine.h"

static struct fault *find_account(struct cli *cli, const char *name, struct account **account_r)
{
	const char *slash = strchr(name, '/');
	struct resource *resource = NULL;
	char *server;

	if (!slash)
		return fault_new(cli->mem, FAULT_USAGE,
				 "--account takes SERVER/RESOURCE; `taskferry status` shows all");
	server = mem_strndup(cli->mem, name, (size_t)(slash - name));
	FAULT_TRY(cli_resource(cli, slash + 1, &resource));
	FAULT_TRY(link_account(cli->store, cli->mem, server, resource->id, false, account_r));
	if (!*account_r)
		return fault_new(cli->mem, FAULT_DATA,
				 "there is no account %s; `taskferry status` shows all", name);
	return NULL;
}

struct bars {
	struct cli *cli;
	struct progress *bar;
};

static void sync_progress(void *data, const char *what, int64_t done, int64_t total)
{
	struct bars *bars = data;

	if (!bars->bar)
		bars->bar = progress_new(bars->cli->mem, bars->cli->clock, bars->cli->err, what);
	progress_step(bars->bar, done, total);
	if (done >= total) { /* as far as is known: more may come, with a bar of its own */
		progress_end(bars->bar);
		bars->bar = NULL;
	}
}

/* What a full comparison came to; its findings are among the notes. */
static void print_compared(struct cli *cli, const struct round_report *report)
{
	if (!report->folders)
		return;
	fprintf(cli->out, "Compared %lld %s in %lld %s: ", (long long)report->compared,
		report->compared == 1 ? "item" : "items", (long long)report->folders,
		report->folders == 1 ? "folder" : "folders");
	if (report->amiss)
		fprintf(cli->out, "%lld %s; see above.\n", (long long)report->amiss,
			report->amiss == 1 ? "finding" : "findings");
	else
		fprintf(cli->out, "nothing amiss.\n");
}

static void print_sync(struct cli *cli, const struct sync_result *result)
{
	const struct round_report *r = result->report;
	const struct {
		int64_t count;
		const char *words;
	} rows[] = {
		{ r->created, "created" },
		{ r->updated, "updated" },
		{ r->removed, "removed" },
		{ r->adopted, "adopted" },
		{ r->changed, "changed in the project" },
		{ r->corrected, "corrected by a rule" },
		{ r->rejected, "rejected" },
		{ r->proposed, "proposed" },
		{ r->losing, "lost a conflict" },
		{ r->declined, "declined" },
		{ r->restored, "restored" },
	};
	const char *comma = " ";

	for (size_t i = 0; i < r->note_count; i++)
		fprintf(cli->err, "%s\n", r->notes[i]);
	if (!result->served && (result->held_accounts || result->unreachable)) {
		fprintf(cli->out, "No account could be served.\n");
		return;
	}
	fprintf(cli->out, "%lld %s in touch:", (long long)result->served,
		result->served == 1 ? "account" : "accounts");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!rows[i].count)
			continue;
		fprintf(cli->out, "%s%lld %s", comma, (long long)rows[i].count, rows[i].words);
		comma = ", ";
	}
	fprintf(cli->out, "%s\n", *comma == ' ' ? " nothing to do." : ".");
	print_compared(cli, r);
	if (!result->served && !result->held_accounts && !result->unreachable)
		fprintf(cli->out,
			"Nobody has a published project yet. Next: taskferry publish CODE\n");
	if (cli->verbose)
		fprintf(cli->err,
			"requests: %lld, of which %lld write; connections: %lld; sent %lld bytes, "
			"received %lld bytes\n",
			(long long)result->stats.requests, (long long)result->stats.writes,
			(long long)result->stats.connections, (long long)result->stats.sent_bytes,
			(long long)result->stats.received_bytes);
}

/* ---- who does it ---- */

/* Another process has the lock: the service, or another `sync`. */
static struct fault *hand_over(struct cli *cli, const struct fault *busy,
			       const struct sync_options *options, struct sync_result **result_r)
{
	struct control_request request = { .command = CONTROL_SYNC,
					   .instance = cli_instance(cli),
					   .account = cli_option(cli, "--account"),
					   .project = cli_option(cli, "--project"),
					   .full = options->full };
	struct fault *fault;

	request.account_id = options->account ? options->account->id : 0;
	request.project_id = options->project ? options->project->id : 0;
	fault = control_hand_over(cli->mem, cli->conf->control_socket, &request, options->progress,
				  options->data, result_r);
	if (!fault || fault->kind != FAULT_UNREACHABLE)
		return fault;
	return fault_new(cli->mem, FAULT_TRY_LATER,
			 "%s, and %s; if it is another `taskferry sync`, try again when that has "
			 "ended; if it is the service, see whether [control] socket is the same "
			 "for both, and start it again",
			 busy->text, fault->text);
}

static struct fault *carry(struct cli *cli, const struct sync_options *options,
			   struct sync_result **result_r)
{
	struct sync_env env = cli_sync_env(cli);
	struct lock *lock = NULL; /* until the process ends */
	struct fault *fault = NULL;

	/* a dry run writes nothing anywhere, so it may stand beside a service */
	if (!options->dry_run)
		fault = lock_take(cli->mem, cli->conf->dsn, &lock);
	if (!fault && !options->dry_run) /* a copy elsewhere holds, as the service does (M10) */
		fault = machine_check(cli->mem, cli->store, false);
	if (!fault) {
		env.store = options->dry_run ? NULL : cli->store;
		cli->store = options->dry_run ? cli->store : NULL;
		return sync_run(cli->mem, &env, options, result_r);
	}
	if (fault->kind != FAULT_TRY_LATER)
		return fault;
	return hand_over(cli, fault, options, result_r);
}

static void judge_sync(struct cli *cli, const struct sync_result *result)
{
	if (result->waiting_jobs)
		cli_attention(cli, "%lld %s still waiting; see: taskferry queue",
			      (long long)result->waiting_jobs,
			      result->waiting_jobs == 1 ? "job is" : "jobs are");
	if (result->dead_jobs)
		cli_attention(cli, "%lld jobs were given up; see: taskferry queue",
			      (long long)result->dead_jobs);
	if (result->report->note_count || result->held_accounts || result->unreachable)
		cli->attention = true;
	if (result->unreachable && !result->served)
		cli->exit_code = 69;
}

struct fault *cmd_sync(struct cli *cli)
{
	struct bars bars = { .cli = cli };
	struct sync_options options = { .full = cli_has(cli, "--full"),
					.dry_run = cli_has(cli, "--dry-run"),
					.progress = sync_progress,
					.data = &bars };
	struct sync_result *result = NULL;
	struct project *project = NULL;
	struct account *account = NULL;
	struct fault *fault;

	if (cli_has(cli, "--project"))
		FAULT_TRY(cli_project(cli, cli_option(cli, "--project"), &project));
	if (cli_has(cli, "--account"))
		FAULT_TRY(find_account(cli, cli_option(cli, "--account"), &account));
	options.project = project;
	options.account = account;
	if (!cli->conf->server_count)
		return fault_new(cli->mem, FAULT_CONFIG,
				 "%s: there is no [server] section, so there is nobody to talk to",
				 cli->conf_path);
	fault = carry(cli, &options, &result);
	if (bars.bar)
		progress_end(bars.bar);
	FAULT_TRY(fault);
	print_sync(cli, result);
	if (options.dry_run)
		fprintf(cli->out, "(a dry run: nothing was changed)\n");
	judge_sync(cli, result);
	return NULL;
}
