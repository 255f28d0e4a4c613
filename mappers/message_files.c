#include "config.h"

#include "mappers/message_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

/* Files as parts of a message.
 *
 *   F1  a file is a part that says so (an attachment, or one with a file's name), is neither card nor
 *       calendar, and stands in multiparts that only arrange their parts: not in what is signed,
 *       encrypted, or attached as a whole
 *   F2  a part that stands is never written anew: it stays, byte for byte, or goes (N4)
 *   F3  what we write: base64, an attachment with its name and size, and a Content-ID that is the
 *       file's digest and the site's host, by which its contents are known without its bytes
 */

#define TYPE_OTHER "application/octet-stream"

static bool is_arranged(const struct message_tree *tree, uint32_t part)
{
	for (uint32_t i = tree->parts[part].parent; i != MESSAGE_NONE; i = tree->parts[i].parent)
		if (!message_part_arranges(&tree->parts[i]))
			return false;
	return part != 0 || !tree->parts[0].split;
}

/* F1 */
bool message_files_is(const struct message_tree *tree, uint32_t part)
{
	const struct message_kind *kind = &tree->parts[part].kind;

	return kind->file && kind->encoding != MESSAGE_OPAQUE && !tree->parts[part].split &&
	       part != tree->card && part != tree->calendar && is_arranged(tree, part);
}

static char *value_of(TALLOC_CTX *mem, const struct message_tree *tree,
		      const struct message_part *part, const char *field)
{
	return message_mime_value(mem, tree->text, part->from, part->body, field);
}

static char *name_of(TALLOC_CTX *mem, const struct message_tree *tree,
		     const struct message_part *part)
{
	char *disposition = value_of(mem, tree, part, "Content-Disposition"), *type;
	char *name = disposition ? message_param(mem, disposition, "filename") : NULL;

	if (!name || !*name) {
		type = value_of(mem, tree, part, "Content-Type");
		name = type ? message_param(mem, type, "name") : NULL;
	}
	return files_name(mem, name);
}

void message_files_read(TALLOC_CTX *mem, const struct message_tree *tree, uint32_t part,
			struct file *file_r)
{
	const struct message_part *at = &tree->parts[part];
	struct file file = { .name = name_of(mem, tree, at),
			     .type = files_type(mem, at->kind.type) };
	struct message_standin standin;
	char *bytes;
	size_t len;

	if (message_elide_read(mem, tree, part, &standin)) {
		message_elide_file(mem, &standin, value_of(mem, tree, at, "Content-ID"), &file);
		*file_r = file;
		return;
	}
	bytes = message_body_decode(mem, tree, at, &len);
	file.digest = digest_sha256(mem, bytes, len);
	file.size = (int64_t)len;
	talloc_free(bytes);
	*file_r = file;
}

/* Of MAX parts. */
static struct files *files_of(TALLOC_CTX *mem, const struct message_tree *tree, size_t max)
{
	struct files *files = NULL;
	size_t count = 0;

	for (uint32_t i = 0; i < tree->count && count < max; i++) {
		TALLOC_CTX *scratch;
		struct file file;

		if (!message_files_is(tree, i))
			continue;
		scratch = MEM_CONTEXT(mem);
		message_files_read(scratch, tree, i, &file);
		if (!files)
			files = MEM_NEW(mem, struct files);
		files_add(files, &file);
		count++;
		talloc_free(scratch);
	}
	return files;
}

struct files *message_files_all(TALLOC_CTX *mem, const struct message_tree *tree)
{
	return files_of(mem, tree, FILES_COUNT_MAX);
}

struct fault *message_file_bytes(TALLOC_CTX *mem, const char *text, size_t len, const char *digest,
				 char **bytes_r, size_t *len_r)
{
	struct message_tree *tree;

	FAULT_TRY(message_tree_parse(mem, text, len, &tree));
	for (uint32_t i = 0; i < tree->count; i++) {
		size_t n;
		char *bytes;

		if (!message_files_is(tree, i))
			continue;
		bytes = message_body_decode(mem, tree, &tree->parts[i], &n);
		if (!strcmp(digest_sha256(tree, bytes, n), digest)) {
			*bytes_r = bytes;
			*len_r = n;
			talloc_free(tree);
			return NULL;
		}
		talloc_free(bytes);
	}
	talloc_free(tree);
	return message_fault(mem, "the message holds no such attachment");
}

/* A multipart or a message may not be in base64 (RFC 2045 section 6.4); another calendar might be
 * taken for the task. */
static const char *type_of(const struct file *file)
{
	static const char *const others[] = { "multipart/", "message/", "text/calendar",
					      "application/ics" };

	for (size_t i = 0; file->type && i < COUNT_OF(others); i++)
		if (text_starts(file->type, others[i]))
			return TYPE_OTHER;
	return file->type ? file->type : TYPE_OTHER;
}

void message_files_add(struct buf *out, const struct message_publish *publish,
		       const struct files_content *content)
{
	const struct file *file = content->file;

	buf_printf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n", type_of(file));
	buf_printf(out, "Content-Disposition: attachment; size=%zu", content->len);
	message_param_add(out, "filename", file->name);
	buf_printf(out, "\r\nContent-ID: <%s@%s>\r\n\r\n", file->digest,
		   message_header_host(out, publish->site_host));
	message_body_lines(out, content->bytes, content->len);
}

/* By its id, or by what an elided one says that it is. */
static bool is_gone(const struct message_publish *publish, const struct file *file)
{
	const char *claim = file->managed_id ? strstr(file->managed_id, " <") : NULL;

	for (size_t i = 0; i < publish->gone_count; i++) {
		const char *id = publish->gone[i];
		size_t len = strlen(id);

		if (!strcmp(id, files_id(file)) || text_same(id, file->managed_id) ||
		    (claim && !strncmp(claim + 2, id, len) && claim[2 + len] == '@'))
			return true;
	}
	return false;
}

bool message_files_stands(const struct message_publish *publish, const struct files *standing,
			  size_t i)
{
	const struct file *file = publish->files[i].file;

	for (size_t k = 0; k < standing->count; k++)
		if (message_claims(&standing->list[k], file))
			return true;
	return files_find(standing, files_id(file)) != NULL;
}

bool message_files_gone(const struct message_publish *publish, const struct message_tree *tree,
			uint32_t part)
{
	TALLOC_CTX *scratch;
	struct file file;
	bool gone;

	if (!publish->gone_count || !message_files_is(tree, part))
		return false;
	scratch = MEM_CONTEXT(tree);
	message_files_read(scratch, tree, part, &file);
	gone = is_gone(publish, &file);
	talloc_free(scratch);
	return gone;
}

struct files *message_files_standing(TALLOC_CTX *mem, const struct message_publish *publish,
				     const struct message_tree *tree)
{
	struct files *all, *standing = MEM_NEW(mem, struct files);

	if (!publish->file_count)
		return standing;
	all = files_of(mem, tree, tree->count);
	for (size_t i = 0; all && i < all->count; i++) {
		if (!is_gone(publish, &all->list[i]))
			files_add(standing, &all->list[i]);
	}
	return standing;
}
