#include "config.h"

#include "gateway/caldav/multistatus.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

/* The design. libxml2's pull reader gives nodes; a stack holds for each open element which of the
 * elements we know it is, or ELEMENT_OTHER. An element is known by its namespace, its name and what
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

#define NAME_MAX_SHOWN 64 /* bytes of a condition's name */

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

enum keep { KEEP_NOTHING, KEEP_TEXT, KEEP_FLAG, KEEP_DATA };

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
	{ NS_CALDAV, "calendar-data", ELEMENT_PROP, ELEMENT_PROPERTY, KEEP_DATA, AT(data) },
	{ NS_DAV, "current-user-principal", ELEMENT_PROP, ELEMENT_PRINCIPAL, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_PRINCIPAL, ELEMENT_PROPERTY, KEEP_TEXT, AT(principal) },
	{ NS_CALDAV, "calendar-home-set", ELEMENT_PROP, ELEMENT_HOME, KEEP_NOTHING, 0 },
	{ NS_DAV, "href", ELEMENT_HOME, ELEMENT_PROPERTY, KEEP_TEXT, AT(home) },
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

struct reader {
	TALLOC_CTX *mem;   /* of the whole reading */
	TALLOC_CTX *owned; /* of one response */
	xmlTextReader *xml;
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

static void fail(struct reader *reader, const char *words)
{
	int line = reader->xml ? xmlTextReaderGetParserLineNumber(reader->xml) : 0;

	if (!reader->fault)
		reader->fault = fault_reaches(fault_new(reader->mem, FAULT_PROTOCOL,
							"multistatus line %d: %s", line, words),
					      FAULT_SCOPE_FOLDER, FAULT_NEXT_RETRY);
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

static void response_begin(struct reader *reader)
{
	talloc_free(reader->owned);
	reader->owned = MEM_CONTEXT(reader->mem);
	reader->hrefs = NULL;
	reader->href_count = 0;
	memset(&reader->response, 0, sizeof reader->response);
	if (++reader->responses > MULTISTATUS_RESPONSES_MAX)
		fail(reader, "too many responses");
}

static void response_end(struct reader *reader)
{
	for (size_t i = 0; i < reader->href_count && reader->each && !reader->fault; i++) {
		reader->response.href = reader->hrefs[i];
		reader->fault = reader->each(reader->context, &reader->response);
	}
}

static void response_href(struct reader *reader, const char *href)
{
	if (reader->href_count == MULTISTATUS_HREFS_MAX) {
		fail(reader, "too many addresses in one response");
		return;
	}
	reader->hrefs =
		MEM_GROW(reader->owned, reader->hrefs, const char *, reader->href_count + 1);
	reader->hrefs[reader->href_count++] = href;
}

static void propstat_begin(struct reader *reader)
{
	memset(&reader->pending, 0, sizeof reader->pending);
	reader->pending_status = 0;
}

static void propstat_end(struct reader *reader)
{
	struct multistatus_response *from = &reader->pending, *to = &reader->response;

	if (!is_ok(reader->pending_status)) {
		if (!to->refused)
			to->refused = reader->pending_status;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].keep == KEEP_FLAG && *flag_at(from, rows[i].offset))
			*flag_at(to, rows[i].offset) = true;
		else if (rows[i].element == ELEMENT_PROPERTY && rows[i].keep != KEEP_FLAG &&
			 *text_at(from, rows[i].offset))
			*text_at(to, rows[i].offset) = *text_at(from, rows[i].offset);
	}
	to->todo = to->todo || from->todo;
	to->data_over = to->data_over || from->data_over;
	if (from->data)
		to->data_len = from->data_len;
}

/* ---- elements ---- */

static void take_condition(struct reader *reader, const char *name)
{
	if (reader->stack[0] == ELEMENT_DOCUMENT_ERROR) {
		if (!reader->condition)
			reader->condition = condition_name(reader->mem, name);
	} else if (!reader->response.error) {
		reader->response.error = condition_name(reader->owned, name);
	}
}

static void take_component(struct reader *reader)
{
	xmlChar *name = xmlTextReaderGetAttribute(reader->xml, (const xmlChar *)"name");

	if (name && !strcasecmp((const char *)name, "VTODO"))
		reader->pending.todo = true;
	xmlFree(name);
}

static void element_begin(struct reader *reader, enum element element)
{
	switch (element) {
	case ELEMENT_RESPONSE:
		response_begin(reader);
		break;
	case ELEMENT_PROPSTAT:
		propstat_begin(reader);
		break;
	case ELEMENT_COMPONENT:
		take_component(reader);
		break;
	default:
		break;
	}
	if (reader->row && reader->row->keep == KEEP_FLAG)
		*flag_at(&reader->pending, reader->row->offset) = true;
	reader->gathers =
		reader->row && (reader->row->keep == KEEP_TEXT || reader->row->keep == KEEP_DATA);
	reader->text_over = false;
	buf_clear(reader->text);
}

