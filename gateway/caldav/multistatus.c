#include "config.h"

#include "gateway/caldav/multistatus.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/SAX2.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

/* The design. libxml2's push parser is fed and calls back for each tag and text, and builds no tree;
 * a stack holds for each open element which of the elements we know it is, or ELEMENT_OTHER. An element is known by its namespace, its name and what
 * it stands in, all by one table: a `href` in an unknown property is not the response's. What
 * stands in an unknown element is unknown.
 *
 *   multistatus > response > href | status | error > condition | propstat > status | prop >
 * properties
 *
 * 1. Properties are gathered in `pending` and go over to `response` at the end of their propstat,
 * if its status is 2xx.
 * 2. The text of one element at a time is gathered; it ends with the element.
 * 3. A response's strings hang from `owned`, which is renewed with each response: memory does not
 * grow with the answer.
 */

#define NAME_MAX_SHOWN 64         /* bytes of a condition's name */
#define FEED_STEP ((size_t)16384) /* bytes given to libxml2 at once */

#define NS_DAV "DAV:"
#define NS_CALDAV "urn:ietf:params:xml:ns:caldav"
#define NS_CARDDAV "urn:ietf:params:xml:ns:carddav"
#define NS_SERVER "http://calendarserver.org/ns/"

enum element {
	ELEMENT_NONE, /* outside of the root */
	ELEMENT_OTHER,
	ELEMENT_MULTISTATUS,
	ELEMENT_TOKEN,
	ELEMENT_RESPONSE,
	ELEMENT_HREF,
	ELEMENT_STATUS,
	ELEMENT_ERROR,
	ELEMENT_PROPSTAT,
	ELEMENT_PROPSTAT_STATUS,
	ELEMENT_PROP,
	ELEMENT_PROPERTY, /* text or flag, by its row */
	ELEMENT_TYPE,
	ELEMENT_PRINCIPAL,
	ELEMENT_HOME,
	ELEMENT_OWNER,
	ELEMENT_COLLECTIONS,
	ELEMENT_ADDRESSES,
	ELEMENT_EMAILS,
	ELEMENT_COMPONENTS,
	ELEMENT_COMPONENT,
	ELEMENT_REPORTS,
	ELEMENT_REPORT_BOX,
	ELEMENT_REPORT,
	ELEMENT_PRIVILEGES,
	ELEMENT_PRIVILEGE,
	ELEMENT_DOCUMENT_ERROR,
	ELEMENT_CONFLICT,
	ELEMENT_CONFLICT_HREF,
};

enum keep { KEEP_NOTHING, KEEP_TEXT, KEEP_FLAG, KEEP_DATA, KEEP_LIST };

struct row {
	const char *ns, *name;
	enum element parent, element;
	enum keep keep;
	size_t offset; /* in struct multistatus_response, for what a property keeps */
};

#define AT(member) offsetof(struct multistatus_response, member)

