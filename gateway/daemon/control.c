/* control.c - the lines of the protocol, both ways. Pure. */
#include "config.h"

#include "gateway/daemon/control.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *const command_names[] = { "poke", "status", "sync" };
_Static_assert(COUNT_OF(command_names) == CONTROL_COMMANDS, "one name per command");

/* The numbers of a result and of a report, under the names that they have here. */
#define NUMBER(type, field)                                                                        \
	{                                                                                          \
#field, offsetof(struct type, field)                                               \
	}
struct number {
	const char *name;
	size_t offset;
};

static const struct number result_numbers[] = {
	NUMBER(sync_result, served),        NUMBER(sync_result, unreachable),
	NUMBER(sync_result, held_accounts), NUMBER(sync_result, waiting_jobs),
	NUMBER(sync_result, dead_jobs),
};

static const struct number report_numbers[] = {
	NUMBER(round_report, read),      NUMBER(round_report, changed),
	NUMBER(round_report, created),   NUMBER(round_report, updated),
	NUMBER(round_report, removed),   NUMBER(round_report, adopted),
	NUMBER(round_report, corrected), NUMBER(round_report, rejected),
	NUMBER(round_report, proposed),  NUMBER(round_report, losing),
	NUMBER(round_report, foreign),   NUMBER(round_report, undecodable),
	NUMBER(round_report, declined),  NUMBER(round_report, restored),
	NUMBER(round_report, held),      NUMBER(round_report, waiting),
	NUMBER(round_report, compared),  NUMBER(round_report, folders),
	NUMBER(round_report, amiss),
};

static const struct number stats_numbers[] = {
	NUMBER(endpoint_stats, requests),       NUMBER(endpoint_stats, writes),
	NUMBER(endpoint_stats, connections),    NUMBER(endpoint_stats, sent_bytes),
	NUMBER(endpoint_stats, received_bytes),
};

static const struct number status_numbers[] = {
	NUMBER(control_status, pid),       NUMBER(control_status, watched),
	NUMBER(control_status, listening), NUMBER(control_status, workers),
	NUMBER(control_status, busy),
};

const char *control_command_name(enum control_command command)
{
	return command_names[command];
}

/* ---- writing ---- */

/* NULL is null; what is no UTF-8 is mended. */
static json_t *text_json(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();
	char *clean;

	if (value)
		return value;
	clean = text_to_utf8(NULL, text, strlen(text));
	value = json_string(clean);
	talloc_free(clean);
	return mem_must(value);
}

static json_t *id_json(int64_t id)
{
	return id ? json_sprintf("%lld", (long long)id) : json_null();
}

static void add_numbers(json_t *object, const void *values, const struct number *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value;

		memcpy(&value, (const char *)values + numbers[i].offset, sizeof value);
		json_object_set_new(object, numbers[i].name, json_integer(value));
	}
}

/* {"NAME": OBJECT} and a line end; OBJECT is used up. NAME NULL: the object alone. */
static char *line_of(TALLOC_CTX *mem, const char *name, json_t *object)
{
	json_t *outer = object;
	char *text, *line;

	if (name) {
		outer = json_object();
		json_object_set_new(outer, name, object);
	}
	text = mem_must(json_dumps(outer, JSON_COMPACT | JSON_PRESERVE_ORDER));
	json_decref(outer);
	line = mem_printf(mem, "%s\n", text);
	free(text);
	return line;
}

char *control_request_line(TALLOC_CTX *mem, const struct control_request *request)
{
	json_t *object = json_object();

	json_object_set_new(object, "command", json_string(command_names[request->command]));
	json_object_set_new(object, "instance", text_json(request->instance));
	if (request->command == CONTROL_SYNC) {
		json_object_set_new(object, "account", text_json(request->account));
		json_object_set_new(object, "account_id", id_json(request->account_id));
		json_object_set_new(object, "project", text_json(request->project));
		json_object_set_new(object, "project_id", id_json(request->project_id));
		json_object_set_new(object, "full", json_boolean(request->full));
	}
	return line_of(mem, NULL, object);
}

char *control_progress_line(TALLOC_CTX *mem, const char *what, int64_t done, int64_t total)
{
	json_t *object = json_object();

	json_object_set_new(object, "what", text_json(what));
	json_object_set_new(object, "done", json_integer(done));
	json_object_set_new(object, "total", json_integer(total));
	return line_of(mem, "progress", object);
}

