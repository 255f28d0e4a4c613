#include "config.h"

#include "mappers/message_elide.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "mappers/message_private.h"

#define WORD "taskferry-part "
#define LINE_MAX_BYTES 1000 /* of a stand-in: a section of MESSAGE_DEPTH_MAX numbers, an address */

static bool is_section(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') ||
		      (text[i] == '.' && i && i + 1 < len && text[i - 1] != '.')))
			return false;
	return len > 0;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* The whole body of a part, or false. */
static bool read_line(TALLOC_CTX *mem, const char *body, size_t len,
		      struct message_standin *standin_r)
{
	struct message_standin standin;
	char *line, *octets, *address;
	size_t section;

	if (len > LINE_MAX_BYTES || len < strlen(WORD) || memcmp(body, WORD, strlen(WORD)) != 0)
		return false;
	line = mem_strndup(mem, body + strlen(WORD), len - strlen(WORD));
	section = strcspn(line, " ");
	octets = line + section + (line[section] == ' ');
	address = octets + strcspn(octets, " ");
	if (!is_section(line, section) || !*address || !address[1] || !is_printable(address))
		return false;
	line[section] = '\0';
	*address++ = '\0';
	standin.section = line;
	standin.address = address;
	if (!text_to_int(octets, &standin.octets) || standin.octets < 0)
		return false;
	*standin_r = standin;
	return true;
}

bool message_elide_read(TALLOC_CTX *mem, const struct message_tree *tree, uint32_t part,
			struct message_standin *standin_r)
{
	const struct message_part *at = &tree->parts[part];

	return !at->split && read_line(mem, tree->text + at->body, at->to - at->body, standin_r);
}

char *message_elide_line(TALLOC_CTX *mem, const struct message_section *section,
			 const char *address)
{
	return mem_printf(mem, WORD "%s %" PRId64 " %s", section->section, section->octets,
			  address);
}

/* ---- what a file is ---- */

char *message_elide_id(TALLOC_CTX *mem, const struct message_standin *standin)
{
	char *name = mem_printf(mem, "%s %s", standin->section, standin->address);

	return mem_printf(mem, "<%s.part@taskferry.invalid>",
			  digest_short(mem, name, strlen(name), 32));
}

void message_elide_file(TALLOC_CTX *mem, const struct message_standin *standin, const char *id,
			struct file *file)
{
	file->digest = NULL;
	file->size = -1;
	file->uri = mem_printf(mem, "%s %s", standin->section, standin->address);
	file->managed_id = mem_printf(mem, "%" PRId64 " %s", standin->octets,
				      id ? id : message_elide_id(mem, standin));
}

static int64_t octets_of(int64_t size)
{
	int64_t lines = (size + MESSAGE_BASE64_LINE - 1) / MESSAGE_BASE64_LINE;

	return (size + 2) / 3 * 4 + (lines ? 2 * (lines - 1) : 0);
}

bool message_claims(const struct file *file, const struct file *known)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	bool claims =
		!file->digest && file->managed_id && known->digest &&
		text_starts(file->managed_id, mem_printf(mem, "%" PRId64 " <%s@",
							 octets_of(known->size), known->digest));

	talloc_free(mem);
	return claims;
}

/* ---- sections ---- */

/* RFC 3501 section 6.4.5: parts are numbered within their multipart; a message that is none has one
 * part. */
static char *section_of(TALLOC_CTX *mem, const struct message_tree *tree, uint32_t part)
{
	uint32_t parent = tree->parts[part].parent, number = 1;
	char *above, *section;

	if (parent == MESSAGE_NONE)
		return mem_strdup(mem, tree->parts[part].split ? "" : "1");
	for (uint32_t i = parent + 1; i < part; i = tree->parts[i].past)
		number++;
	above = section_of(mem, tree, parent);
	section = mem_printf(mem, "%s%s%u", above, *above ? "." : "", (unsigned)number);
	talloc_free(above);
	return section;
}

static uint32_t find_section(TALLOC_CTX *mem, const struct message_tree *tree, const char *section)
{
	for (uint32_t i = 0; i < tree->count; i++) {
		char *name = tree->parts[i].split ? NULL : section_of(mem, tree, i);
		bool same = text_same(name, section);

		talloc_free(name);
		if (same)
			return i;
	}
	return MESSAGE_NONE;
}

/* ---- eliding ---- */

static bool may_go(const struct message_tree *tree, uint32_t part)
{
	const struct message_part *at = &tree->parts[part];
	struct message_standin standin;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	bool stands = message_elide_read(mem, tree, part, &standin);

	talloc_free(mem);
	return !at->split && part != tree->card && part != tree->calendar && at->body < tree->len &&
	       !stands;
}