static const struct row rows[] = {
	{ NS_DAV, "multistatus", ELEMENT_NONE, ELEMENT_MULTISTATUS, KEEP_NOTHING, 0 },
	{ NS_DAV, "error", ELEMENT_NONE, ELEMENT_DOCUMENT_ERROR, KEEP_NOTHING, 0 },
	{ NS_CALDAV, "no-uid-conflict", ELEMENT_DOCUMENT_ERROR, ELEMENT_CONFLICT, KEEP_NOTHING, 0 },
	{ NS_CALDAV, "unique-scheduling-object-resource", ELEMENT_DOCUMENT_ERROR, ELEMENT_CONFLICT,
	  KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_CONFLICT, ELEMENT_CONFLICT_HREF, KEEP_TEXT, 0 },
	{ NS_DAV, "sync-token", ELEMENT_MULTISTATUS, ELEMENT_TOKEN, KEEP_TEXT, 0 },
	{ NS_DAV, "response", ELEMENT_MULTISTATUS, ELEMENT_RESPONSE, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_RESPONSE, ELEMENT_HREF, KEEP_TEXT, 0 },
	{ NS_DAV, "status", ELEMENT_RESPONSE, ELEMENT_STATUS, KEEP_TEXT, 0 },
	{ NS_DAV, "error", ELEMENT_RESPONSE, ELEMENT_ERROR, KEEP_NOTHING, 0 },
	{ NS_DAV, "propstat", ELEMENT_RESPONSE, ELEMENT_PROPSTAT, KEEP_NOTHING, 0 },
	{ NS_DAV, "status", ELEMENT_PROPSTAT, ELEMENT_PROPSTAT_STATUS, KEEP_TEXT, 0 },
	{ NS_DAV, "error", ELEMENT_PROPSTAT, ELEMENT_ERROR, KEEP_NOTHING, 0 },
	{ NS_DAV, "prop", ELEMENT_PROPSTAT, ELEMENT_PROP, KEEP_NOTHING, 0 },
	{ NS_DAV, "getetag", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_TEXT, AT(etag) },
	{ NS_DAV, "getlastmodified", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_TEXT, AT(last_modified) },
	{ NS_DAV, "displayname", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_TEXT, AT(displayname) },
	{ NS_DAV, "sync-token", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_TEXT, AT(sync_token) },
	{ NS_SERVER, "getctag", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_TEXT, AT(ctag) },
	{ NS_CALDAV, "max-resource-size", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_TEXT, AT(max_size) },
	{ NS_CALDAV, "calendar-data", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_DATA, AT(data) },
	{ NS_DAV, "current-user-principal", ELEMENT_PROP, ELEMENT_PRINCIPAL, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_PRINCIPAL, ELEMENT_PROPERTY, KEEP_TEXT, AT(principal) },
	{ NS_CALDAV, "calendar-home-set", ELEMENT_PROP, ELEMENT_HOME, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_HOME, ELEMENT_PROPERTY, KEEP_LIST, AT(homes) },
	{ NS_DAV, "owner", ELEMENT_PROP, ELEMENT_OWNER, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_OWNER, ELEMENT_PROPERTY, KEEP_TEXT, AT(owner) },
	{ NS_DAV, "principal-collection-set", ELEMENT_PROP, ELEMENT_COLLECTIONS, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_COLLECTIONS, ELEMENT_PROPERTY, KEEP_LIST, AT(collections) },
	{ NS_CALDAV, "calendar-user-address-set", ELEMENT_PROP, ELEMENT_ADDRESSES, KEEP_NOTHING,
	  0 },
	{ NS_DAV, "href", ELEMENT_ADDRESSES, ELEMENT_PROPERTY, KEEP_LIST, AT(addresses) },
	{ NS_SERVER, "email-address-set", ELEMENT_PROP, ELEMENT_EMAILS, KEEP_NOTHING, 0 },
	{ NS_SERVER, "email-address", ELEMENT_EMAILS, ELEMENT_PROPERTY, KEEP_LIST, AT(addresses) },
	{ NS_DAV, "resourcetype", ELEMENT_PROP, ELEMENT_TYPE, KEEP_NOTHING, 0 },
	{ NS_DAV, "collection", ELEMENT_TYPE, ELEMENT_PROPERTY, KEEP_FLAG, AT(collection) },
	{ NS_CALDAV, "calendar", ELEMENT_TYPE, ELEMENT_PROPERTY, KEEP_FLAG, AT(calendar) },
	{ NS_CARDDAV, "addressbook", ELEMENT_TYPE, ELEMENT_PROPERTY, KEEP_FLAG, AT(addressbook) },
	{ NS_CALDAV, "supported-calendar-component-set", ELEMENT_PROP, ELEMENT_COMPONENTS,
	  KEEP_FLAG, AT(components) },
	{ NS_CALDAV, "comp", ELEMENT_COMPONENTS, ELEMENT_COMPONENT, KEEP_NOTHING, 0 },
	{ NS_DAV, "supported-report-set", ELEMENT_PROP, ELEMENT_REPORTS, KEEP_FLAG, AT(reports) },
	{ NS_DAV, "supported-report", ELEMENT_REPORTS, ELEMENT_REPORT_BOX, KEEP_NOTHING, 0 },
	{ NS_DAV, "report", ELEMENT_REPORT_BOX, ELEMENT_REPORT, KEEP_NOTHING, 0 },
	{ NS_DAV, "sync-collection", ELEMENT_REPORT, ELEMENT_PROPERTY, KEEP_FLAG,
	  AT(reports_sync) },
	{ NS_CALDAV, "calendar-multiget", ELEMENT_REPORT, ELEMENT_PROPERTY, KEEP_FLAG,
	  AT(reports_multiget) },
	{ NS_DAV, "current-user-privilege-set", ELEMENT_PROP, ELEMENT_PRIVILEGES, KEEP_FLAG,
	  AT(privileges) },
	{ NS_DAV, "privilege", ELEMENT_PRIVILEGES, ELEMENT_PRIVILEGE, KEEP_NOTHING, 0 },
	{ NS_DAV, "read", ELEMENT_PRIVILEGE, ELEMENT_PROPERTY, KEEP_FLAG, AT(may_read) },
	{ NS_DAV, "all", ELEMENT_PRIVILEGE, ELEMENT_PROPERTY, KEEP_FLAG, AT(may_read) },
};

