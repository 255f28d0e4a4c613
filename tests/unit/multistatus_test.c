#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "gateway/caldav/multistatus.h"

/* Answers in the shapes of five servers (facts: CalDAV matrix), of the RFCs, and of nobody who
 * means well. What was read is compared as text, one line per response: "HREF" and then what was
 * given. */

static struct fault *write_line(void *context, const struct multistatus_response *r)
{
	struct buf *out = context;

	buf_printf(out, "%s", r->href);
	if (r->status)
		buf_printf(out, " status=%d", r->status);
	if (r->refused)
		buf_printf(out, " refused=%d", r->refused);
#define TEXT(name, member)                                                                         \
	if (r->member)                                                                             \
		buf_printf(out, " " name "=%s", r->member);
	TEXT("error", error)
	TEXT("etag", etag)
	TEXT("modified", last_modified)
	TEXT("name", displayname)
	TEXT("ctag", ctag)
	TEXT("token", sync_token)
	TEXT("principal", principal)
	TEXT("owner", owner)
#undef TEXT
#define LIST(name, member)                                                                         \
	for (size_t i = 0; i < r->member.count; i++)                                               \
		buf_printf(out, " " name "=%s", r->member.items[i]);
	LIST("home", homes)
	LIST("principals", collections)
	LIST("address", addresses)
#undef LIST
	if (r->data)
		buf_printf(out, " data=%zu:%s", r->data_len, r->data);
#define FLAG(name, member)                                                                         \
	if (r->member)                                                                             \
		buf_puts(out, " " name);
	FLAG("over", data_over)
	FLAG("collection", collection)
	FLAG("calendar", calendar)
	FLAG("addressbook", addressbook)
	FLAG("components", components)
	FLAG("todo", todo)
	FLAG("reports", reports)
	FLAG("sync", reports_sync)
	FLAG("multiget", reports_multiget)
#undef FLAG
	buf_putc(out, '\n');
	return NULL;
}

/* As it arrives: in pieces of STEP bytes. */
static struct fault *read_pieces(TALLOC_CTX *mem, const char *xml, size_t len, size_t step,
				 struct buf *out, char **token_r)
{
	struct multistatus *reading = multistatus_new(mem, write_line, out);
	struct fault *fault = NULL;

	for (size_t at = 0; at < len && !fault; at += step)
		fault = multistatus_feed(reading, xml + at, len - at < step ? len - at : step);
	return fault ? fault : multistatus_end(reading, mem, token_r);
}

/* All that was read, or "FAULT kind"; STEP 0: at once. */
static char *read_text_by(TALLOC_CTX *mem, const char *xml, size_t len, size_t step)
{
	struct buf *out = buf_new(mem);
	char *token = NULL;
	struct fault *fault = step ? read_pieces(mem, xml, len, step, out, &token)
				   : multistatus_read(mem, xml, len, write_line, out, &token);

	if (fault)
		return mem_printf(mem, "FAULT %s %s", fault_kind_name(fault->kind),
				  fault_scope_name(fault->scope));
	if (token)
		buf_printf(out, "TOKEN %s\n", token);
	return buf_steal(&out, mem, NULL);
}

/* However the text is cut, the same is read. */
static char *read_text(TALLOC_CTX *mem, const char *xml, size_t len)
{
	static const size_t steps[] = { 1, 7, 4096 };
	char *whole = read_text_by(mem, xml, len, 0);

	for (size_t i = len > 100000 ? COUNT_OF(steps) - 1 : 0; i < COUNT_OF(steps); i++) {
		char *pieces = read_text_by(mem, xml, len, steps[i]);

		cr_assert_str_eq(pieces, whole, "by %zu bytes:\n%s\nat once:\n%s", steps[i],
				 pieces, whole);
		talloc_free(pieces);
	}
	return whole;
}

#define DAV                                                                                        \
	"xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                              \
	"xmlns:cs=\"http://calendarserver.org/ns/\""
#define OK "<d:status>HTTP/1.1 200 OK</d:status>"
#define ITEM(props)                                                                                \
	"<d:multistatus " DAV "><d:response><d:href>/a</d:href><d:propstat><d:prop>" props         \
	"</d:prop>" OK "</d:propstat></d:response></d:multistatus>"

