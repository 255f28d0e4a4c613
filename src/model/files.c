#include "config.h"

#include "model/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/text.h"

#define DIGEST_CHARS 64
#define HEX "0123456789abcdef"

const char *files_id(const struct file *file)
{
	return file->digest ? file->digest : file->uri;
}

/* ---- lines ---- */

static bool is_digest(const char *text, size_t len)
{
	return len == DIGEST_CHARS && strspn(text, HEX) >= DIGEST_CHARS;
}

/* Takes the next word of a line that is changed; NULL at its end. */
static char *word(char **rest)
{
	char *at = *rest, *blank = strchr(at, ' ');

	if (!*at || blank == at)
		return NULL;
	*rest = blank ? blank + 1 : at + strlen(at);
	if (blank)
		*blank = '\0';
	return at;
}

/* The words lie in LINE, which is changed. */
static bool read_line(char *line, struct file *file_r)
{
	char *rest = line, *id = word(&rest), *size = id ? word(&rest) : NULL,
	     *type = size ? word(&rest) : NULL;
	struct file file = { .size = -1, .name = rest };

	if (!type || !*rest)
		return false;
	if (is_digest(id, strlen(id)))
		file.digest = id;
	else if (files_is_link(id))
		file.uri = id;
	else
		return false;
	if (strcmp(type, "-") != 0)
		file.type = type;
	if (file.digest && (!text_to_int(size, &file.size) || file.size < 0))
		return false;
	*file_r = file;
	return true;
}

struct files *files_read(TALLOC_CTX *mem, const char *lines)
{
	struct files *files = MEM_NEW(mem, struct files);
	char *line = mem_strdup(files, lines ? lines : ""), *end;

	for (; *line; line = end) {
		struct file file;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		if (read_line(line, &file))
			files_add(files, &file);
	}
	return files;
}

bool files_valid(const char *text)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *line = mem_strdup(mem, text), *end;
	bool valid = text_is_utf8(text, strlen(text));

	for (; valid && *line; line = end) {
		struct file file;

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		valid = read_line(line, &file);
	}
	talloc_free(mem);
	return valid;
}

static int by_name(const void *a, const void *b)
{
	const struct file *first = *(const struct file *const *)a,
			  *second = *(const struct file *const *)b;
	int order = strcmp(first->name, second->name);

	return order ? order : strcmp(files_id(first), files_id(second));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *files_write(TALLOC_CTX *mem, const struct files *files)
{
	const struct file **sorted = MEM_ARRAY(mem, const struct file *, files->count + 1);
	struct buf *out;

	if (!files->count) {
		talloc_free(sorted);
		return NULL;
	}
	out = buf_new(mem);
	for (size_t i = 0; i < files->count; i++)
		sorted[i] = &files->list[i];
	qsort(sorted, files->count, sizeof(*sorted), by_name);
	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = sorted[i];

		if (file->digest)
			buf_printf(out, "%s%s %" PRId64 " %s %s", i ? "\n" : "", file->digest,
				   file->size, file->type ? file->type : "-", file->name);
		else
			buf_printf(out, "%s%s - - %s", i ? "\n" : "", file->uri, file->name);
	}
	talloc_free(sorted);
	return buf_steal(&out, mem, NULL);
}

char *files_ids(TALLOC_CTX *mem, const char *lines)
{
	struct files *files = files_read(mem, lines);
	const char **ids = MEM_ARRAY(files, const char *, files->count + 1);
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < files->count; i++)
		ids[i] = files_id(&files->list[i]);
	qsort(ids, files->count, sizeof(*ids), by_text);
	for (size_t i = 0; i < files->count; i++)
		buf_printf(out, "%s%s", i ? "\n" : "", ids[i]);
	talloc_free(files);
	return buf_steal(&out, mem, NULL);
}

/* ---- sets ---- */

const struct file *files_find(const struct files *files, const char *id)
{
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files_id(&files->list[i]), id))
			return &files->list[i];
	return NULL;
}

void files_add(struct files *files, const struct file *file)
{
	struct file *copy;

	if (files_find(files, files_id(file)))
		return;
	files->list = MEM_GROW(files, files->list, struct file, files->count + 1);
	copy = &files->list[files->count++];
	*copy = (struct file){ .digest = mem_strdup(files, file->digest),
			       .uri = mem_strdup(files, file->uri),
			       .name = mem_strdup(files, file->name),
			       .type = mem_strdup(files, file->type),
			       .size = file->size,
			       .managed_id = mem_strdup(files, file->managed_id) };
}

/* Those of A that are in B, or are not. */
static char *pick(TALLOC_CTX *mem, const char *a, const char *b, bool in_b)
{
	TALLOC_CTX *scratch;
	struct files *first, *second, *out;
	char *text;

	if (!a)
		return NULL;
	scratch = MEM_CONTEXT(mem);
	first = files_read(scratch, a);
	second = files_read(scratch, b);
	out = MEM_NEW(scratch, struct files);
	for (size_t i = 0; i < first->count; i++)
		if ((files_find(second, files_id(&first->list[i])) != NULL) == in_b)
			files_add(out, &first->list[i]);
	text = files_write(mem, out);
	talloc_free(scratch);
	return text;
}