struct multistatus {
	TALLOC_CTX *mem;    /* of the whole reading */
	TALLOC_CTX *owned;  /* of one response */
	xmlParserCtxt *xml; /* NULL until the first byte that is no blank */
	bool sound;         /* what was fed last was well-formed so far */
	multistatus_each *each;
	void *context;
	enum element stack[MULTISTATUS_DEPTH_MAX];
	const struct row *row; /* of the innermost element, if it is known */
	size_t depth;
	struct buf *text;
	bool gathers, text_over;
	struct multistatus_response pending, response;
	int pending_status;
	const char **hrefs;
	size_t href_count, responses;
	char *token;
	char *condition; /* of a DAV:error document */
	char *conflict;  /* the address that it names */
	struct fault *fault;
};

static void fail(struct multistatus *reader, const char *words)
{
	int line = reader->xml ? xmlSAX2GetLineNumber(reader->xml) : 0;

	if (!reader->fault)
		reader->fault = fault_reaches(fault_new(reader->mem, FAULT_PROTOCOL,
							"multistatus line %d: %s", line, words),
					      FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
	if (reader->xml)
		xmlStopParser(reader->xml);
}

static const struct row *find_row(enum element parent, const char *ns, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].parent == parent && !strcmp(rows[i].name, name) &&
		    !strcmp(rows[i].ns, ns))
			return &rows[i];
	return NULL;
}

static bool *flag_at(struct multistatus_response *response, size_t offset)
{
	return (bool *)((char *)response + offset);
}

static const char **text_at(struct multistatus_response *response, size_t offset)
{
	return (const char **)((char *)response + offset);
}

static struct multistatus_list *list_at(struct multistatus_response *response, size_t offset)
{
	return (struct multistatus_list *)((char *)response + offset);
}

static void list_add(struct multistatus *reader, struct multistatus_list *list, const char *text)
{
	if (list->count == MULTISTATUS_LIST_MAX)
		return;
	list->items = MEM_GROW(reader->owned, list->items, const char *, list->count + 1);
	list->items[list->count++] = text;
}

static bool is_ok(int status)
{
	return status >= 200 && status < 300;
}

/* "HTTP/1.1 200 OK" */
static int status_of(const char *text)
{
	const char *blank = strchr(text, ' ');
	int status = 0;

	for (const char *c = blank ? blank + 1 : ""; *c >= '0' && *c <= '9' && status < 1000; c++)
		status = status * 10 + (*c - '0');
	return status >= 100 && status < 600 ? status : 0;
}