static const struct {
	const char *name, *xml, *expected;
} good[] = {
	{ "Radicale: principal, with a default namespace and single quotes",
	  "<?xml version='1.0' encoding='utf-8'?>\n"
	  "<multistatus "
	  "xmlns=\"DAV:\"><response><href>/</href><propstat><prop><current-user-principal><href>/"
	  "ana/</href>"
	  "</current-user-principal><resourcetype><collection "
	  "/></resourcetype></prop><status>HTTP/1.1 200 OK</status>"
	  "</propstat><propstat><prop><calendar-home-set xmlns=\"urn:ietf:params:xml:ns:caldav\" "
	  "/></prop>"
	  "<status>HTTP/1.1 404 Not Found</status></propstat></response></multistatus>",
	  "/ refused=404 principal=/ana/ collection\n" },
	{ "Radicale: sync-collection, token first, a removed item",
	  "<?xml version='1.0' encoding='utf-8'?>\n<multistatus xmlns=\"DAV:\">"
	  "<sync-token>http://radicale.org/ns/sync/0a1b</sync-token>"
	  "<response><href>/ana/p/gone.ics</href><status>HTTP/1.1 404 Not Found</status></response>"
	  "<response><href>/ana/p/PRJ-1%3Aa.ics</href><propstat><prop><getetag>\"e1\"</getetag></"
	  "prop>"
	  "<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>",
	  "/ana/p/gone.ics status=404\n/ana/p/PRJ-1%3Aa.ics etag=\"e1\"\nTOKEN "
	  "http://radicale.org/ns/sync/0a1b\n" },
	{ "Xandikos: a relative address, calendar-data refused in sync-collection, token last",
	  "<ns0:multistatus xmlns:ns0=\"DAV:\" "
	  "xmlns:ns1=\"urn:ietf:params:xml:ns:caldav\"><ns0:response>"
	  "<ns0:href>PRJ-1%3Aa.ics</ns0:href><ns0:propstat><ns0:status>HTTP/1.1 200 "
	  "OK</ns0:status><ns0:prop>"
	  "<ns0:getetag>\"3f\"</ns0:getetag></ns0:prop></ns0:propstat><ns0:propstat>"
	  "<ns0:status>HTTP/1.1 404 Not "
	  "Found</ns0:status><ns0:prop><ns1:calendar-data/></ns0:prop></ns0:propstat>"
	  "</ns0:response><ns0:sync-token>77ab</ns0:sync-token></ns0:multistatus>",
	  "PRJ-1%3Aa.ics refused=404 etag=\"3f\"\nTOKEN 77ab\n" },
	{ "Xandikos: a refused PUT is a 207 with 412 inside",
	  "<ns0:multistatus xmlns:ns0=\"DAV:\"><ns0:response><ns0:href>/u/p/a.ics</ns0:href>"
	  "<ns0:status>HTTP/1.1 412 Precondition Failed</ns0:status><ns0:error>"
	  "<ns1:no-uid-conflict "
	  "xmlns:ns1=\"urn:ietf:params:xml:ns:caldav\"/></ns0:error></ns0:response></"
	  "ns0:multistatus>",
	  "/u/p/a.ics status=412 error=no-uid-conflict\n" },
	{ "Cyrus: a truncated listing, 507 on the folder itself",
	  "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\" "
	  "xmlns:C=\"urn:ietf:params:xml:ns:caldav\">"
	  "\n  <D:response>\n    <D:href>/dav/calendars/user/ana/p/a:b@c.ics</D:href>\n    "
	  "<D:propstat>\n      <D:prop>\n"
	  "        <D:getetag>\"0123\"</D:getetag>\n      </D:prop>\n      <D:status>HTTP/1.1 200 "
	  "OK</D:status>\n"
	  "    </D:propstat>\n  </D:response>\n  <D:response>\n    "
	  "<D:href>/dav/calendars/user/ana/p/</D:href>\n"
	  "    <D:status>HTTP/1.1 507 Insufficient Storage</D:status>\n    <D:error>\n"
	  "      <D:number-of-matches-within-limits/>\n    </D:error>\n  </D:response>\n"
	  "  <D:sync-token>http://cyrusimap.org/ns/sync/1-2</D:sync-token>\n</D:multistatus>\n",
	  "/dav/calendars/user/ana/p/a:b@c.ics etag=\"0123\"\n"
	  "/dav/calendars/user/ana/p/ status=507 error=number-of-matches-within-limits\n"
	  "TOKEN http://cyrusimap.org/ns/sync/1-2\n" },
	/* libxml2's reader leaves CR LF in CDATA alone, against XML 1.0 section 2.11; callers take
	   both */
	{ "Cyrus: calendar-data in CDATA",
	  ITEM("<c:calendar-data><![CDATA[BEGIN:VCALENDAR\r\nX:<&>\r\nEND:VCALENDAR\r\n]]></"
	       "c:calendar-data>"),
	  "/a data=39:BEGIN:VCALENDAR\r\nX:<&>\r\nEND:VCALENDAR\r\n\n" },
	{ "DAViCal: an empty line first, calendar folder",
	  "\n<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<multistatus xmlns=\"DAV:\" "
	  "xmlns:C=\"urn:ietf:params:xml:ns:caldav\" "
	  "xmlns:C1=\"http://calendarserver.org/ns/\">\n <response>\n  "
	  "<href>/caldav.php/ana/p/</href>\n  <propstat>\n   <prop>\n"
	  "    <displayname>Crate &amp; Barrel (https://pm/web)</displayname>\n    "
	  "<resourcetype>\n     <collection/>\n"
	  "     <C:calendar/>\n    </resourcetype>\n    <C1:getctag>\"9f\"</C1:getctag>\n    "
	  "<C:supported-calendar-component-set>\n"
	  "     <C:comp name=\"VTODO\"/>\n    </C:supported-calendar-component-set>\n    "
	  "<supported-report-set>\n"
	  "     <supported-report>\n      <report>\n       <sync-collection/>\n      </report>\n   "
	  "  </supported-report>\n"
	  "     <supported-report><report><C:calendar-multiget/></report></supported-report>\n    "
	  "</supported-report-set>\n"
	  "    <sync-token>data:,12</sync-token>\n   </prop>\n   <status>HTTP/1.1 200 "
	  "OK</status>\n  </propstat>\n </response>\n"
	  "</multistatus>\n",
	  "/caldav.php/ana/p/ name=Crate & Barrel (https://pm/web) ctag=\"9f\" token=data:,12 "
	  "collection calendar components "
	  "todo reports sync multiget\n" },
	{ "SOGo: one slash, no port, component set without VTODO, numbers as tags",
	  "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\" "
	  "xmlns:n1=\"urn:ietf:params:xml:ns:caldav\" "
	  "xmlns:n2=\"http://calendarserver.org/ns/\"><D:response><D:href>http:/127.0.0.1:17780/"
	  "SOGo/dav/ana/Calendar/p/"
	  "</D:href><D:propstat><D:prop><n2:getctag>1795252800</"
	  "n2:getctag><n1:supported-calendar-component-set>"
	  "<n1:comp name=\"VEVENT\"/><n1:comp "
	  "name=\"VFREEBUSY\"/></n1:supported-calendar-component-set></D:prop>"
	  "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response><D:response>"
	  "<D:href>http://127.0.0.1/SOGo/dav/ana/Calendar/p/a b.ics</D:href><D:propstat><D:prop>"
	  "<D:getetag>gcs00000001</D:getetag></D:prop><D:status>HTTP/1.1 200 "
	  "OK</D:status></D:propstat></D:response>"
	  "<D:sync-token>1795252800</D:sync-token></D:multistatus>",
	  "http:/127.0.0.1:17780/SOGo/dav/ana/Calendar/p/ ctag=1795252800 components\n"
	  "http://127.0.0.1/SOGo/dav/ana/Calendar/p/a b.ics etag=gcs00000001\nTOKEN 1795252800\n" },
	{ "RFC 4918: several addresses share one status",
	  "<d:multistatus " DAV "><d:response><d:href>/a</d:href><d:href>/b</d:href>"
	  "<d:status>HTTP/1.1 423 Locked</d:status></d:response></d:multistatus>",
	  "/a status=423\n/b status=423\n" },
	{ "properties with another status are not believed",
	  "<d:multistatus " DAV
	  "><d:response><d:href>/a</d:href><d:propstat><d:prop><d:getetag>\"no\"</d:getetag>"
	  "<d:resourcetype><d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 403 "
	  "Forbidden</d:status></d:propstat>"
	  "<d:propstat><d:prop><d:getetag>\"yes\"</d:getetag></d:prop>" OK
	  "</d:propstat></d:response></d:multistatus>",
	  "/a refused=403 etag=\"yes\"\n" },
	{ "properties without any status are not believed",
	  "<d:multistatus " DAV "><d:response><d:href>/a</"
				"d:href><d:propstat><d:prop><d:getetag>\"x\"</d:getetag></d:prop>"
	  "</d:propstat></d:response></d:multistatus>",
	  "/a\n" },
	{ "a href inside of an unknown property is not the response's",
	  ITEM("<d:group><d:href>/other</d:href></d:group><x:y "
	       "xmlns:x=\"urn:x\"><d:getetag>\"no\"</d:getetag></x:y>"
	       "<d:getetag>\"e\"</d:getetag>"),
	  "/a etag=\"e\"\n" },
	{ "the same name in another namespace is another property",
	  ITEM("<c:getetag>\"no\"</c:getetag><d:calendar-data>no</d:calendar-data><d:getctag>no</"
	       "d:getctag>"),
	  "/a\n" },
	{ "all of several homes",
	  ITEM("<c:calendar-home-set><d:href>/h1/</d:href><d:href>/h2/</d:href></"
	       "c:calendar-home-set>"),
	  "/a home=/h1/ home=/h2/\n" },
	{ "an owner, and where principals are",
	  ITEM("<d:owner><d:href>/p/ana/</d:href><d:href>/p/bo/</d:href></d:owner>"
	       "<d:principal-collection-set><d:href>/p/</d:href><d:href>/q/</d:href>"
	       "</d:principal-collection-set>"),
	  "/a owner=/p/ana/ principals=/p/ principals=/q/\n" },
	{ "addresses of both kinds",
	  ITEM("<c:calendar-user-address-set><d:href>mailto:ana@example.com</d:href><d:href>/p/ana/"
	       "</d:href></c:calendar-user-address-set><cs:email-address-set><cs:email-address>"
	       "ana@example.com</cs:email-address></cs:email-address-set>"),
	  "/a address=mailto:ana@example.com address=/p/ana/ address=ana@example.com\n" },
	{ "an address of a property that was refused",
	  "<d:multistatus " DAV "><d:response><d:href>/a</d:href><d:propstat><d:prop>"
	  "<c:calendar-home-set><d:href>/h/</d:href></c:calendar-home-set></d:prop>"
	  "<d:status>HTTP/1.1 403 no</d:status></d:propstat></d:response></d:multistatus>",
	  "/a refused=403\n" },
	{ "blanks around, a comment and a processing instruction inside",
	  ITEM("<d:getetag>\n \"e<!-- no -->1\" \t<?no no?></d:getetag>"), "/a etag=\"e1\"\n" },
	{ "an escaped CR survives, a plain one does not",
	  ITEM("<c:calendar-data>a&#13;\nb\r\nc</c:calendar-data>"), "/a data=6:a\r\nb\nc\n" },
	{ "an empty name is a name, an empty token is none",
	  "<d:multistatus " DAV
	  "><d:response><d:href>/a</d:href><d:propstat><d:prop><d:displayname/></d:prop>" OK
	  "</d:propstat></d:response><d:sync-token/></d:multistatus>",
	  "/a name=\n" },
	{ "a condition's name is cut to harmless characters",
	  "<d:multistatus " DAV
	  "><d:response><d:href>/a</d:href><d:status>HTTP/1.1 403 x</d:status><d:error>"
	  "<d:b\xc3\xa4"
	  "d.name/></d:error></d:response></d:multistatus>",
	  "/a status=403 error=b--d-name\n" },
	{ "nonsense for a status is none",
	  "<d:multistatus " DAV
	  "><d:response><d:href>/a</d:href><d:status>HTTP/1.1 99999999999999999999</d:status>"
	  "</d:response><d:response><d:href>/b</d:href><d:status>OK</d:status></d:response></"
	  "d:multistatus>",
	  "/a\n/b\n" },
	{ "no response at all", "<multistatus xmlns=\"DAV:\"/>", "" },
	{ "ISO 8859-1",
	  "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>" ITEM(
		  "<d:displayname>\xe4</d:displayname>"),
	  "/a name=\xc3\xa4\n" },
	{ "nested in two multistatus elements: only the outer one counts",
	  "<d:multistatus " DAV "><d:multistatus><d:response><d:href>/no</d:href></d:response></"
				"d:multistatus></d:multistatus>",
	  "" },
};

