#include "config.h"

#include "mappers/mspdi_private.h"

#include <string.h>
#include <strings.h>

#include <libxml/xmlreader.h>

#include "base/text.h"

/* The walk over the document; the only place that knows libxml2.
 *
 *	document -> context Project -> context Tasks -> context Task -> texts, context
 *PredecessorLink, ...
 *
 * 1. A context's children are found in its table; any other element is skipped with its subtree, at
 *any depth.
 * 2. A nested context has a row of its own, so an outer row's texts stand until its element ends.
 *Contexts do not recurse, so there are at most CONTEXT_DEPTH rows.
 * 3. Bounds: depth, names (libxml2 keeps each in a table that does not grow: measured, a million of
 *them take more than a minute) and text of a value here; bytes of a tag, of a node and before the
 *first element where the bytes are read (mspdi_source.c), for libxml2 shows us none of these before
 *it has all of it.
 * 4. libxml2 reports some errors to the reader and some (of encodings) to the thread: both come to
 *keep_error(), none to standard error. The thread's handler is put back at the end.
 * 5. Lines: a node has 16 bits for its line, so beyond 65534 we count the newlines of the texts
 *that pass by.
 */

#define CONTEXT_DEPTH 4
#define LINE_BITS_MAX 65535 /* what libxml2 writes for "this line or later" */
#define ERROR_CHARS 200     /* of libxml2's words: they may quote the file */
#define READER_FLAGS (XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_COMPACT)

/* Microsoft's schema page has the second, all files have the first or none. */
static const char *const namespaces[] = {
	"http://schemas.microsoft.com/project",
	"http://schemas.microsoft.com/project/2007",
};

/* Encodings in which no byte of another character looks like markup, so that the bytes can be
 * measured (3). By prefix; a file that names none is UTF-8. */
static const char *const encodings[] = {
	"UTF-8",       "UTF-16", "US-ASCII", "ASCII",  "ISO-8859-",
	"windows-125", "KOI8-",  "EUC-",     "GB2312",
};

struct walk {
	TALLOC_CTX *mem; /* of faults */
	struct mspdi_source *source;
	struct mspdi_plan *plan;
	xmlTextReaderPtr reader;
	const char *space; /* the root's namespace, or NULL */
	long line;         /* of the node that the reader stands on */
	char *error;       /* libxml2's first fatal error, or NULL */
	long error_line;
	xmlStructuredErrorFunc thread_handler;
	void *thread_data;
	struct mspdi_row rows[CONTEXT_DEPTH];
};

static void keep_error(void *data, xmlErrorPtr error)
{
	struct walk *walk = data;

	if (!error || error->level < XML_ERR_FATAL || walk->error)
		return;
	if (error->message)
		walk->error =
			text_trim(walk, text_to_utf8(walk, error->message, strlen(error->message)));
	else
		walk->error = mem_strdup(walk, "unknown error");
	walk->error_line = error->line;
}

static struct fault *bad(struct walk *walk, long line, const char *fmt, ...) ATTR_PRINTF(3, 4);

static struct fault *bad(struct walk *walk, long line, const char *fmt, ...)
{
	struct fault *fault;
	va_list ap;

	va_start(ap, fmt);
	fault = fault_new(walk->mem, FAULT_DATA, "%s", mem_vprintf(walk, fmt, ap));
	va_end(ap);
	return fault_prefix(fault, "%s:%ld: ", walk->source->name, line);
}

/* Why the reader stopped. */
static struct fault *broken(struct walk *walk)
{
	if (walk->source->stop != MSPDI_STOP_NONE)
		return mspdi_source_fault(walk->mem, walk->source, walk->line);
	if (walk->source->done == 0)
		return bad(walk, 1, "not XML: the file is empty");
	if (!walk->error)
		return bad(walk, walk->line, "not XML");
	return bad(walk, walk->error_line > 0 ? walk->error_line : walk->line, "not XML: %s",
		   text_one_line(walk, walk->error, ERROR_CHARS));
}

static bool is_text(int type)
{
	return type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
	       type == XML_READER_TYPE_WHITESPACE || type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE;
}

static long count_newlines(const char *text)
{
	long n = 0;

	while (text && (text = strchr(text, '\n')) != NULL) {
		text++;
		n++;
	}
	return n;
}

static void track_line(struct walk *walk, int type)
{
	const xmlNode *node = xmlTextReaderCurrentNode(walk->reader);

	if (type == XML_READER_TYPE_ELEMENT) {
		if (node->line < LINE_BITS_MAX)
			walk->line = node->line;
	} else if (is_text(type) || type == XML_READER_TYPE_COMMENT) {
		walk->line += count_newlines((const char *)xmlTextReaderConstValue(walk->reader));
	}
}