static char *condition_name(TALLOC_CTX *mem, const char *name)
{
	char *copy = mem_strndup(mem, name, NAME_MAX_SHOWN);

	for (char *c = copy; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			*c = '-';
	return copy;
}

/* ---- the response ---- */

static void response_begin(struct multistatus *reader)
{
	talloc_free(reader->owned);
	reader->owned = MEM_CONTEXT(reader->mem);
	reader->hrefs = NULL;
	reader->href_count = 0;
	memset(&reader->response, 0, sizeof reader->response);
	if (++reader->responses > MULTISTATUS_RESPONSES_MAX)
		fail(reader, "too many responses");
}

static void response_end(struct multistatus *reader)
{
	for (size_t i = 0; i < reader->href_count && reader->each && !reader->fault; i++) {
		reader->response.href = reader->hrefs[i];
		reader->fault = reader->each(reader->context, &reader->response);
	}
}

static void response_href(struct multistatus *reader, const char *href)
{
	if (reader->href_count == MULTISTATUS_HREFS_MAX) {
		fail(reader, "too many addresses in one response");
		return;
	}
	reader->hrefs =
		MEM_GROW(reader->owned, reader->hrefs, const char *, reader->href_count + 1);
	reader->hrefs[reader->href_count++] = href;
}

static void propstat_begin(struct multistatus *reader)
{
	memset(&reader->pending, 0, sizeof reader->pending);
	reader->pending_status = 0;
}

static void property_end(const struct row *row, struct multistatus_response *from,
			 struct multistatus_response *to)
{
	if (row->keep == KEEP_FLAG && *flag_at(from, row->offset))
		*flag_at(to, row->offset) = true;
	else if (row->keep == KEEP_LIST && list_at(from, row->offset)->count)
		*list_at(to, row->offset) = *list_at(from, row->offset);
	else if (row->element == ELEMENT_PROPERTY &&
		 (row->keep == KEEP_TEXT || row->keep == KEEP_DATA) && *text_at(from, row->offset))
		*text_at(to, row->offset) = *text_at(from, row->offset);
}

static void propstat_end(struct multistatus *reader)
{
	struct multistatus_response *from = &reader->pending, *to = &reader->response;

	if (!is_ok(reader->pending_status)) {
		if (!to->refused)
			to->refused = reader->pending_status;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		property_end(&rows[i], from, to);
	to->todo = to->todo || from->todo;
	to->others = to->others || from->others;
	to->data_over = to->data_over || from->data_over;
	if (from->data)
		to->data_len = from->data_len;
}

/* ---- elements ---- */

static void take_condition(struct multistatus *reader, const char *name)
{
	if (reader->stack[0] == ELEMENT_DOCUMENT_ERROR) {
		if (!reader->condition)
			reader->condition = condition_name(reader->mem, name);
	} else if (!reader->response.error) {
		reader->response.error = condition_name(reader->owned, name);
	}
}

/* Five pointers each: name, prefix, namespace, value, the value's end. */
static void take_component(struct multistatus *reader, int count, const xmlChar **attributes)
{
	static const char todo[] = "VTODO";

	for (; count > 0; count--, attributes += 5) {
		size_t len = (size_t)(attributes[4] - attributes[3]);

		if (attributes[2] || strcmp((const char *)attributes[0], "name"))
			continue;
		if (len == strlen(todo) && !strncasecmp((const char *)attributes[3], todo, len))
			reader->pending.todo = true;
		else
			reader->pending.others = true;
	}
}

static void element_begin(struct multistatus *reader, enum element element, int count,
			  const xmlChar **attributes)
{
	switch (element) {
	case ELEMENT_RESPONSE:
		response_begin(reader);
		break;
	case ELEMENT_PROPSTAT:
		propstat_begin(reader);
		break;
	case ELEMENT_COMPONENT:
		take_component(reader, count, attributes);
		break;
	default:
		break;
	}
	if (reader->row && reader->row->keep == KEEP_FLAG)
		*flag_at(&reader->pending, reader->row->offset) = true;
	reader->gathers = reader->row && reader->row->keep != KEEP_NOTHING &&
			  reader->row->keep != KEEP_FLAG;
	reader->text_over = false;
	buf_clear(reader->text);
}

static void open_element(struct multistatus *reader, const char *name, const char *ns, int count,
			 const xmlChar **attributes)
{
	enum element parent = reader->depth ? reader->stack[reader->depth - 1] : ELEMENT_NONE;
	enum element element = ELEMENT_OTHER;

	if (reader->depth == MULTISTATUS_DEPTH_MAX) {
		fail(reader, "nested too deeply");
		return;
	}
	if (parent == ELEMENT_ERROR || parent == ELEMENT_DOCUMENT_ERROR)
		take_condition(reader, name);
	reader->row = find_row(parent, ns ? ns : "", name);
	if (reader->row)
		element = reader->row->element;
	if (!reader->depth && element == ELEMENT_OTHER) {
		fail(reader, "not a multistatus");
		return;
	}
	reader->stack[reader->depth++] = element;
	element_begin(reader, element, count, attributes);
}

static void take_data(struct multistatus *reader)
{
	if (reader->text_over) {
		reader->pending.data_over = true;
		return;
	}
	reader->pending.data_len = reader->text->len;
	reader->pending.data = mem_bytes(reader->owned, reader->text->data, reader->text->len);
}

static void take_text(struct multistatus *reader, enum element element)
{
	TALLOC_CTX *mem = reader->owned ? reader->owned : reader->mem;
	char *text = text_trim(mem, reader->text->data);
	const char **at;

	switch (element) {
	case ELEMENT_TOKEN:
		reader->token = *text ? mem_strdup(reader->mem, text) : NULL;
		break;
	case ELEMENT_HREF:
		response_href(reader, text);
		break;
	case ELEMENT_CONFLICT_HREF:
		reader->conflict = mem_strdup(reader->mem, text);
		break;
	case ELEMENT_STATUS:
		reader->response.status = status_of(text);
		break;
	case ELEMENT_PROPSTAT_STATUS:
		reader->pending_status = status_of(text);
		break;
	default:
		if (reader->row->keep == KEEP_LIST) {
			list_add(reader, list_at(&reader->pending, reader->row->offset), text);
			break;
		}
		at = text_at(&reader->pending, reader->row->offset);
		if (!*at) /* the first of several */
			*at = text;
		break;
	}
}

static void close_element(struct multistatus *reader)
{
	enum element element = reader->stack[--reader->depth];

	if (reader->gathers) {
		if (reader->row->keep == KEEP_DATA)
			take_data(reader);
		else if (reader->text_over)
			fail(reader, "a text is too long");
		else
			take_text(reader, element);
	}
	reader->gathers = false; /* (2): text behind an inner element belongs to nothing we know */
	if (element == ELEMENT_PROPSTAT)
		propstat_end(reader);
	else if (element == ELEMENT_RESPONSE)
		response_end(reader);
}

static void gather(struct multistatus *reader, const char *value, size_t len)
{
	size_t max = reader->row && reader->row->keep == KEEP_DATA ? MULTISTATUS_DATA_MAX
								   : MULTISTATUS_TEXT_MAX;

	if (!reader->gathers || reader->text_over)
		return;
	if (len > max - reader->text->len)
		reader->text_over = true;
	else
		buf_add(reader->text, value, len);
}

/* ---- what libxml2 calls ---- */

/* After a fault nothing is taken any more, though libxml2 may still have a callback or two. */
static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *ns,
		     int namespace_count, const xmlChar **namespaces, int count, int defaulted,
		     const xmlChar **attributes)
{
	struct multistatus *reader = context;

	(void)prefix;
	(void)namespace_count;
	(void)namespaces;
	(void)defaulted;
	if (!reader->fault)
		open_element(reader, (const char *)name, (const char *)ns, count, attributes);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *ns)
{
	struct multistatus *reader = context;

	(void)name;
	(void)prefix;
	(void)ns;
	if (!reader->fault && reader->depth)
		close_element(reader);
}

static void on_text(void *context, const xmlChar *text, int len)
{
	struct multistatus *reader = context;

	if (!reader->fault && len > 0)
		gather(reader, (const char *)text, (size_t)len);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *public_id,
		       const xmlChar *system_id)
{
	(void)name;
	(void)public_id;
	(void)system_id;
	fail(context, "a DOCTYPE or an entity of its own");
}

static void on_reference(void *context, const xmlChar *name)
{
	(void)name;
	fail(context, "a DOCTYPE or an entity of its own");
}

static void ignore_error(void *context, xmlError *error)
{
	(void)context; /* the result of the parsing tells; nothing is printed from here */
	(void)error;
}

static const xmlSAXHandler handler = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.internalSubset = on_doctype,
	.reference = on_reference,
	.serror = ignore_error,
};