Test(multistatus, reads_what_servers_write)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *actual = read_text(mem, good[i].xml, strlen(good[i].xml));

		cr_expect_str_eq(actual, good[i].expected,
				 "%s\ninput:\n%s\nexpected:\n%s\nactual:\n%s", good[i].name,
				 good[i].xml, good[i].expected, actual);
		talloc_free(mem);
	}
}

static const struct {
	const char *name, *xml;
} bad[] = {
	{ "nothing", "" },
	{ "blanks", " \r\n\t" },
	{ "no XML", "Internal Server Error" },
	{ "HTML", "<html><body><p>Please log in</p></body></html>" },
	{ "the right name in no namespace", "<multistatus><response/></multistatus>" },
	{ "cut off", "<d:multistatus " DAV "><d:response><d:href>/a</d:href>" },
	{ "closed wrongly", "<d:multistatus " DAV "><d:response></d:multistatus></d:response>" },
	{ "unknown prefix", "<d:multistatus/>" },
	{ "two roots", "<multistatus xmlns=\"DAV:\"/><multistatus xmlns=\"DAV:\"/>" },
	{ "DOCTYPE", "<!DOCTYPE multistatus><multistatus xmlns=\"DAV:\"/>" },
	{ "laughs",
	  "<!DOCTYPE m [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c "
	  "\"&b;&b;&b;&b;\">]>"
	  "<multistatus xmlns=\"DAV:\"><response><href>&c;</href></response></multistatus>" },
	{ "a file", "<!DOCTYPE m [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><multistatus "
		    "xmlns=\"DAV:\"><response><href>&a;"
		    "</href></response></multistatus>" },
	{ "unknown entity",
	  "<multistatus xmlns=\"DAV:\"><response><href>&nbsp;</href></response></multistatus>" },
	{ "a control character",
	  "<multistatus xmlns=\"DAV:\"><response><href>\x01</href></response></multistatus>" },
	{ "not UTF-8",
	  "<multistatus xmlns=\"DAV:\"><response><href>\xff\xfe</href></response></multistatus>" },
	{ "an error document", "<d:error " DAV "><d:valid-sync-token/></d:error>" },
};

