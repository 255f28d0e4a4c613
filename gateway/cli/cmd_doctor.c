/* cmd_doctor.c - what each server can do and what is wrong. One account per server is enough to
 * ask. What only a write can show is tried in a folder that the endpoint makes for that purpose. */
#include "config.h"

#include "gateway/cli/cli_view.h"

#include <string.h>

#include "base/text.h"
#include "gateway/sync/delivery.h"
#include "gateway/sync/traits.h"
#include "store/blobs.h"

#define EXIT_UNREACHABLE 69

struct finding {
	const char *server, *account; /* NULL: of the configuration */
	const char *probe, *result, *meaning;
	int level;
};

struct doctor {
	struct cli *cli;
	struct delivery delivery;
	struct resource *people;
	size_t person_count;
	const char *person; /* the key of the one to ask as; NULL: whoever is the first */
	struct finding *findings;
	size_t count;
	int64_t tried, reached; /* servers */
};

static const char *const level_names[] = { "info", "warning", "error" };
_Static_assert(COUNT_OF(level_names) == FINDING_ERROR + 1, "one name per level");

/* The probe that a fault means to have failed; all others: "account". UNREACHED: the server itself
 * did not answer. */
static const struct {
	enum fault_kind kind;
	const char *probe;
	bool unreached;
} fault_probes[] = {
	{ FAULT_UNREACHABLE, "connect", true }, { FAULT_TLS, "tls", true },
	{ FAULT_BUSY, "connect", true },        { FAULT_LOGIN, "login", false },
	{ FAULT_PROTOCOL, "protocol", false },
};

static void add(struct doctor *doctor, const struct finding *finding)
{
	doctor->findings =
		MEM_GROW(doctor->cli->mem, doctor->findings, struct finding, doctor->count + 1);
	doctor->findings[doctor->count++] = *finding;
}

/* True when it says that the server was not reached at all. */
static bool add_fault(struct doctor *doctor, const struct conf_server *server, const char *account,
		      const struct fault *fault)
{
	struct finding finding = { .server = server->name,
				   .account = account,
				   .probe = "account",
				   .result = fault_kind_words(fault->kind),
				   .meaning = fault->text,
				   .level = FINDING_ERROR };
	bool unreached = false;

	for (size_t i = 0; i < COUNT_OF(fault_probes); i++)
		if (fault_probes[i].kind == fault->kind) {
			finding.probe = fault_probes[i].probe;
			unreached = fault_probes[i].unreached;
		}
	add(doctor, &finding);
	return unreached;
}

/* ---- whom to ask as ---- */

static bool is_meant(const struct doctor *doctor, const char *key)
{
	return !doctor->person || text_same(key, doctor->person);
}

/* The first of the known people whose items go there; else, so that a server can be asked before
 * the first import, the first that the configuration names. NULL: nobody, or not the one meant. */
static const struct resource *find_person(struct doctor *doctor, const struct conf_server *server)
{
	const struct conf *conf = doctor->cli->conf;

	for (size_t i = 0; i < doctor->person_count; i++)
		if (is_meant(doctor, doctor->people[i].key) &&
		    delivery_has(conf, &doctor->people[i], server->name))
			return &doctor->people[i];
	for (size_t i = 0; i < conf->account_count; i++) {
		struct resource *person;

		if (!text_same(conf->accounts[i].server, server->name) ||
		    !is_meant(doctor, conf->accounts[i].resource))
			continue;
		person = MEM_NEW(doctor->cli->mem, struct resource);
		person->key = conf->accounts[i].resource;
		person->email = text_is_address(person->key) ? person->key : NULL;
		return person;
	}
	return NULL;
}

/* ---- asking ---- */

static void add_nobody(struct doctor *doctor, const struct conf_server *server)
{
	add(doctor, &(struct finding){ .server = server->name,
				       .probe = "people",
				       .result = "nobody",
				       .meaning = doctor->person_count
							  ? "None of the known people has an "
							    "account here, or a server above takes "
							    "them all; it was not asked."
							  : "Nobody is known yet who could have an "
							    "account here, so it was not asked; "
							    "import a project first.",
				       .level = FINDING_WARNING });
}