/* Goes to the next node; *TYPE_R is XML_READER_TYPE_NONE behind the last one. */
static struct fault *step(struct walk *walk, int *type_r)
{
	int rc = xmlTextReaderRead(walk->reader), type;

	if (rc < 0 || walk->error || walk->source->stop != MSPDI_STOP_NONE)
		return broken(walk);
	if (rc == 0) {
		*type_r = XML_READER_TYPE_NONE;
		return NULL;
	}
	type = xmlTextReaderNodeType(walk->reader);
	mspdi_source_node(walk->source, type == XML_READER_TYPE_ELEMENT);
	track_line(walk, type);
	if (type == XML_READER_TYPE_DOCUMENT_TYPE)
		return bad(walk, walk->line, "a DOCTYPE is not accepted");
	if (xmlDictSize(xmlTextReaderCurrentNode(walk->reader)->doc->dict) > MSPDI_NAMES_MAX)
		return bad(walk, walk->line, "more than %d different names", MSPDI_NAMES_MAX);
	if (xmlTextReaderDepth(walk->reader) >= MSPDI_DEPTH_MAX)
		return bad(walk, walk->line, "elements nested deeper than %d", MSPDI_DEPTH_MAX);
	*type_r = type;
	return NULL;
}

/* The same inside of an element at DEPTH; *TYPE_R is NONE at that element's end. */
static struct fault *step_inside(struct walk *walk, int depth, int *type_r)
{
	int type = XML_READER_TYPE_NONE;

	FAULT_TRY(step(walk, &type));
	if (type == XML_READER_TYPE_NONE)
		return bad(walk, walk->line, "not XML: it ends in the middle");
	if (type == XML_READER_TYPE_END_ELEMENT && xmlTextReaderDepth(walk->reader) == depth)
		type = XML_READER_TYPE_NONE;
	*type_r = type;
	return NULL;
}

static struct fault *skip(struct walk *walk)
{
	int depth = xmlTextReaderDepth(walk->reader), type = XML_READER_TYPE_ELEMENT;

	if (xmlTextReaderIsEmptyElement(walk->reader) == 1)
		return NULL;
	while (type != XML_READER_TYPE_NONE)
		FAULT_TRY(step_inside(walk, depth, &type));
	return NULL;
}

static struct fault *add_text(struct walk *walk, struct mspdi_row *row, size_t slot, size_t from)
{
	const char *text = (const char *)xmlTextReaderConstValue(walk->reader);
	size_t len = text ? strlen(text) : 0;

	if (row->texts->len - from + len > MSPDI_VALUE_MAX)
		return bad(walk, walk->line, "%s: text larger than %lld MiB",
			   row->context->texts[slot], (long long)(MSPDI_VALUE_MAX >> 20));
	buf_add(row->texts, text, len);
	return NULL;
}

/* The text right inside of the element. Of several children of one name the first one counts. */
static struct fault *take_text(struct walk *walk, struct mspdi_row *row, size_t slot)
{
	int depth = xmlTextReaderDepth(walk->reader), type = XML_READER_TYPE_ELEMENT;
	size_t from = row->texts->len;

	if (row->at[slot])
		return skip(walk);
	if (xmlTextReaderIsEmptyElement(walk->reader) != 1) {
		FAULT_TRY(step_inside(walk, depth, &type));
		while (type != XML_READER_TYPE_NONE) {
			if (is_text(type) && xmlTextReaderDepth(walk->reader) == depth + 1)
				FAULT_TRY(add_text(walk, row, slot, from));
			FAULT_TRY(step_inside(walk, depth, &type));
		}
	}
	buf_putc(row->texts, '\0');
	row->at[slot] = from + 1;
	return NULL;
}

static const char *space_of(const xmlNode *node)
{
	return node->ns ? (const char *)node->ns->href : NULL;
}

static size_t find_text(const struct mspdi_context *context, const char *name)
{
	size_t slot = 0;

	while (slot < context->text_count && strcmp(context->texts[slot], name) != 0)
		slot++;
	return slot;
}

static const struct mspdi_context *find_child(const struct mspdi_context *context, const char *name)
{
	for (size_t i = 0; i < context->child_count; i++)
		if (strcmp(context->children[i]->name, name) == 0)
			return context->children[i];
	return NULL;
}

static struct fault *walk_context(struct walk *walk, const struct mspdi_context *context,
				  size_t nest);

static struct fault *walk_child(struct walk *walk, struct mspdi_row *row, size_t nest)
{
	const xmlNode *node = xmlTextReaderCurrentNode(walk->reader);
	const char *name = (const char *)node->name;
	const struct mspdi_context *child;
	size_t slot;