Test(multistatus, refuses_what_is_none)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *actual = read_text(mem, bad[i].xml, strlen(bad[i].xml));

		cr_expect_str_eq(actual, "FAULT PROTOCOL folder", "%s\ninput:\n%s\nactual:\n%s",
				 bad[i].name, bad[i].xml, actual);
		talloc_free(mem);
	}
}

Test(multistatus, every_cut_is_noticed)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		size_t len = strlen(good[i].xml);

		while (len && strchr(" \n", good[i].xml[len - 1]))
			len--;
		for (size_t cut = 0; cut < len; cut++) {
			char *part = mem_bytes(mem, good[i].xml, cut);
			char *actual = read_text(mem, part, cut);

			cr_assert_str_eq(actual, "FAULT PROTOCOL folder",
					 "%s, cut at %zu of %zu: %s", good[i].name, cut, len,
					 actual);
			talloc_free(part);
		}
	}
	talloc_free(mem);
}

/* ---- bounds ---- */

static char *repeated(TALLOC_CTX *mem, const char *before, const char *middle, size_t n,
		      const char *after)
{
	struct buf *out = buf_new(mem);

	buf_puts(out, before);
	for (size_t i = 0; i < n; i++)
		buf_puts(out, middle);
	buf_puts(out, after);
	return buf_steal(&out, mem, NULL);
}