/* ---- feeding ---- */

static int reader_close(struct multistatus *reader)
{
	if (reader->xml)
		xmlFreeDoc(reader->xml->myDoc); /* made for the entities of a DOCTYPE */
	xmlFreeParserCtxt(reader->xml);
	return 0;
}

struct multistatus *multistatus_new(TALLOC_CTX *mem, multistatus_each *each, void *context)
{
	struct multistatus *reader = MEM_NEW(mem, struct multistatus);

	reader->mem = reader;
	reader->text = buf_new(reader);
	reader->each = each;
	reader->context = context;
	talloc_set_destructor(reader, reader_close);
	return reader;
}

static void reader_begin(struct multistatus *reader)
{
	xmlSAXHandler calls = handler; /* libxml2 copies it */

	xmlInitParser(); /* harmless when repeated, from any thread */
	xmlSetStructuredErrorFunc(NULL, ignore_error); /* this thread's, for what knows no parser */
	reader->xml = mem_must(xmlCreatePushParserCtxt(&calls, reader, NULL, 0, NULL));
	(void)xmlCtxtUseOptions(reader->xml, XML_PARSE_NONET);
	reader->sound = true;
}

/* In small steps: of each libxml2 keeps what it has not parsed yet. */
static void feed(struct multistatus *reader, const char *xml, size_t len, bool last)
{
	while (!reader->fault && reader->sound && (len || last)) {
		size_t step = len < FEED_STEP ? len : FEED_STEP;

		reader->sound = !xmlParseChunk(reader->xml, xml, (int)step, last && step == len);
		xml += step;
		len -= step;
		last = last && len;
	}
	if (!reader->sound)
		fail(reader, "not well-formed XML");
}