bool message_elide_next(TALLOC_CTX *mem, const char *text, size_t len,
			const struct message_section *sections, size_t count, int64_t min,
			size_t *body_r, struct message_section *section_r)
{
	struct message_tree *tree = NULL;
	struct fault *fault = message_tree_parse(mem, text, len, &tree);

	talloc_free(fault); /* not yet */
	for (uint32_t i = 0; tree && i < tree->count; i++) {
		char *section;

		if (!may_go(tree, i))
			continue;
		section = section_of(tree, tree, i);
		for (size_t k = 0; k < count; k++) {
			if (strcmp(sections[k].section, section) != 0 || sections[k].octets < min)
				continue;
			*body_r = tree->parts[i].body;
			*section_r = sections[k];
			talloc_free(tree);
			return true;
		}
	}
	talloc_free(tree);
	return false;
}

bool message_elide_sound(TALLOC_CTX *mem, const char *text, size_t len, size_t count)
{
	struct message_tree *tree = NULL;
	struct fault *fault = message_tree_parse(mem, text, len, &tree);
	struct message_standin standin;

	talloc_free(fault);
	for (uint32_t i = 0; tree && i < tree->count; i++)
		count -= message_elide_read(tree, tree, i, &standin);
	talloc_free(tree);
	return count == 0;
}

char *message_elide_all(TALLOC_CTX *mem, const char *text, size_t len, const char *address,
			int64_t min, size_t *len_r)
{
	struct message_tree *tree = NULL;
	struct fault *fault = message_tree_parse(mem, text, len, &tree);
	struct buf *out = buf_new(mem);
	size_t at = 0;

	talloc_free(fault); /* not ours, then */
	for (uint32_t i = 0; tree && i < tree->count; i++) {
		const struct message_part *part = &tree->parts[i];
		struct message_section section = { .octets = (int64_t)(part->to - part->body) };

		if (part->split || section.octets < min || !may_go(tree, i))
			continue;
		section.section = section_of(tree, tree, i);
		buf_add(out, text + at, part->body - at);
		buf_puts(out, message_elide_line(tree, &section, address));
		at = part->to;
	}
	buf_add(out, text + at, len - at);
	talloc_free(tree);
	return buf_steal(&out, mem, len_r);
}

/* ---- and back ---- */

struct fault *message_elide_pieces(TALLOC_CTX *mem, const char *text, size_t len,
				   struct message_piece **pieces_r, size_t *count_r)
{
	struct message_tree *tree;
	struct message_piece *pieces = MEM_ARRAY(mem, struct message_piece, 1);
	size_t count = 0, at = 0;
	int64_t total = (int64_t)len;

	FAULT_TRY(message_tree_parse(mem, text, len, &tree));
	for (uint32_t i = 0; i < tree->count; i++) {
		const struct message_part *part = &tree->parts[i];
		struct message_standin standin;

		if (!message_elide_read(mem, tree, i, &standin))
			continue;
		total += standin.octets < (int64_t)MESSAGE_WHOLE_MAX ? standin.octets
								     : (int64_t)MESSAGE_WHOLE_MAX;
		pieces = MEM_GROW(mem, pieces, struct message_piece, count + 3);
		pieces[count++] = (struct message_piece){ text + at, part->body - at, { 0 } };
		pieces[count++] = (struct message_piece){ .standin = standin };
		at = part->to;
	}
	pieces[count++] = (struct message_piece){ text + at, len - at, { 0 } };
	talloc_free(tree);
	if (total > (int64_t)MESSAGE_WHOLE_MAX)
		return message_fault(mem, "a message of %" PRId64 " bytes: more than %zu", total,
				     MESSAGE_WHOLE_MAX);
	*pieces_r = pieces;
	*count_r = count;
	return NULL;
}

bool message_elide_find(TALLOC_CTX *mem, const char *text, size_t len, const char *section,
			const char **body_r, size_t *body_len_r)
{
	struct message_tree *tree = NULL;
	struct fault *fault = message_tree_parse(mem, text, len, &tree);
	uint32_t part = fault ? MESSAGE_NONE : find_section(tree, tree, section);

	talloc_free(fault);
	if (part != MESSAGE_NONE) {
		*body_r = text + tree->parts[part].body;
		*body_len_r = tree->parts[part].to - tree->parts[part].body;
	}
	talloc_free(tree);
	return part != MESSAGE_NONE;
}

char *message_elide_decoded(TALLOC_CTX *mem, const char *text, size_t len, const char *section,
			    size_t *len_r)
{
	struct message_tree *tree = NULL;
	struct fault *fault = message_tree_parse(mem, text, len, &tree);
	uint32_t part = fault ? MESSAGE_NONE : find_section(tree, tree, section);
	char *bytes = NULL;

	talloc_free(fault);
	if (part != MESSAGE_NONE && tree->parts[part].kind.encoding != MESSAGE_OPAQUE)
		bytes = message_body_decode(mem, tree, &tree->parts[part], len_r);
	talloc_free(tree);
	return bytes;
}