Test(multistatus, an_item_over_the_bound_stops_no_other)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *filler = repeated(mem, "", "0123456789abcdef", MULTISTATUS_DATA_MAX / 16, "");
	const char *head = "<d:multistatus " DAV
			   "><d:response><d:href>/a</d:href><d:propstat><d:prop><c:calendar-data>";
	const char *tail = "</c:calendar-data></d:prop>" OK
			   "</d:propstat></d:response><d:response><d:href>/b</d:href>"
			   "<d:propstat><d:prop><c:calendar-data>b</c:calendar-data></d:prop>" OK
			   "</d:propstat></d:response></d:multistatus>";
	char *xml = mem_printf(mem, "%s%s!%s", head, filler, tail),
	     *actual = read_text(mem, xml, strlen(xml));

	cr_assert_str_eq(actual, "/a over\n/b data=1:b\n", "%.200s", actual);
	xml = mem_printf(mem, "%s%s%s", head, filler, tail);
	actual = read_text(mem, xml, strlen(xml));
	cr_assert(!strncmp(actual, "/a data=1048576:0123", 20), "just at the bound: %.200s",
		  actual);
	talloc_free(mem);
}

Test(multistatus, other_bounds)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const struct {
		const char *name, *before, *middle;
		size_t n;
		const char *after, *expected;
	} cases[] = {
		{ "depth in bounds", "<d:multistatus " DAV ">", "<d:x>", MULTISTATUS_DEPTH_MAX - 1,
		  repeated(mem, "", "</d:x>", MULTISTATUS_DEPTH_MAX - 1, "</d:multistatus>"), "" },
		{ "depth", "<d:multistatus " DAV ">", "<d:x>", MULTISTATUS_DEPTH_MAX,
		  repeated(mem, "", "</d:x>", MULTISTATUS_DEPTH_MAX, "</d:multistatus>"),
		  "FAULT PROTOCOL folder" },
		{ "a long address", "<d:multistatus " DAV "><d:response><d:href>", "x",
		  MULTISTATUS_TEXT_MAX + 1, "</d:href></d:response></d:multistatus>",
		  "FAULT PROTOCOL folder" },
		{ "too many addresses", "<d:multistatus " DAV "><d:response>",
		  "<d:href>/a</d:href>", MULTISTATUS_HREFS_MAX + 1, "</d:response></d:multistatus>",
		  "FAULT PROTOCOL folder" },
		{ "too many responses", "<d:multistatus " DAV ">", "<d:response/>",
		  MULTISTATUS_RESPONSES_MAX + 1, "</d:multistatus>", "FAULT PROTOCOL folder" },
		{ "as many as allowed", "<d:multistatus " DAV ">", "<d:response/>",
		  MULTISTATUS_RESPONSES_MAX, "</d:multistatus>", "" },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *xml =
			repeated(mem, cases[i].before, cases[i].middle, cases[i].n, cases[i].after);
		char *actual = read_text(mem, xml, strlen(xml));

		cr_expect_str_eq(actual, cases[i].expected, "%s: %.100s", cases[i].name, actual);
	}
	talloc_free(mem);
}

