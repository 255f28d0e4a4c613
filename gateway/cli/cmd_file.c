/* cmd_file.c - attachments of an assignment: attached, detached, listed, saved. */
#include "config.h"

#include "gateway/cli/cli_view.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/sync/edit_files.h"
#include "store/blobs.h"
#include "store/link.h"

#define DIGEST_SHOWN 12 /* characters */

/* ---- task attach ---- */

static struct fault *io_fault(struct cli *cli, const char *path)
{
	return fault_new(cli->mem, errno == ENOENT ? FAULT_NO_INPUT : FAULT_IO, "%s: %s", path,
			 strerror(errno));
}

static struct fault *read_open(struct cli *cli, const char *path, FILE *file,
			       struct edit_file *file_r)
{
	struct stat st;
	char *bytes;
	size_t len;

	if (fstat(fileno(file), &st) < 0)
		return io_fault(cli, path);
	if (!S_ISREG(st.st_mode))
		return fault_new(cli->mem, FAULT_DATA, "%s is not a file", path);
	if (st.st_size > cli->conf->site.file_max)
		return fault_new(cli->mem, FAULT_DATA, "%s has %s; [site] file_max allows %s", path,
				 files_size_text(cli->mem, st.st_size),
				 files_size_text(cli->mem, cli->conf->site.file_max));
	bytes = MEM_ARRAY(cli->mem, char, (size_t)st.st_size + 1);
	len = fread(bytes, 1, (size_t)st.st_size, file);
	if (ferror(file) || len != (size_t)st.st_size)
		return fault_new(cli->mem, FAULT_IO, "%s: could not be read to its end", path);
	*file_r = (struct edit_file){ .name = path, .bytes = bytes, .len = len };
	return NULL;
}

static struct fault *read_file(struct cli *cli, const char *path, struct edit_file *file_r)
{
	FILE *file = fopen(path, "rbe");
	struct fault *fault;

	if (!file)
		return io_fault(cli, path);
	fault = read_open(cli, path, file, file_r);
	fclose(file);
	return fault;
}

static void print_change(struct cli *cli, const struct edit_result *result)
{
	const char *before = vector_str(result->before, FIELD_attachments),
		   *after = vector_str(result->after, FIELD_attachments);
	struct files *gone = files_read(cli->mem, files_without(cli->mem, before, after)),
		     *come = files_read(cli->mem, files_without(cli->mem, after, before));

	for (size_t i = 0; i < gone->count; i++)
		fprintf(cli->out, "- %s\n", gone->list[i].name);
	for (size_t i = 0; i < come->count; i++)
		fprintf(cli->out, "+ %s (%s)\n", come->list[i].name,
			files_size_text(cli->mem, come->list[i].size));
	if (!gone->count && !come->count)
		fprintf(cli->out, "Nothing changed: those attachments stand already.\n");
	for (size_t i = 0; i < result->message_count; i++)
		cli_attention(cli, "%s", result->messages[i]);
}

struct fault *cmd_task_attach(struct cli *cli)
{
	size_t count = (size_t)cli->arg_count - 1;
	struct edit_file *files = MEM_ARRAY(cli->mem, struct edit_file, count);
	struct edit_env env = cli_edit_env(cli);
	struct assignment *assignment = NULL;
	struct edit_result *result = NULL;

	FAULT_TRY(cli_assignment(cli, cli->args[0], &assignment));
	for (size_t i = 0; i < count; i++)
		FAULT_TRY(read_file(cli, cli->args[i + 1], &files[i]));
	FAULT_TRY(edit_files_attach(cli->mem, &env, assignment->id, files, count, &result));
	print_change(cli, result);
	cli_carry(cli, true);
	return NULL;
}

struct fault *cmd_task_detach(struct cli *cli)
{
	struct edit_env env = cli_edit_env(cli);
	struct assignment *assignment = NULL;
	struct edit_result *result = NULL;

	FAULT_TRY(cli_assignment(cli, cli->args[0], &assignment));
	FAULT_TRY(edit_files_detach(cli->mem, &env, assignment->id, cli->args + 1,
				    (size_t)cli->arg_count - 1, &result));
	print_change(cli, result);
	cli_carry(cli, true);
	return NULL;
}

/* ---- task files ---- */

static struct fault *write_bytes(struct cli *cli, const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "wbxe");
	bool good;

	if (!file)
		return fault_new(cli->mem, FAULT_CANNOT_CREATE, "%s: %s%s", path, strerror(errno),
				 errno == EEXIST ? "; name another one by --output" : "");
	good = fwrite(bytes, 1, len, file) == len;
	if (fclose(file) != 0 || !good) {
		(void)unlink(path);
		return fault_new(cli->mem, FAULT_IO, "%s: %s", path, strerror(errno));
	}
	return NULL;
}

/* Saves one under its own name in the working directory, or where --output says; never over a file. */
static struct fault *save(struct cli *cli, const struct files *files, const char *name)
{
	const char *path = cli_option(cli, "--output");
	const struct file *file = NULL;
	char *bytes = NULL;
	size_t len = 0;

	FAULT_TRY(edit_files_find(cli->mem, files, name, &file));
	if (!file->digest)
		return fault_new(cli->mem, FAULT_DATA, "'%s' is a link, and is not fetched: %s",
				 file->name, file->uri);
	FAULT_TRY(blobs_get(cli->store, cli->mem, file->digest, &bytes, &len));
	path = path ? path : file->name;
	FAULT_TRY(write_bytes(cli, path, bytes, len));
	fprintf(cli->out, "%s (%s)\n", path, files_size_text(cli->mem, (int64_t)len));
	return NULL;
}

static void print_files(struct cli *cli, const struct files *files)
{
	static const struct cli_column columns[] = { { "NAME", CLI_COLUMN_WORDS },
						     { "SIZE", CLI_COLUMN_NUMBER },
						     { "TYPE", CLI_COLUMN_WORDS },
						     { "DIGEST", CLI_COLUMN_KEY } };
	struct cli_columns *table = cli_columns_new(cli->mem, columns, COUNT_OF(columns));

	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->list[i];

		cli_columns_add(
			table, (const char *[]){
				       file->name,
				       file->digest ? files_size_text(table, file->size) : NULL,
				       file->digest ? file->type : "link",
				       file->digest ? mem_strndup(table, file->digest, DIGEST_SHOWN)
						    : file->uri });
	}
	cli_view_print(cli, table);
}

struct fault *cmd_task_files(struct cli *cli)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;
	struct files *files;

	FAULT_TRY(cli_assignment(cli, cli->args[0], &assignment));
	FAULT_TRY(project_values(cli->store, cli->mem, assignment, &stamped));
	files = files_read(cli->mem, vector_str(stamped->values, FIELD_attachments));
	if (cli->arg_count > 1)
		return save(cli, files, cli->args[1]);
	if (cli_has(cli, "--json")) {
		json_t *array = json_array();

		for (size_t i = 0; i < files->count; i++)
			json_array_append_new(array, cli_json_file(&files->list[i]));
		cli_json(cli, array);
	} else if (files->count) {
		print_files(cli, files);
	} else {
		fprintf(cli->out, "Nothing is attached to assignment %s.\n", cli->args[0]);
	}
	return NULL;
}