char *control_poke_line(TALLOC_CTX *mem)
{
	return line_of(mem, "result", json_object());
}

char *control_status_line(TALLOC_CTX *mem, const struct control_status *status)
{
	json_t *object = json_object();

	json_object_set_new(object, "version", text_json(status->version));
	json_object_set_new(object, "started_us", json_integer(status->started_us));
	add_numbers(object, status, status_numbers, COUNT_OF(status_numbers));
	json_object_set_new(object, "ways", text_json(status->ways));
	return line_of(mem, "result", object);
}

/* How long a value is in a line. */
static size_t length_of(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* As many as fit; then how many more there are. */
static json_t *notes_json(const struct round_report *report)
{
	json_t *array = json_array();
	size_t bytes = 0, i;

	for (i = 0; i < report->note_count; i++) {
		json_t *note = text_json(report->notes[i]);

		bytes += length_of(note) + 1;
		if (bytes > CONTROL_NOTES_MAX) {
			json_decref(note);
			break;
		}
		json_array_append_new(array, note);
	}
	if (i < report->note_count)
		json_array_append_new(array, json_sprintf("and %zu more; see: taskferry status",
							  report->note_count - i));
	return array;
}

char *control_sync_line(TALLOC_CTX *mem, const struct sync_result *result)
{
	json_t *object = json_object(), *report = json_object(), *stats = json_object();

	add_numbers(object, result, result_numbers, COUNT_OF(result_numbers));
	add_numbers(report, result->report, report_numbers, COUNT_OF(report_numbers));
	json_object_set_new(report, "notes", notes_json(result->report));
	add_numbers(stats, &result->stats, stats_numbers, COUNT_OF(stats_numbers));
	json_object_set_new(object, "report", report);
	json_object_set_new(object, "stats", stats);
	return line_of(mem, "result", object);
}

char *control_fault_line(TALLOC_CTX *mem, const struct fault *fault)
{
	json_t *object = json_object();

	json_object_set_new(object, "kind", json_string(fault_kind_name(fault->kind)));
	json_object_set_new(object, "text", text_json(fault->text));
	json_object_set_new(object, "exit", json_integer(fault_exit(fault)));
	return line_of(mem, "error", object);
}

/* ---- reading ---- */

static struct fault *not_understood(TALLOC_CTX *mem, const char *what)
{
	return fault_new(mem, FAULT_USAGE, "control socket: %s", what);
}

/* A member that is a text, or null (NULL). False: neither. */
static bool get_text(TALLOC_CTX *mem, const json_t *object, const char *name, const char **text_r)
{
	const json_t *value = json_object_get(object, name);

	if (value && !json_is_null(value) && !json_is_string(value))
		return false;
	*text_r = mem_strdup(mem, json_string_value(value));
	return true;
}

static bool get_id(const json_t *object, const char *name, int64_t *id_r)
{
	const json_t *value = json_object_get(object, name);
	int64_t id = 0;

	if (value && !json_is_null(value) &&
	    (!json_is_string(value) || !text_to_int(json_string_value(value), &id) || id <= 0))
		return false;
	*id_r = id;
	return true;
}

static bool get_number(const json_t *object, const char *name, int64_t *number_r)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value))
		return false;
	*number_r = json_integer_value(value);
	return true;
}

static bool get_numbers(const json_t *object, void *values, const struct number *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value;

		if (!get_number(object, numbers[i].name, &value))
			return false;
		memcpy((char *)values + numbers[i].offset, &value, sizeof value);
	}
	return true;
}