/* Ten times the answer may not take ten times the memory: nothing of a response outlives it. */
Test(multistatus, memory_does_not_grow_with_the_answer)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	char *xml = repeated(mem, "<d:multistatus " DAV ">",
			     "<d:response><d:href>/ana/p/0123456789.ics</"
			     "d:href><d:propstat><d:prop><d:getetag>\"0123456789\""
			     "</d:getetag></d:prop>" OK "</d:propstat></d:response>",
			     10000, "</d:multistatus>");
	TALLOC_CTX *result = MEM_CONTEXT(mem);
	size_t before = talloc_total_size(result);

	cr_assert_null(multistatus_read(result, xml, strlen(xml), NULL, NULL, NULL));
	cr_assert_eq(talloc_total_size(result), before, "%zu bytes are left",
		     talloc_total_size(result) - before);
	talloc_free(mem);
}

static struct fault *stop_at_second(void *context, const struct multistatus_response *response)
{
	int *seen = context;

	(void)response;
	return ++*seen == 2 ? fault_new(NULL, FAULT_FULL, "enough") : NULL;
}

Test(multistatus, a_callbacks_fault_ends_it)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	const char *xml =
		"<d:multistatus " DAV
		"><d:response><d:href>/a</d:href></d:response><d:response><d:href>/b</d:href>"
		"</d:response><d:response><d:href>/c</d:href></d:response></d:multistatus>";
	int seen = 0;
	struct fault *fault = multistatus_read(mem, xml, strlen(xml), stop_at_second, &seen, NULL);

	cr_assert_not_null(fault);
	cr_assert_eq(fault->kind, FAULT_FULL);
	cr_assert_eq(seen, 2);
	talloc_free(mem);
}

/* ---- error documents ---- */

static const struct {
	const char *xml, *expected; /* NULL: none */
} errors[] = {
	{ "<?xml version='1.0'?>\n<error xmlns=\"DAV:\"><valid-sync-token/></error>",
	  "valid-sync-token" },
	{ "<d:error " DAV
	  "><c:no-uid-conflict><d:href>/x.ics</d:href></c:no-uid-conflict></d:error>",
	  "no-uid-conflict" },
	{ "<D:error xmlns:D=\"DAV:\"><D:a/><D:b/></D:error>", "a" },
	{ "<error xmlns=\"DAV:\"/>", NULL },
	{ "Access to the requested resource forbidden.", NULL },
	{ "<multistatus "
	  "xmlns=\"DAV:\"><response><href>/a</href><error><x/></error></response></multistatus>",
	  NULL },
	{ "", NULL },
};

Test(multistatus, error_names_the_condition)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *actual = multistatus_error(mem, errors[i].xml, strlen(errors[i].xml));

		cr_expect_str_eq(actual ? actual : "(none)",
				 errors[i].expected ? errors[i].expected : "(none)",
				 "input:\n%s\nactual: %s", errors[i].xml,
				 actual ? actual : "(none)");
		talloc_free(mem);
	}
}