static void add_tried(struct doctor *doctor, const struct conf_server *server, const char *account,
		      const struct server_traits *kept, bool tried)
{
	TALLOC_CTX *mem = doctor->cli->mem;
	bool ever = kept && kept->probed_us;
	struct finding finding = { .server = server->name, .account = account, .probe = "tried" };
	char *change = kept ? traits_last_change(mem, kept) : NULL;

	finding.result =
		tried  ? "now"
		: ever ? clock_rfc3339(mem, kept->probed_us / CLOCK_SECOND_US * CLOCK_SECOND_US)
		       : "never";
	finding.meaning =
		tried ? "What follows was tried in a folder that was made for that purpose."
		: !server->probe
			? "Nothing is written for trying (probe = no in the configuration); "
			  "what is not known is taken for the worse."
		: ever ? "What follows was found then, and by ordinary work since."
		       : "Nothing was written for trying; what is not known is taken for the "
			 "worse.";
	add(doctor, &finding);
	if (!change)
		return;
	finding.probe = "changed";
	finding.result = clock_rfc3339(mem, kept->changed_us / CLOCK_SECOND_US * CLOCK_SECOND_US);
	finding.meaning = change;
	add(doctor, &finding);
}

/* Tries what the server does, and keeps it where there is a database. */
static struct fault *learn(struct doctor *doctor, const struct conf_server *server,
			   const struct resource *person, const char *account,
			   struct endpoint *endpoint)
{
	struct cli *cli = doctor->cli;
	const char *name = traits_name(cli->mem, server, person);
	bool tries = server->probe && !cli_has(cli, "--read-only");
	struct server_traits *kept = NULL;
	char *words = NULL;

	if (!endpoint_can_learn(endpoint))
		return NULL;
	if (cli->store)
		FAULT_TRY(server_traits(cli->store, cli->mem, name, &kept));
	endpoint_know(endpoint, kept ? kept->traits : NULL);
	if (tries)
		FAULT_TRY(endpoint_learn(endpoint, cli->mem));
	if (tries && cli->store) {
		FAULT_TRY(traits_keep(cli->store, cli->mem, name,
				      endpoint_traits(endpoint, cli->mem), true, &words));
		FAULT_TRY(server_traits(cli->store, cli->mem, name, &kept));
	}
	add_tried(doctor, server, account, kept, tries);
	return NULL;
}

static void ask(struct doctor *doctor, const struct conf_server *server)
{
	const struct resource *person = find_person(doctor, server);
	TALLOC_CTX *mem = doctor->cli->mem;
	struct endpoint_probe *probe = NULL;
	struct endpoint *endpoint = NULL;
	struct fault *fault;
	char *account;

	if (!person) {
		add_nobody(doctor, server);
		return;
	}
	account = mem_printf(mem, "%s/%s", server->name, person->key);
	fault = delivery_endpoint(mem, &doctor->delivery, server, person, &endpoint);
	if (fault) {
		(void)add_fault(doctor, server, account, fault);
		return;
	}
	doctor->tried++;
	fault = learn(doctor, server, person, account, endpoint);
	if (!fault)
		fault = endpoint_probe(endpoint, mem, &probe);
	doctor->reached += !fault || !add_fault(doctor, server, account, fault);
	for (size_t i = 0; !fault && i < probe->count; i++)
		add(doctor, &(struct finding){ .server = server->name,
					       .account = account,
					       .probe = probe->findings[i].probe,
					       .result = probe->findings[i].result,
					       .meaning = probe->findings[i].meaning,
					       .level = (int)probe->findings[i].level });
}