char *files_without(TALLOC_CTX *mem, const char *a, const char *b)
{
	return pick(mem, a, b, false);
}

char *files_common(TALLOC_CTX *mem, const char *a, const char *b)
{
	return pick(mem, a, b, true);
}

char *files_join(TALLOC_CTX *mem, const char *a, const char *b)
{
	struct files *first = files_read(mem, a), *second = files_read(first, b);
	char *text;

	for (size_t i = 0; i < second->count; i++)
		files_add(first, &second->list[i]);
	text = files_write(mem, first);
	talloc_free(first);
	return text;
}

int64_t files_total(const char *lines)
{
	struct files *files = files_read(NULL, lines);
	int64_t total = 0;

	for (size_t i = 0; i < files->count; i++)
		if (files->list[i].digest)
			total += files->list[i].size;
	talloc_free(files);
	return total;
}

/* ---- what others wrote ---- */

/* The last component of a path, in either notation. */
static const char *base_name(const char *path)
{
	const char *at = path;

	for (const char *c = path; *c; c++)
		if ((*c == '/' || *c == '\\') && c[1])
			at = c + 1;
	return at;
}

char *files_name(TALLOC_CTX *mem, const char *name)
{
	char *clean = text_to_utf8(mem, name ? name : "", name ? strlen(name) : 0);
	char *line = text_trim(mem, text_one_line(mem, base_name(clean), FILES_NAME_MAX)), *start;
	const char *ending;

	for (char *c = line; *c; c++)
		if (strchr("/\\:*?\"<>|", *c))
			*c = '_';
	start = line + strspn(line, ".- ");
	if (!start[strspn(start, "_.- ")])
		return mem_strdup(mem, "attachment");
	if (strlen(start) <= FILES_NAME_MAX)
		return mem_strdup(mem, start);
	ending = strrchr(start, '.');
	ending = ending && strlen(ending) < 20 ? ending : "";
	return mem_printf(mem, "%.*s%s",
			  (int)text_prefix_bytes(start, FILES_NAME_MAX - strlen(ending)), start,
			  ending);
}

char *files_type(TALLOC_CTX *mem, const char *type)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
	char *lower = text_trim(mem, text_lower(mem, type ? type : ""));
	size_t first, second;

	lower[strcspn(lower, "; ")] = '\0';
	first = strspn(lower, allowed);
	second = lower[first] == '/' ? strspn(lower + first + 1, allowed) : 0;
	if (!first || !second || lower[first + 1 + second] || strlen(lower) > FILES_TYPE_MAX)
		return NULL;
	return lower;
}

const char *files_type_of_name(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".txt", "text/plain" },
		{ ".md", "text/markdown" },
		{ ".csv", "text/csv" },
		{ ".html", "text/html" },
		{ ".pdf", "application/pdf" },
		{ ".png", "image/png" },
		{ ".jpg", "image/jpeg" },
		{ ".jpeg", "image/jpeg" },
		{ ".gif", "image/gif" },
		{ ".svg", "image/svg+xml" },
		{ ".zip", "application/zip" },
		{ ".ics", "text/calendar" },
		{ ".json", "application/json" },
		{ ".xml", "application/xml" },
		{ ".odt", "application/vnd.oasis.opendocument.text" },
		{ ".ods", "application/vnd.oasis.opendocument.spreadsheet" },
		{ ".docx",
		  "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
		{ ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < COUNT_OF(types); i++)
		if (text_equal_nocase(dot, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}

bool files_is_link(const char *uri)
{
	static const char *const schemes[] = { "http:", "https:", "ftp:", "ftps:",
					       "sftp:", "smb:",   "file:" };
	size_t len = strlen(uri), scheme = strcspn(uri, ":");

	if (len > FILES_URI_MAX || !uri[scheme] || !text_is_utf8(uri, len))
		return false;
	for (const unsigned char *c = (const unsigned char *)uri; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return false;
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (strlen(schemes[i]) == scheme + 1 && uri[scheme + 1] &&
		    !strncasecmp(uri, schemes[i], scheme + 1))
			return true;
	return false;
}

/* ---- for people ---- */

char *files_names(TALLOC_CTX *mem, const char *lines)
{
	struct files *files = files_read(mem, lines);
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < files->count; i++)
		buf_printf(out, "%s%s", i ? ", " : "", files->list[i].name);
	talloc_free(files);
	return buf_steal(&out, mem, NULL);
}

char *files_size_text(TALLOC_CTX *mem, int64_t size)
{
	if (size < 1000)
		return mem_printf(mem, "%" PRId64 " bytes", size);
	if (size < 1000000)
		return mem_printf(mem, "%" PRId64 " kB", (size + 500) / 1000);
	if (size < 10000000)
		return mem_printf(mem, "%" PRId64 ".%" PRId64 " MB", size / 1000000,
				  size / 100000 % 10);
	return mem_printf(mem, "%" PRId64 " MB", (size + 500000) / 1000000);
}