	if (!text_same(space_of(node), walk->space))
		return skip(walk);
	slot = find_text(row->context, name);
	if (slot < row->context->text_count)
		return take_text(walk, row, slot);
	child = find_child(row->context, name);
	return child ? walk_context(walk, child, nest + 1) : skip(walk);
}

/* The element that the reader stands on, and all inside of it. */
static struct fault *walk_context(struct walk *walk, const struct mspdi_context *context,
				  size_t nest)
{
	struct mspdi_row *row = &walk->rows[nest];
	int depth = xmlTextReaderDepth(walk->reader), type = XML_READER_TYPE_ELEMENT;

	row->context = context;
	row->line = walk->line;
	buf_clear(row->texts);
	memset(row->at, 0, sizeof(row->at));
	if (xmlTextReaderIsEmptyElement(walk->reader) != 1) {
		FAULT_TRY(step_inside(walk, depth, &type));
		while (type != XML_READER_TYPE_NONE) {
			if (type == XML_READER_TYPE_ELEMENT)
				FAULT_TRY(walk_child(walk, row, nest));
			FAULT_TRY(step_inside(walk, depth, &type));
		}
	}
	return context->done ? context->done(walk->plan, row) : NULL;
}

static bool is_known_encoding(const char *encoding)
{
	for (size_t i = 0; encoding && i < COUNT_OF(encodings); i++)
		if (strncasecmp(encoding, encodings[i], strlen(encodings[i])) == 0)
			return true;
	return !encoding;
}

static struct fault *check_root(struct walk *walk, const struct mspdi_context *root)
{
	const xmlNode *node = xmlTextReaderCurrentNode(walk->reader);
	const char *space = space_of(node);
	bool known = !space;

	if (!is_known_encoding((const char *)xmlTextReaderConstEncoding(walk->reader)))
		return bad(walk, walk->line, "the encoding %s is not accepted; save it as UTF-8",
			   text_one_line(walk,
					 (const char *)xmlTextReaderConstEncoding(walk->reader),
					 ERROR_CHARS));
	for (size_t i = 0; i < COUNT_OF(namespaces); i++)
		known = known || text_same(space, namespaces[i]);
	if (known && strcmp((const char *)node->name, root->name) == 0) {
		walk->space = mem_strdup(walk, space);
		return NULL;
	}
	return bad(walk, walk->line, "not a Project XML file: its root is %s%s%s",
		   text_one_line(walk, (const char *)node->name, ERROR_CHARS),
		   space ? " of namespace " : "",
		   space ? text_one_line(walk, space, ERROR_CHARS) : "");
}

static struct fault *walk_document(struct walk *walk, const struct mspdi_context *root)
{
	int type = XML_READER_TYPE_NONE;

	FAULT_TRY(step(walk, &type));
	while (type != XML_READER_TYPE_NONE) {
		if (type == XML_READER_TYPE_ELEMENT) {
			FAULT_TRY(check_root(walk, root));
			FAULT_TRY(walk_context(walk, root, 0));
		}
		FAULT_TRY(step(walk, &type));
	}
	return walk->source->rooted ? NULL : broken(walk);
}

static int walk_close(struct walk *walk)
{
	xmlFreeTextReader(walk->reader);
	xmlResetLastError();
	xmlSetStructuredErrorFunc(walk->thread_data, walk->thread_handler);
	return 0;
}

static struct walk *walk_open(TALLOC_CTX *mem, struct mspdi_source *source, struct mspdi_plan *plan)
{
	struct walk *walk = MEM_NEW(mem, struct walk);

	walk->mem = mem;
	walk->source = source;
	walk->plan = plan;
	walk->line = 1;
	for (size_t i = 0; i < CONTEXT_DEPTH; i++)
		walk->rows[i].texts = buf_new(walk);
	walk->thread_handler = xmlStructuredError;
	walk->thread_data = xmlStructuredErrorContext;
	xmlSetStructuredErrorFunc(walk, keep_error);
	talloc_set_destructor(walk, walk_close);
	walk->reader = xmlReaderForIO(mspdi_source_feed, NULL, source, NULL, NULL, READER_FLAGS);
	if (walk->reader)
		xmlTextReaderSetStructuredErrorHandler(walk->reader, keep_error, walk);
	return walk;
}

struct fault *mspdi_walk(TALLOC_CTX *mem, struct mspdi_source *source,
			 const struct mspdi_context *root, struct mspdi_plan *plan)
{
	struct walk *walk = walk_open(mem, source, plan);
	struct fault *fault = walk->reader ? walk_document(walk, root) : broken(walk);

	talloc_free(walk);
	return fault;
}