/* The secret can be read, and the mailbox opened. */
static void look_at_replies(struct doctor *doctor)
{
	const struct conf *conf = doctor->cli->conf;
	TALLOC_CTX *mem = doctor->cli->mem;
	const struct conf_server *server = conf_server_find(conf, conf->replies.server);
	const char *account = mem_printf(mem, "%s/%s", server->name, conf->replies.account);
	struct finding finding = { .server = server->name, .account = account, .probe = "replies" };
	struct endpoint *endpoint = NULL;
	struct endpoint_notice *notice = NULL;
	struct secret *secret = NULL;
	char *address = NULL;
	struct fault *fault = delivery_reply_secret(mem, conf, &secret);

	if (!fault)
		fault = delivery_replies(mem, &doctor->delivery, &endpoint);
	if (!fault)
		fault = endpoint_mailbox(endpoint, mem, conf->replies.folder, &address);
	if (!fault) /* to know its address no server is asked */
		fault = endpoint_notice(endpoint, mem, address, NULL, &notice);
	finding.result = fault ? fault_kind_words(fault->kind) : "opened";
	finding.meaning =
		fault ? fault->text : "The mailbox that messages are answered to is there.";
	finding.level = fault ? FINDING_ERROR : FINDING_INFO;
	add(doctor, &finding);
}

/* What items do not show of the project's files. */
static struct fault *look_at_files(struct doctor *doctor)
{
	TALLOC_CTX *mem = doctor->cli->mem;
	struct blobs_out *list = NULL;
	size_t count = 0;

	if (!doctor->cli->store)
		return NULL;
	FAULT_TRY(blobs_left_out(doctor->cli->store, mem, &list, &count));
	for (size_t i = 0; i < count; i++)
		add(doctor,
		    &(struct finding){
			    .server = list[i].server,
			    .probe = "attachments",
			    .result = mem_printf(mem, "%s left out",
						 cli_view_count(mem, list[i].files, "file",
								"files")),
			    .meaning = "They are in the project, and too large for the items here "
				       "(inline_max), or not taken by the server; the items say so, "
				       "and task show says which.",
			    .level = FINDING_INFO });
	return NULL;
}

static void look_at_people(struct doctor *doctor)
{
	const struct conf_server **servers = MEM_ARRAY(doctor->cli->mem, const struct conf_server *,
						       doctor->cli->conf->server_count);
	int64_t nowhere = 0;

	for (size_t i = 0; i < doctor->person_count; i++)
		nowhere += delivery_servers(doctor->cli->conf, &doctor->people[i], servers) == 0;
	if (nowhere)
		add(doctor, &(struct finding){ .probe = "people",
					       .result = mem_printf(doctor->cli->mem,
								    "%lld without an account",
								    (long long)nowhere),
					       .meaning = "They are not published to; `taskferry "
							  "resource list` names them.",
					       .level = FINDING_WARNING });
}

/* What `check` would warn of, and what only an administrator knows to be meant so. */
static struct fault *look_at_conf(struct doctor *doctor)
{
	struct conf_report *report = NULL;
	struct cli *cli = doctor->cli;
	struct conf *conf = NULL;

	FAULT_TRY(conf_read(cli->mem, cli->conf_path, &conf, &report));
	for (size_t i = 0; i < report->count; i++)
		add(doctor,
		    &(struct finding){
			    .probe = "configuration",
			    .result = mem_printf(cli->mem, "line %ld", report->findings[i].line),
			    .meaning = report->findings[i].text,
			    .level = report->findings[i].warning ? FINDING_WARNING
								 : FINDING_ERROR });
	if (!cli->conf->server_count)
		add(doctor, &(struct finding){ .probe = "configuration",
					       .result = "no server",
					       .meaning = "There is no [server] section: import "
							  "and lists work, publishing does not.",
					       .level = FINDING_WARNING });
	else
		look_at_people(doctor);
	return NULL;
}

/* SERVER, or SERVER/RESOURCE; the name of a server has no slash in it. */
static struct fault *take_server(struct doctor *doctor, const struct conf_server **only_r)
{
	const struct conf *conf = doctor->cli->conf;
	TALLOC_CTX *mem = doctor->cli->mem;
	const char *word = doctor->cli->args[0], *slash = strchr(word, '/');
	const char *name = slash ? mem_strndup(mem, word, (size_t)(slash - word)) : word;
	const struct conf_server *server = conf_server_find(conf, name);