static void read_some(struct multistatus *reader, const char *xml, size_t len)
{
	if (!reader->xml)
		while (len &&
		       isspace((unsigned char)*xml)) { /* some PHP puts an empty line first */
			xml++;
			len--;
		}
	if (!reader->xml && len)
		reader_begin(reader);
	if (len)
		feed(reader, xml, len, false);
}

static void read_end(struct multistatus *reader)
{
	if (reader->xml)
		feed(reader, "", 0, true);
	else
		fail(reader, "not well-formed XML");
	if (!reader->fault && reader->depth)
		fail(reader, "ends too early");
}

struct fault *multistatus_feed(struct multistatus *reader, const char *xml, size_t len)
{
	read_some(reader, xml, len);
	return reader->fault;
}

struct fault *multistatus_end(struct multistatus *reader, TALLOC_CTX *mem, char **token_r)
{
	struct fault *fault;

	read_end(reader);
	if (!reader->fault && reader->condition)
		fail(reader, "an error document");
	fault = talloc_steal(mem, reader->fault);
	if (!fault && token_r)
		*token_r = talloc_steal(mem, reader->token);
	return fault;
}

struct fault *multistatus_read(TALLOC_CTX *mem, const char *xml, size_t len, multistatus_each *each,
			       void *context, char **token_r)
{
	struct multistatus *reader = multistatus_new(mem, each, context);
	struct fault *fault;

	read_some(reader, xml, len);
	fault = multistatus_end(reader, mem, token_r);
	talloc_free(reader);
	return fault;
}

char *multistatus_error(TALLOC_CTX *mem, const char *xml, size_t len)
{
	struct multistatus *reader = multistatus_new(mem, NULL, NULL);
	char *condition;

	read_some(reader, xml, len);
	read_end(reader);
	condition = talloc_steal(mem, reader->condition);
	talloc_free(reader);
	return condition;
}

char *multistatus_conflict(TALLOC_CTX *mem, const char *xml, size_t len)
{
	struct multistatus *reader = multistatus_new(mem, NULL, NULL);
	char *conflict;

	read_some(reader, xml, len);
	read_end(reader);
	conflict = talloc_steal(mem, reader->conflict);
	talloc_free(reader);
	return conflict;
}