static void open_element(struct reader *reader)
{
	const char *ns = (const char *)xmlTextReaderConstNamespaceUri(reader->xml);
	const char *name = (const char *)xmlTextReaderConstLocalName(reader->xml);
	enum element parent = reader->depth ? reader->stack[reader->depth - 1] : ELEMENT_NONE;
	enum element element = ELEMENT_OTHER;

	if (reader->depth == MULTISTATUS_DEPTH_MAX) {
		fail(reader, "nested too deeply");
		return;
	}
	if (parent == ELEMENT_ERROR || parent == ELEMENT_DOCUMENT_ERROR)
		take_condition(reader, name ? name : "");
	reader->row = name ? find_row(parent, ns ? ns : "", name) : NULL;
	if (reader->row)
		element = reader->row->element;
	if (!reader->depth && element == ELEMENT_OTHER) {
		fail(reader, "not a multistatus");
		return;
	}
	reader->stack[reader->depth++] = element;
	element_begin(reader, element);
}

static void take_data(struct reader *reader)
{
	if (reader->text_over) {
		reader->pending.data_over = true;
		return;
	}
	reader->pending.data_len = reader->text->len;
	reader->pending.data = mem_bytes(reader->owned, reader->text->data, reader->text->len);
}

static void take_text(struct reader *reader, enum element element)
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
		at = text_at(&reader->pending, reader->row->offset);
		if (!*at) /* the first of several */
			*at = text;
		break;
	}
}

static void close_element(struct reader *reader)
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

static void gather(struct reader *reader)
{
	const char *value = (const char *)xmlTextReaderConstValue(reader->xml);
	size_t len = value ? strlen(value) : 0;
	size_t max = reader->row && reader->row->keep == KEEP_DATA ? MULTISTATUS_DATA_MAX
								   : MULTISTATUS_TEXT_MAX;

	if (!reader->gathers || reader->text_over)
		return;
	if (len > max - reader->text->len)
		reader->text_over = true;
	else
		buf_add(reader->text, value, len);
}

static void take_node(struct reader *reader)
{
	switch (xmlTextReaderNodeType(reader->xml)) {
	case XML_READER_TYPE_ELEMENT: {
		bool empty = xmlTextReaderIsEmptyElement(reader->xml) == 1;

		open_element(reader);
		if (empty && !reader->fault)
			close_element(reader);
		break;
	}
	case XML_READER_TYPE_END_ELEMENT:
		close_element(reader);
		break;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
	case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
	case XML_READER_TYPE_WHITESPACE:
		gather(reader);
		break;
	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
	case XML_READER_TYPE_ENTITY:
		fail(reader, "a DOCTYPE or an entity of its own");
		break;
	default: /* comments and processing instructions */
		break;
	}
}

static void ignore_error(void *context, xmlError *error)
{
	(void)context; /* the result of the read tells; nothing is printed from here */
	(void)error;
}

static void read_all(struct reader *reader, const char *xml, size_t len)
{
	int more = -1;

	xmlInitParser();                              /* harmless when repeated, from any thread */
	while (len && isspace((unsigned char)*xml)) { /* some PHP puts an empty line first */
		xml++;
		len--;
	}
	if (len > INT_MAX) {
		fail(reader, "too long");
		return;
	}
	reader->xml = xmlReaderForMemory(xml, (int)len, NULL, NULL,
					 XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_COMPACT |
						 XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (reader->xml) {
		xmlTextReaderSetStructuredErrorHandler(reader->xml, ignore_error, NULL);
		while (!reader->fault && (more = xmlTextReaderRead(reader->xml)) == 1)
			take_node(reader);
	}
	if (more < 0)
		fail(reader, "not well-formed XML");
	else if (!reader->fault && reader->depth)
		fail(reader, "ends too early");
	xmlFreeTextReader(reader->xml);
	reader->xml = NULL;
}

static struct reader *reader_new(TALLOC_CTX *mem)
{
	struct reader *reader = MEM_NEW(mem, struct reader);

	reader->mem = reader;
	reader->text = buf_new(reader);
	return reader;
}

struct fault *multistatus_read(TALLOC_CTX *mem, const char *xml, size_t len, multistatus_each *each,
			       void *context, char **token_r)
{
	struct reader *reader = reader_new(mem);
	struct fault *fault;

	reader->each = each;
	reader->context = context;
	read_all(reader, xml, len);
	if (!reader->fault && reader->condition)
		fail(reader, "an error document");
	fault = talloc_steal(mem, reader->fault);
	if (!fault && token_r)
		*token_r = talloc_steal(mem, reader->token);
	talloc_free(reader);
	return fault;
}

char *multistatus_error(TALLOC_CTX *mem, const char *xml, size_t len)
{
	struct reader *reader = reader_new(mem);
	char *condition;

	read_all(reader, xml, len);
	condition = talloc_steal(mem, reader->condition);
	talloc_free(reader);
	return condition;
}

char *multistatus_conflict(TALLOC_CTX *mem, const char *xml, size_t len)
{
	struct reader *reader = reader_new(mem);
	char *conflict;

	read_all(reader, xml, len);
	conflict = talloc_steal(mem, reader->conflict);
	talloc_free(reader);
	return conflict;
}