	if (!server)
		return fault_new(mem, FAULT_DATA, "there is no [server %s] in %s", name,
				 conf->path);
	doctor->person = slash ? slash + 1 : NULL;
	if (slash && !find_person(doctor, server))
		return fault_new(mem, FAULT_DATA,
				 "'%s' has no account on server %s; `taskferry resource list` "
				 "shows who has one where",
				 doctor->person, name);
	*only_r = server;
	return NULL;
}

static struct fault *ask_all(struct doctor *doctor)
{
	const struct conf *conf = doctor->cli->conf;
	const struct conf_server *only = NULL;

	if (doctor->cli->arg_count) {
		FAULT_TRY(take_server(doctor, &only));
	} else {
		FAULT_TRY(look_at_conf(doctor));
	}
	for (size_t i = 0; i < conf->server_count; i++)
		if (!only || only == &conf->servers[i])
			ask(doctor, &conf->servers[i]);
	if (conf->replies.address && !doctor->person &&
	    (!only || text_same(only->name, conf->replies.server)))
		look_at_replies(doctor);
	return NULL;
}

/* ---- telling ---- */

static void print_json(const struct doctor *doctor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *finding = &doctor->findings[i];
		json_t *object = json_object();

		json_object_set_new(object, "server", cli_json_text(finding->server));
		json_object_set_new(object, "account", cli_json_text(finding->account));
		json_object_set_new(object, "probe", cli_json_text(finding->probe));
		json_object_set_new(object, "result", cli_json_text(finding->result));
		json_object_set_new(object, "meaning", cli_json_text(finding->meaning));
		json_object_set_new(object, "level", cli_json_text(level_names[finding->level]));
		json_array_append_new(array, object);
	}
	cli_json(doctor->cli, array);
}

static void print_table(const struct doctor *doctor)
{
	static const struct cli_column columns[] = {
		{ "SERVER", CLI_COLUMN_KEY },    { "LEVEL", CLI_COLUMN_KEY },
		{ "PROBE", CLI_COLUMN_KEY },     { "RESULT", CLI_COLUMN_WORDS },
		{ "MEANING", CLI_COLUMN_WORDS }, { "ASKED AS", CLI_COLUMN_WORDS }
	};
	struct cli_columns *table = cli_columns_new(doctor->cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *finding = &doctor->findings[i];

		cli_columns_add(table,
				(const char *[]){ finding->server, level_names[finding->level],
						  finding->probe, finding->result, finding->meaning,
						  finding->account });
	}
	if (doctor->count)
		cli_view_print(doctor->cli, table);
}

/* Doctor is asked before `init` too: then only people of the configuration are known. */
static struct fault *look_at_store(struct doctor *doctor)
{
	struct cli *cli = doctor->cli;
	struct fault *fault =
		store_open(cli->mem, cli->conf->dsn, cli->clock, cli->points, &cli->store);

	if (!fault)
		return project_resources(cli->store, cli->mem, 0, &doctor->people,
					 &doctor->person_count);
	add(doctor, &(struct finding){ .probe = "database",
				       .result = fault_kind_words(fault->kind),
				       .meaning = fault->text,
				       .level = fault->kind == FAULT_NO_INPUT ? FINDING_WARNING
									      : FINDING_ERROR });
	return NULL;
}

struct fault *cmd_doctor(struct cli *cli)
{
	struct doctor doctor = { .cli = cli };
	struct http *http = NULL;

	FAULT_TRY(http_new(cli->mem, cli->clock, cli->points, &http));
	doctor.delivery = (struct delivery){ .http = http,
					     .trusts = trusts_new(cli->mem),
					     .stop_fd = -1,
					     .clock = cli->clock,
					     .points = cli->points,
					     .conf = cli->conf };
	FAULT_TRY(look_at_store(&doctor));
	FAULT_TRY(ask_all(&doctor));
	FAULT_TRY(look_at_files(&doctor));
	if (cli_has(cli, "--json"))
		print_json(&doctor);
	else
		print_table(&doctor);
	for (size_t i = 0; i < doctor.count; i++)
		if (doctor.findings[i].level != FINDING_INFO)
			cli->attention = true;
	if (doctor.tried && !doctor.reached)
		cli->exit_code = EXIT_UNREACHABLE;
	return NULL;
}