static json_t *load(const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

static bool get_command(const json_t *object, enum control_command *command_r)
{
	const char *name = json_string_value(json_object_get(object, "command"));

	for (int i = 0; name && i < CONTROL_COMMANDS; i++) {
		if (!strcmp(command_names[i], name)) {
			*command_r = (enum control_command)i;
			return true;
		}
	}
	return false;
}

static struct fault *get_request(TALLOC_CTX *mem, const json_t *object,
				 struct control_request *request_r)
{
	struct control_request request = { .full = json_is_true(json_object_get(object, "full")) };

	if (!object)
		return not_understood(mem, "that line is no JSON object");
	if (!get_command(object, &request.command))
		return not_understood(mem, "the command is one of poke, status and sync");
	if (!get_text(mem, object, "instance", &request.instance) ||
	    !get_text(mem, object, "account", &request.account) ||
	    !get_id(object, "account_id", &request.account_id) ||
	    !get_text(mem, object, "project", &request.project) ||
	    !get_id(object, "project_id", &request.project_id))
		return not_understood(mem, "names are texts or null, ids numbers as texts");
	if (!request.account != !request.account_id || !request.project != !request.project_id)
		return not_understood(mem, "a name comes with its id, and the other way round");
	*request_r = request;
	return NULL;
}

struct fault *control_request_parse(TALLOC_CTX *mem, const char *line, size_t len,
				    struct control_request *request_r)
{
	json_t *object = load(line, len);
	struct fault *fault = get_request(mem, object, request_r);

	json_decref(object);
	return fault;
}

static bool get_fault(TALLOC_CTX *mem, const json_t *object, struct fault **fault_r)
{
	const char *name = json_string_value(json_object_get(object, "kind"));
	const char *text = json_string_value(json_object_get(object, "text"));

	for (int kind = 0; name && text && kind < FAULT_KINDS; kind++) {
		if (!strcmp(fault_kind_name((enum fault_kind)kind), name)) {
			*fault_r = fault_new(mem, (enum fault_kind)kind, "%s", text);
			return true;
		}
	}
	return false;
}

static bool get_notes(const json_t *array, struct round_report *report)
{
	const json_t *note;
	size_t i;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, note)
	{
		if (!json_is_string(note))
			return false;
		round_note(report, "%s", json_string_value(note));
	}
	return true;
}

static bool get_sync(TALLOC_CTX *mem, const json_t *object, struct sync_result **result_r)
{
	struct sync_result *result = MEM_NEW(mem, struct sync_result);
	const json_t *report = json_object_get(object, "report");

	result->report = round_report_new(result);
	*result_r = result;
	return get_numbers(object, result, result_numbers, COUNT_OF(result_numbers)) &&
	       get_numbers(report, result->report, report_numbers, COUNT_OF(report_numbers)) &&
	       get_notes(json_object_get(report, "notes"), result->report) &&
	       get_numbers(json_object_get(object, "stats"), &result->stats, stats_numbers,
			   COUNT_OF(stats_numbers));
}

static bool get_status(TALLOC_CTX *mem, const json_t *object, struct control_status **status_r)
{
	struct control_status *status = MEM_NEW(mem, struct control_status);

	*status_r = status;
	return get_text(status, object, "version", &status->version) && status->version &&
	       get_number(object, "started_us", &status->started_us) &&
	       get_text(status, object, "ways", &status->ways) &&
	       get_numbers(object, status, status_numbers, COUNT_OF(status_numbers));
}

static bool get_progress(TALLOC_CTX *mem, const json_t *object, struct control_answer *answer)
{
	return get_text(mem, object, "what", &answer->what) && answer->what &&
	       get_number(object, "done", &answer->done) &&
	       get_number(object, "total", &answer->total);
}

static bool get_result(TALLOC_CTX *mem, enum control_command command, const json_t *object,
		       struct control_answer *answer)
{
	switch (command) {
	case CONTROL_SYNC:
		return get_sync(mem, object, &answer->sync);
	case CONTROL_STATUS:
		return get_status(mem, object, &answer->status);
	default:
		return json_is_object(object);
	}
}

static bool get_answer(TALLOC_CTX *mem, enum control_command command, const json_t *object,
		       struct control_answer *answer)
{
	const json_t *progress = json_object_get(object, "progress");
	const json_t *result = json_object_get(object, "result");

	if (progress) {
		answer->kind = CONTROL_PROGRESS;
		return get_progress(mem, progress, answer);
	}
	if (result) {
		answer->kind = CONTROL_RESULT;
		return get_result(mem, command, result, answer);
	}
	answer->kind = CONTROL_ERROR;
	return get_fault(mem, json_object_get(object, "error"), &answer->fault);
}

struct fault *control_answer_parse(TALLOC_CTX *mem, enum control_command command, const char *line,
				   size_t len, struct control_answer *answer_r)
{
	struct control_answer answer = { .done = 0 };
	json_t *object = load(line, len);
	bool understood = get_answer(mem, command, object, &answer);

	json_decref(object);
	if (!understood)
		return not_understood(mem, "the service's answer is not understood; is it of the "
					   "same version?");
	*answer_r = answer;
	return NULL;
}
