/* vtodo_files.c - attachments (RFC 5545 section 3.8.1.1, RFC 8607 section 4).
 *
 * Three sorts of ATTACH lines are understood: binary ones, whose bytes are in the line; those that
 * the server manages; and links. All others, and lines that cannot be read, are not ours to touch.
 * A patch takes away lines that it is told to and adds lines for what does not stand there; it never
 * writes a line anew, so that an attachment keeps all of its parameters (N4). */
#include "config.h"

#include "mappers/vtodo_private.h"

#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/text.h"

#define ATTACH "ATTACH"

static char *name_of(TALLOC_CTX *mem, const struct icaltext_line *line, const char *otherwise)
{
	static const char *const params[] = { "FILENAME",          "X-FILENAME", "X-APPLE-FILENAME",
					      "X-ORACLE-FILENAME", "LABEL",      "X-LABEL" };
	char *name = NULL;

	for (size_t i = 0; i < COUNT_OF(params) && (!name || !*name); i++)
		name = icaltext_param(mem, line, params[i]);
	return files_name(mem, name && *name ? name : otherwise);
}

static bool is_binary(TALLOC_CTX *mem, const struct icaltext_line *line)
{
	char *value = icaltext_param(mem, line, "VALUE"),
	     *encoding = icaltext_param(mem, line, "ENCODING");

	return (value && text_equal_nocase(value, "BINARY")) ||
	       (encoding &&
		(text_equal_nocase(encoding, "BASE64") || text_equal_nocase(encoding, "B")));
}

static bool bytes_of(TALLOC_CTX *mem, const struct icaltext_line *line, char **bytes_r,
		     size_t *len_r)
{
	return is_binary(mem, line) && line->value_len &&
	       base64_decode(mem, line->value, line->value_len, bytes_r, len_r);
}

/* The name at the end of a URI's path. */
static char *name_of_uri(TALLOC_CTX *mem, const char *uri)
{
	char *path = mem_strdup(mem, uri), *name;

	path[strcspn(path, "?#")] = '\0';
	name = strrchr(path, '/');
	return name && name[1] ? name + 1 : path;
}

static bool read_uri(TALLOC_CTX *mem, const struct icaltext_line *line, struct file *file)
{
	char *size = icaltext_param(mem, line, "SIZE");

	file->uri = vtodo_text_word(mem, line);
	file->managed_id = icaltext_param(mem, line, "MANAGED-ID");
	if (file->managed_id && !*file->managed_id)
		file->managed_id = NULL;
	if (!size || !text_to_int(size, &file->size) || file->size < 0)
		file->size = -1;
	file->name = name_of(mem, line, name_of_uri(mem, file->uri));
	return files_is_link(file->uri);
}

bool vtodo_files_read(TALLOC_CTX *mem, const struct icaltext_line *line, struct file *file_r)
{
	struct file file = { .size = -1 };
	char *type = line->params[0] ? icaltext_param(mem, line, "FMTTYPE") : NULL, *bytes;
	size_t len;

	file.type = type ? files_type(mem, type) : NULL;
	if (!is_binary(mem, line)) {
		if (!read_uri(mem, line, &file))
			return false;
	} else {
		if (!bytes_of(mem, line, &bytes, &len))
			return false;
		file.digest = digest_sha256(mem, bytes, len);
		file.size = (int64_t)len;
		file.name = name_of(mem, line, NULL);
		talloc_free(bytes);
	}
	*file_r = file;
	return true;
}

struct files *vtodo_files_all(TALLOC_CTX *mem, const struct vtodo_item *item)
{
	const struct icaltext_line *line = NULL;
	struct files *files = NULL;
	size_t count = 0;

	while ((line = icaltext_find(item->ical, item->todo, ATTACH, line))) {
		TALLOC_CTX *scratch = MEM_CONTEXT(mem);
		struct file file;

		if (count < FILES_COUNT_MAX && vtodo_files_read(scratch, line, &file)) {
			count++;
			if (!files)
				files = MEM_NEW(mem, struct files);
			files_add(files, &file);
		}
		talloc_free(scratch);
	}
	return files;
}

struct fault *vtodo_file_bytes(TALLOC_CTX *mem, const char *text, size_t len, const char *digest,
			       char **bytes_r, size_t *len_r)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(mem);
	const struct icaltext_line *line = NULL;
	struct vtodo_item item;
	struct fault *fault = vtodo_open(scratch, text, len, &item);
	bool found = false;

	while (!fault && !found && (line = icaltext_find(item.ical, item.todo, ATTACH, line))) {
		char *bytes;
		size_t n;

		if (!bytes_of(scratch, line, &bytes, &n) ||
		    strcmp(digest_sha256(scratch, bytes, n), digest) != 0)
			continue;
		*bytes_r = talloc_steal(mem, bytes);
		*len_r = n;
		found = true;
	}
	if (fault)
		talloc_steal(mem, fault);
	else if (!found)
		fault = fault_new(mem, FAULT_DATA, "the item holds no such attachment");
	talloc_free(scratch);
	return fault;
}

/* A parameter's value: quoted where it has to be, `^` as RFC 6868 wants it. */
static char *param_text(TALLOC_CTX *mem, const char *value)
{
	struct buf *out = buf_new(mem);
	bool quote = value[strcspn(value, ":;,")] != '\0';

	if (quote)
		buf_putc(out, '"');
	for (; *value; value++)
		if (*value == '^')
			buf_puts(out, "^^");
		else
			buf_putc(out, *value);
	if (quote)
		buf_putc(out, '"');
	return buf_steal(&out, mem, NULL);
}

char *vtodo_files_line(TALLOC_CTX *mem, const struct files_content *file)
{
	struct buf *line = buf_new(mem);

	buf_puts(line, ATTACH);
	if (file->file->type)
		buf_printf(line, ";FMTTYPE=%s", file->file->type);
	buf_printf(line, ";FILENAME=%s", param_text(line, file->file->name));
	if (file->bytes) {
		buf_puts(line, ";ENCODING=BASE64;VALUE=BINARY:");
		base64_encode(line, file->bytes, file->len);
	} else {
		buf_printf(line, ":%s", file->file->uri);
	}
	return buf_steal(&line, mem, NULL);
}

static bool is_gone(const struct vtodo_publish *publish, const char *id)
{
	for (size_t i = 0; i < publish->gone_count; i++)
		if (!strcmp(publish->gone[i], id))
			return true;
	return false;
}

void vtodo_files_patch(TALLOC_CTX *mem, const struct vtodo_item *item,
		       const struct vtodo_publish *publish, struct icaltext_edit *edit)
{
	const struct icaltext_line *line = NULL;
	struct files *standing = MEM_NEW(mem, struct files);

	if (!publish->file_count && !publish->gone_count)
		return;
	while ((line = icaltext_find(item->ical, item->todo, ATTACH, line))) {
		struct file file;

		if (!vtodo_files_read(standing, line, &file))
			continue;
		if (is_gone(publish, files_id(&file)))
			icaltext_delete(edit, line);
		else
			files_add(standing, &file);
	}
	for (size_t i = 0; i < publish->file_count; i++)
		if (!files_find(standing, files_id(publish->files[i].file)))
			icaltext_insert(edit, item->todo,
					vtodo_files_line(standing, &publish->files[i]));
	talloc_free(standing);
}
