#include "config.h"

#include "gateway/imap/imap_flags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

#define FLAG_MAX 255   /* bytes of one name; servers take less */
#define FLAGS_MAX 1000 /* of one message: no client sets so many, and comparing is quadratic */

/* Not \Deleted: a client that edits in place marks the old message between two steps of its own, and
 * a new one that is born marked would go with the next EXPUNGE (N1). */
static const char *const settable[] = { "\\Answered", "\\Draft", "\\Flagged", "\\Seen" };

/* An atom, with a backslash before it at most (RFC 3501 section 9: flag). */
static bool is_flag(const char *name)
{
	const char *atom = *name == '\\' ? name + 1 : name;

	for (const char *c = atom; *c; c++)
		if (*c <= 0x20 || *c >= 0x7f || strchr("(){%*\"\\]", *c))
			return false;
	return *atom && strlen(name) <= FLAG_MAX && strcasecmp(name, "\\Recent") != 0;
}

static void add(struct imap_flags *flags, const char *name)
{
	if (flags->count == FLAGS_MAX || !is_flag(name) || imap_flags_have(flags, name))
		return;
	flags->names = MEM_GROW(flags, flags->names, const char *, flags->count + 1);
	flags->names[flags->count++] = mem_strdup(flags, name);
}

static int compare_names(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcasecmp(*a, *b);
}

static struct imap_flags *sorted(struct imap_flags *flags)
{
	if (flags->count)
		qsort(flags->names, flags->count, sizeof *flags->names, compare_names);
	return flags;
}

struct imap_flags *imap_flags_of_list(TALLOC_CTX *mem, const struct imap_node *list)
{
	struct imap_flags *flags = MEM_NEW(mem, struct imap_flags);

	for (const struct imap_node *node = list->first; node; node = node->next)
		if (node->kind == IMAP_ATOM)
			add(flags, node->text);
	return sorted(flags);
}

struct imap_flags *imap_flags_of_text(TALLOC_CTX *mem, const char *text)
{
	struct imap_flags *flags = MEM_NEW(mem, struct imap_flags);
	char *copy = *text ? mem_strdup(flags, text) : NULL, *save = NULL;

	if (!copy)
		return flags;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		add(flags, word);
	talloc_free(copy);
	return sorted(flags);
}

char *imap_flags_text(TALLOC_CTX *mem, const struct imap_flags *flags)
{
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < flags->count; i++)
		buf_printf(out, "%s%s", i ? " " : "", flags->names[i]);
	return buf_steal(&out, mem, NULL);
}

bool imap_flags_have(const struct imap_flags *flags, const char *name)
{
	for (size_t i = 0; i < flags->count; i++)
		if (!strcasecmp(flags->names[i], name))
			return true;
	return false;
}

bool imap_flags_same(const struct imap_flags *a, const struct imap_flags *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcasecmp(a->names[i], b->names[i]) != 0)
			return false;
	return true;
}

static bool is_settable(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(settable); i++)
		if (!strcasecmp(settable[i], name))
			return true;
	return false;
}

struct imap_flags *imap_flags_kept(TALLOC_CTX *mem, const struct imap_flags *flags, bool any,
				   const char *permanent)
{
	struct imap_flags *kept = MEM_NEW(mem, struct imap_flags);
	const struct imap_flags *told;

	if (!flags->count)
		return kept;
	told = imap_flags_of_text(kept, any || !permanent ? "" : permanent);
	for (size_t i = 0; i < flags->count; i++) {
		const char *name = flags->names[i];

		if (*name == '\\' ? is_settable(name)
				  : any || !permanent || imap_flags_have(told, name))
			add(kept, name);
	}
	return kept;
}

struct imap_flags *imap_flags_wished(TALLOC_CTX *mem, const struct imap_flags *old,
				     const struct imap_flags_wish *wish, bool any,
				     const char *permanent)
{
	const struct imap_flags *more, *drop;
	struct imap_flags *left = MEM_NEW(mem, struct imap_flags);

	if (!old && !wish->add)
		return left;
	more = imap_flags_of_text(mem, wish->add ? wish->add : "");
	drop = imap_flags_of_text(mem, wish->drop ? wish->drop : "");
	for (size_t i = 0; i < more->count; i++)
		if (*more->names[i] != '/' && !imap_flags_have(drop, more->names[i]))
			add(left, more->names[i]);
	for (size_t i = 0; old && i < old->count; i++)
		if (!imap_flags_have(drop, old->names[i]) &&
		    (wish->quiet || strcasecmp(old->names[i], "\\Seen") != 0))
			add(left, old->names[i]);
	return imap_flags_kept(mem, sorted(left), any, permanent);
}

struct imap_flags *imap_flags_lacking(TALLOC_CTX *mem, const struct imap_flags *flags,
				      const struct imap_flags *other)
{
	struct imap_flags *lacking = MEM_NEW(mem, struct imap_flags);

	for (size_t i = 0; i < flags->count; i++)
		if (!imap_flags_have(other, flags->names[i]) &&
		    strcasecmp(flags->names[i], "\\Deleted") != 0)
			add(lacking, flags->names[i]);
	return lacking;
}

/* ---- marks ---- */

/* Set by programs of their own accord, so that they say nothing of a person's will. */
static const char *const automatic[] = {
	"$Forwarded", "$MDNSent", "$Junk",     "$NotJunk",   "Junk",
	"NonJunk",    "NotJunk",  "$Phishing", "$Submitted", "$SubmitPending",
};

static bool is_mark(const char *name)
{
	if (*name == '\\')
		return !strcasecmp(name, "\\Flagged");
	for (size_t i = 0; i < COUNT_OF(automatic); i++)
		if (!strcasecmp(automatic[i], name))
			return false;
	return is_flag(name);
}

bool imap_flags_are_marks(const struct imap_node *list)
{
	for (const struct imap_node *node = list->first; node; node = node->next)
		if (node->kind == IMAP_ATOM && is_mark(node->text))
			return true;
	return false;
}

static int compare_bytes(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

char *imap_flags_marks(TALLOC_CTX *mem, const struct imap_flags *flags, const char *more)
{
	const char **names = MEM_ARRAY(NULL, const char *, flags->count + 1);
	struct buf *out = buf_new(mem);
	size_t count = 0;

	if (more)
		names[count++] = more;
	for (size_t i = 0; i < flags->count; i++)
		if (is_mark(flags->names[i]))
			names[count++] = flags->names[i];
	if (count)
		qsort(names, count, sizeof *names, compare_bytes);
	for (size_t i = 0; i < count; i++)
		if (out->len + strlen(names[i]) < IMAP_MARKS_MAX)
			buf_printf(out, "%s%s", out->len ? " " : "", names[i]);
	talloc_free(names);
	return buf_steal(&out, mem, NULL);
}
