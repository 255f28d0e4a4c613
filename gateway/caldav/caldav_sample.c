#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include "base/buf.h"
#include "mappers/icaltext.h"

/* Items like ours, for the probe. */

#define HEAD                                                                                       \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"                                                       \
	"PRODID:-//taskferry//taskferry " PACKAGE_VERSION "//EN\r\n"
#define TAIL "END:VCALENDAR\r\n"

/* Content lines; the UID goes before them, and each is folded as ours are. */
static const char *const todo_lines[] = {
	"DTSTAMP:20260101T090000Z",
	"CREATED:20260101T090000Z",
	"LAST-MODIFIED:20260101T090000Z",
	"SUMMARY:A trial of this server\\, which may be deleted: \xC3\xA4\xC3\xB6 \xE2\x82\xAC",
	"DTSTART;VALUE=DATE:20260105",
	"DUE;VALUE=DATE:20260109",
	"STATUS:NEEDS-ACTION",
	"PRIORITY:5",
	"CATEGORIES:@ana,trial",
	"ESTIMATED-DURATION:PT8H",
	"X-TASKFERRY-ACTUAL-WORK:PT3H30M",
	"DESCRIPTION:First line\\n\\nA line that is longer than the seventy-five bytes that a "
	"content line has at most\\, with \xE2\x80\x9Cquotes\xE2\x80\x9D and a semicolon\\; and so "
	"on.\\n--\\nTask T-1 of project P",
};

char *caldav_sample_todo(TALLOC_CTX *mem, const char *uid, int edition)
{
	struct buf *out = buf_new(mem);

	buf_printf(out, "BEGIN:VTODO\r\nUID:%s\r\n", uid);
	for (size_t i = 0; i < COUNT_OF(todo_lines); i++)
		icaltext_fold(out, todo_lines[i], "\r\n");
	buf_printf(out, "PERCENT-COMPLETE:%d\r\nX-TASKFERRY-EDITION:%d-9f86d081\r\nEND:VTODO\r\n",
		   edition % 100, edition);
	return buf_steal(&out, mem, NULL);
}

char *caldav_sample_calendar(TALLOC_CTX *mem, const char *todos)
{
	return mem_printf(mem, HEAD "%s" TAIL, todos);
}
