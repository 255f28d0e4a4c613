#include "config.h"

#include "mappers/mspdi.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/mspdi_private.h"

/* Project XML -> projfile. Expected values are worked out by hand from DESIGN section 10; times are
 * those of Berlin. */

#define HEAD "<Project xmlns=\"http://schemas.microsoft.com/project\">"
#define TAIL "</Project>"
#define TASK1 "<Task><UID>1</UID><Name>One</Name></Task>"
#define ANA                                                                                        \
	"<Resource><UID>7</UID><Name>Ana</Name><EmailAddress>ana@example.com</EmailAddress></"     \
	"Resource>"

static TALLOC_CTX *mem;

static void setup(void)
{
	struct fault *fault;

	mem = MEM_CONTEXT(NULL);
	fault = zone_use(mem, "Europe/Berlin");
	cr_assert_null(fault, "%s", fault ? fault->text : "");
}

static void teardown(void)
{
	talloc_free(mem);
}

TestSuite(mspdi, .init = setup, .fini = teardown);

static struct projfile *read_ok(const char *text)
{
	struct projfile *file = NULL;
	struct fault *fault = mspdi_read(mem, "plan.xml", text, strlen(text), &file);

	cr_assert_null(fault, "%s\ngave: %s", text, fault ? fault->text : "");
	return file;
}

static struct projfile *read_parts(const char *tasks, const char *resources,
				   const char *assignments)
{
	return read_ok(mem_printf(
		mem,
		HEAD "<Tasks>%s</Tasks><Resources>%s</Resources><Assignments>%s</Assignments>" TAIL,
		tasks, resources, assignments));
}

/* "-" for an absent value. */
static void expect_value(const char *what, const struct vector *values, enum field field,
			 const char *expected)
{
	const struct value *value = &values->value[field];
	const char *text = value->presence == ABSENT ? "-" : value_text(mem, field, value);

	cr_expect(text_same(text, expected), "%s\n%s: expected '%s', got '%s'", what,
		  field_table[field].name, expected ? expected : "(cleared)",
		  text ? text : "(cleared)");
}

static void expect_number(const char *what, const char *name, size_t actual, size_t expected)
{
	cr_expect(actual == expected, "%s\n%s: expected %zu, got %zu", what, name, expected,
		  actual);
}

/* ---- values ---- */

static const struct {
	const char *inner; /* of the Task */
	enum field field;
	const char *expected;
	size_t warnings;
} task_cases[] = {
	{ "<Name>Dig</Name>", FIELD_subject, "Dig", 0 },
	{ "<Name> Dig\nhere </Name>", FIELD_subject, "Dig here", 0 },
	{ "<Name>Tiefbau &amp; H&#246;he &lt;2&gt;</Name>", FIELD_subject, "Tiefbau & Höhe <2>",
	  0 },
	{ "<Name><![CDATA[a<b]]> c</Name>", FIELD_subject, "a<b c", 0 },
	{ "<Name>a<!-- x -->b</Name>", FIELD_subject, "ab", 0 },
	{ "<Name>a<b>no</b>c</Name>", FIELD_subject, "ac", 0 },
	{ "<Name>first</Name><Name>second</Name>", FIELD_subject, "first", 0 },
	{ "", FIELD_subject, "(task 5)", 0 },
	{ "<Name/>", FIELD_subject, "(task 5)", 0 },
	{ "<Name>  </Name>", FIELD_subject, "(task 5)", 0 },
	{ "<Baseline><Name>no</Name></Baseline>", FIELD_subject, "(task 5)", 0 },
	{ "<Deadline>2026-12-01T17:00:00</Deadline>", FIELD_deadline, "2026-12-01T16:00:00Z", 0 },
	{ "<Deadline>2027-07-01T17:00:00</Deadline>", FIELD_deadline, "2027-07-01T15:00:00Z", 0 },
	{ "<Deadline>2026-12-01T17:00:00.5</Deadline>", FIELD_deadline, "2026-12-01T16:00:00Z", 0 },
	{ "<Deadline>2026-12-01T24:00:00</Deadline>", FIELD_deadline, "2026-12-01T23:00:00Z", 0 },
	{ "<Deadline>2026-12-01T17:00:00Z</Deadline>", FIELD_deadline, "2026-12-01T17:00:00Z", 0 },
	{ "<Deadline>\n 2026-12-01T17:00:00 </Deadline>", FIELD_deadline, "2026-12-01T16:00:00Z",
	  0 },
	{ "<Deadline>NA</Deadline>", FIELD_deadline, "-", 0 },
	{ "<Deadline></Deadline>", FIELD_deadline, "-", 0 },
	{ "<Deadline>1984-01-01T00:00:00</Deadline>", FIELD_deadline, "-", 0 },
	{ "<Deadline>2008-12-04T17:-0:00</Deadline>", FIELD_deadline, "-", 1 },
	{ "<Deadline>2026-02-30T08:00:00</Deadline>", FIELD_deadline, "-", 1 },
	{ "<Deadline>2026-12-01T25:00:00</Deadline>", FIELD_deadline, "-", 1 },
	{ "<Deadline>2026-12-01T24:00:01</Deadline>", FIELD_deadline, "-", 1 },
	{ "<Deadline>0001-01-01T00:00:00</Deadline>", FIELD_deadline, "-", 1 },
	{ "<Deadline>tomorrow</Deadline>", FIELD_deadline, "-", 1 },
	{ "<Priority>500</Priority>", FIELD_priority, "0", 0 },
	{ "<Priority>1000</Priority>", FIELD_priority, "1", 0 },
	{ "<Priority>1001</Priority>", FIELD_priority, "1", 1 },
	{ "<Priority>-1</Priority>", FIELD_priority, "9", 1 },
	{ "<Priority>high</Priority>", FIELD_priority, "-", 1 },
	{ "", FIELD_priority, "-", 0 },
	{ "<Milestone>1</Milestone>", FIELD_milestone, "true", 0 },
	{ "<Milestone>0</Milestone>", FIELD_milestone, "false", 0 },
	{ "<Milestone>true</Milestone>", FIELD_milestone, "true", 0 },
	{ "<Milestone>yes</Milestone>", FIELD_milestone, "-", 1 },
	{ "<Summary>1</Summary>", FIELD_summary, "true", 0 },
	{ "<Summary>false</Summary>", FIELD_summary, "false", 0 },
	{ "<Notes>a&#13;&#10;b&#13;c</Notes>", FIELD_description, "a\nb\nc", 0 },
	{ "<Notes/>", FIELD_description, NULL, 0 },
	{ "", FIELD_description, "-", 0 },
	{ "", FIELD_predecessors, "-", 0 },
	{ "", FIELD_parent, "-", 0 },
};

Test(mspdi, a_task_says)
{
	for (size_t i = 0; i < COUNT_OF(task_cases); i++) {
		const char *text =
			mem_printf(mem, "<Task><UID>5</UID>%s</Task>", task_cases[i].inner);
		struct projfile *file = read_parts(text, "", "");

		cr_assert_eq(file->task_count, 1, "%s", text);
		expect_value(text, file->tasks[0].values, task_cases[i].field,
			     task_cases[i].expected);
		expect_number(text, "warnings", file->warning_count, task_cases[i].warnings);
	}
}

Test(mspdi, priority_goes_in_nine_even_bands)
{
	/* band k = 9 - floor(9 p / 1001): the first and the last value of each */
	static const struct {
		int64_t from, to, ours;
	} bands[] = {
		{ 0, 111, 9 },   { 112, 222, 8 }, { 223, 333, 7 },  { 334, 444, 6 },
		{ 445, 499, 5 }, { 500, 500, 0 }, { 501, 556, 5 },  { 557, 667, 4 },
		{ 668, 778, 3 }, { 779, 889, 2 }, { 890, 1000, 1 },
	};
	int64_t next = 0;

	for (size_t i = 0; i < COUNT_OF(bands); i++) {
		cr_expect_eq(bands[i].from, next);
		for (int64_t p = bands[i].from; p <= bands[i].to; p++)
			cr_expect_eq(mspdi_value_priority(p), bands[i].ours,
				     "priority %lld: got %lld, expected %lld", (long long)p,
				     (long long)mspdi_value_priority(p), (long long)bands[i].ours);
		next = bands[i].to + 1;
	}
	cr_expect_eq(next, 1001);
}

static const struct {
	const char *task;       /* inside of Task 1 */
	const char *assignment; /* inside of its assignment to Ana */
	enum field field;
	const char *expected;
	size_t warnings;
} assignment_cases[] = {
	{ "", "<Start>2026-12-01T08:00:00</Start>", FIELD_start, "2026-12-01T07:00:00Z", 0 },
	{ "", "<Finish>2026-12-02T17:00:00</Finish>", FIELD_due, "2026-12-02T16:00:00Z", 0 },
	{ "<Start>2026-12-01T08:00:00</Start>", "", FIELD_start, "2026-12-01T07:00:00Z", 0 },
	{ "<Finish>2026-12-02T17:00:00</Finish>", "<Finish>x</Finish>", FIELD_due,
	  "2026-12-02T16:00:00Z", 1 },
	{ "<Finish>2026-12-02T17:00:00</Finish>", "<Finish>2026-12-03T17:00:00</Finish>", FIELD_due,
	  "2026-12-03T16:00:00Z", 0 },
	{ "", "", FIELD_due, "-", 0 },
	{ "", "<Work>PT12H30M0S</Work>", FIELD_total_work, "750", 0 },
	{ "", "<Work>PT0H0M30.5S</Work>", FIELD_total_work, "1", 0 },
	{ "", "<Work>PT100H</Work>", FIELD_total_work, "6000", 0 },
	{ "", "<Work>PT0H0M0S</Work>", FIELD_total_work, "0", 0 },
	{ "", "<Work>-PT8H0M0S</Work>", FIELD_total_work, "-", 1 },
	{ "", "<Work>8h</Work>", FIELD_total_work, "-", 1 },
	{ "<Work>PT8H0M0S</Work>", "", FIELD_total_work, "-", 0 },
	{ "", "<ActualWork>PT4H0M0S</ActualWork>", FIELD_actual_work, "240", 0 },
	{ "", "<RemainingWork>PT4H15M0S</RemainingWork>", FIELD_remaining_work, "255", 0 },
	{ "", "<Notes>mine</Notes>", FIELD_notes, "mine", 0 },
	{ "<Notes>theirs</Notes>", "", FIELD_notes, "-", 0 },
	/* percent: of the work; else of the task */
	{ "", "<PercentWorkComplete>40</PercentWorkComplete><Work>PT8H0M0S</Work>", FIELD_percent,
	  "40", 0 },
	{ "<PercentComplete>70</PercentComplete>",
	  "<PercentWorkComplete>40</PercentWorkComplete><Work>PT8H0M0S</Work>", FIELD_percent, "40",
	  0 },
	{ "<PercentComplete>70</PercentComplete>", "<PercentWorkComplete>40</PercentWorkComplete>",
	  FIELD_percent, "40", 0 },
	{ "<PercentComplete>70</PercentComplete>", "<Work>PT8H0M0S</Work>", FIELD_percent, "70",
	  0 },
	{ "<PercentComplete>100</PercentComplete>",
	  "<PercentWorkComplete>0</PercentWorkComplete><Work>PT0H0M0S</Work>", FIELD_percent, "100",
	  0 },
	{ "", "<PercentWorkComplete>30</PercentWorkComplete><Work>PT0H0M0S</Work>", FIELD_percent,
	  "30", 0 },
	{ "", "<PercentWorkComplete>140</PercentWorkComplete>", FIELD_percent, "100", 1 },
	{ "", "<PercentWorkComplete>-3</PercentWorkComplete>", FIELD_percent, "0", 1 },
	{ "<PercentComplete>70</PercentComplete>", "<PercentWorkComplete>x</PercentWorkComplete>",
	  FIELD_percent, "70", 1 },
	{ "", "", FIELD_percent, "-", 0 },
	{ "", "", FIELD_status, "-", 0 },
	{ "", "<PercentWorkComplete>0</PercentWorkComplete>", FIELD_status, "needs-action", 0 },
	{ "", "<PercentWorkComplete>1</PercentWorkComplete>", FIELD_status, "in-process", 0 },
	{ "", "<PercentWorkComplete>99</PercentWorkComplete>", FIELD_status, "in-process", 0 },
	{ "", "<PercentWorkComplete>100</PercentWorkComplete>", FIELD_status, "completed", 0 },
	{ "<PercentComplete>100</PercentComplete>", "", FIELD_status, "completed", 0 },
	/* completed: only at 100 per cent; its own, else the task's */
	{ "<ActualFinish>2026-12-03T17:00:00</ActualFinish>",
	  "<PercentWorkComplete>100</PercentWorkComplete><ActualFinish>2026-12-02T17:00:00</"
	  "ActualFinish>",
	  FIELD_completed_at, "2026-12-02T16:00:00Z", 0 },
	{ "<ActualFinish>2026-12-03T17:00:00</ActualFinish>",
	  "<PercentWorkComplete>100</PercentWorkComplete>", FIELD_completed_at,
	  "2026-12-03T16:00:00Z", 0 },
	{ "<ActualFinish>2026-12-03T17:00:00</ActualFinish>",
	  "<PercentWorkComplete>99</PercentWorkComplete>", FIELD_completed_at, "-", 0 },
	{ "", "<PercentWorkComplete>100</PercentWorkComplete>", FIELD_completed_at, "-", 0 },
	{ "", "<TimephasedData><Start>2026-12-01T08:00:00</Start></TimephasedData>", FIELD_start,
	  "-", 0 },
};

Test(mspdi, an_assignment_says)
{
	for (size_t i = 0; i < COUNT_OF(assignment_cases); i++) {
		const char *task =
			mem_printf(mem, "<Task><UID>1</UID>%s</Task>", assignment_cases[i].task);
		const char *text = mem_printf(
			mem,
			"<Assignment><UID>9</UID><TaskUID>1</TaskUID><ResourceUID>7</ResourceUID>"
			"%s</Assignment>",
			assignment_cases[i].assignment);
		struct projfile *file = read_parts(task, ANA, text);
		const char *what = mem_printf(mem, "%s\n%s", task, text);

		cr_assert_eq(file->assignment_count, 1, "%s", what);
		expect_value(what, file->assignments[0].values, assignment_cases[i].field,
			     assignment_cases[i].expected);
		expect_number(what, "warnings", file->warning_count, assignment_cases[i].warnings);
	}
}

Test(mspdi, keys_are_uids_and_lines_are_known)
{
	struct projfile *file =
		read_ok(HEAD "\n<Assignments>\n<Assignment><UID>9</UID><TaskUID>01</TaskUID>"
			     "<ResourceUID>7</ResourceUID></Assignment>\n</Assignments>\n"
			     "<Resources>\n" ANA "</Resources>\n"
			     "<Tasks><Task>\n<ID>77</ID><UID> 1 </UID></Task></Tasks>" TAIL);

	cr_assert_eq(file->task_count, 1);
	cr_assert_eq(file->resource_count, 1);
	cr_assert_eq(file->assignment_count, 1);
	cr_expect_str_eq(file->tasks[0].key, "1");
	cr_expect_eq(file->tasks[0].line, 7, "line %ld", file->tasks[0].line);
	cr_expect_str_eq(file->resources[0].key, "7");
	cr_expect_eq(file->resources[0].line, 6, "line %ld", file->resources[0].line);
	cr_expect_str_eq(file->assignments[0].key, "9");
	cr_expect_str_eq(file->assignments[0].task_key, "1");
	cr_expect_str_eq(file->assignments[0].resource_key, "7");
	cr_expect_eq(file->assignments[0].line, 3, "line %ld", file->assignments[0].line);
}

Test(mspdi, a_long_name_is_cut)
{
	struct buf *name = buf_new(mem);
	const char *subject;
	struct projfile *file;

	for (int i = 0; i < SUBJECT_MAX_CHARS; i++)
		buf_puts(name, "ü");
	file = read_parts(mem_printf(mem, "<Task><UID>1</UID><Name>%s</Name></Task>", name->data),
			  "", "");
	subject = vector_str(file->tasks[0].values, FIELD_subject);
	cr_expect_str_eq(subject, name->data);
	cr_expect_eq(file->warning_count, 0);
	file = read_parts(mem_printf(mem, "<Task><UID>1</UID><Name>%sx</Name></Task>", name->data),
			  "", "");
	subject = vector_str(file->tasks[0].values, FIELD_subject);
	cr_expect_eq(text_length(subject), SUBJECT_MAX_CHARS, "%zu", text_length(subject));
	cr_assert_eq(file->warning_count, 1);
	cr_expect(strstr(file->warnings[0], "plan.xml:1: Task 1: Name"), "%s", file->warnings[0]);
}

/* ---- the project ---- */

static const struct {
	const char *inner, *guid, *title, *name;
} project_cases[] = {
	{ "", NULL, NULL, NULL },
	{ "<Name>move.xml</Name><Title> The move </Title>", NULL, "The move", "move" },
	{ "<Name>Move.XML</Name>", NULL, NULL, "Move" },
	{ "<Name>.xml</Name>", NULL, NULL, ".xml" },
	{ "<Name>xml</Name><Title/>", NULL, NULL, "xml" },
	{ "<GUID>9035018B-DAD2-E811-AC3F-4CEDDE6E5B57</GUID>",
	  "9035018B-DAD2-E811-AC3F-4CEDDE6E5B57", NULL, NULL },
	{ "<GUID>00000000-0000-0000-0000-000000000000</GUID>", NULL, NULL, NULL },
	{ "<Calendars><Calendar><Name>Standard</Name></Calendar></Calendars><Name>a</Name>", NULL,
	  NULL, "a" },
};

Test(mspdi, a_project_says)
{
	for (size_t i = 0; i < COUNT_OF(project_cases); i++) {
		const char *text = mem_printf(mem, HEAD "%s" TAIL, project_cases[i].inner);
		struct projfile *file = read_ok(text);

		cr_expect(text_same(file->guid, project_cases[i].guid), "%s\nguid '%s'", text,
			  file->guid);
		cr_expect(text_same(file->title, project_cases[i].title), "%s\ntitle '%s'", text,
			  file->title);
		cr_expect(text_same(file->name, project_cases[i].name), "%s\nname '%s'", text,
			  file->name);
	}
}

static const char *const accepted_roots[] = {
	"<Project/>",
	"<Project></Project>",
	"<Project xmlns=\"http://schemas.microsoft.com/project\"/>",
	"<Project xmlns=\"http://schemas.microsoft.com/project/2007\"/>",
	"<p:Project xmlns:p=\"http://schemas.microsoft.com/project\"/>",
	"\xef\xbb\xbf<?xml version=\"1.0\"?><!-- x --><?pi y?><Project/>",
	"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Project/>",
};

Test(mspdi, these_roots_are_projects)
{
	for (size_t i = 0; i < COUNT_OF(accepted_roots); i++)
		(void)read_ok(accepted_roots[i]);
}

Test(mspdi, a_prefix_is_as_good_as_none)
{
	struct projfile *file = read_ok(
		"<p:Project xmlns:p='http://schemas.microsoft.com/project' xmlns:q='urn:q'>"
		"<p:Title>Right</p:Title><q:Name>not ours</q:Name><Name>nor this</Name>"
		"<p:Tasks><p:Task><p:UID>1</p:UID></p:Task><Task><UID>2</UID></Task></p:Tasks>"
		"</p:Project>");

	cr_expect_str_eq(file->title, "Right");
	cr_expect_null(file->name);
	cr_expect_eq(file->task_count, 1);
}

Test(mspdi, other_encodings)
{
	static const char latin[] = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" HEAD
				    "<Title>M\xfcller</Title>" TAIL;
	static const char plain[] =
		"<?xml version='1.0' encoding='UTF-16'?>" HEAD "<Title>M?ller</Title>" TAIL;
	char wide[2 * sizeof(plain)];
	struct projfile *file = read_ok(latin);
	struct fault *fault;
	size_t len = 0;

	cr_expect_str_eq(file->title, "Müller");
	wide[len++] = '\xff';
	wide[len++] = '\xfe';
	for (size_t i = 0; i + 1 < sizeof(plain); i++) {
		wide[len++] = plain[i] == '?' && plain[i + 1] == 'l' ? '\xfc' : plain[i];
		wide[len++] = '\0';
	}
	fault = mspdi_read(mem, "wide.xml", wide, len, &file);
	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_expect_str_eq(file->title, "Müller");
}

/* ---- what is skipped ---- */

static const struct {
	const char *tasks, *resources, *assignments;
	size_t task_count, resource_count, assignment_count;
	size_t skipped_tasks, skipped_resources, skipped_assignments, warnings;
} skip_cases[] = {
#define A(uid, task, resource)                                                                     \
	"<Assignment><UID>" #uid "</UID><TaskUID>" #task "</TaskUID><ResourceUID>" #resource       \
	"</ResourceUID></Assignment>"
#define R(uid, inner) "<Resource><UID>" #uid "</UID>" inner "</Resource>"
#define T(uid, inner) "<Task><UID>" #uid "</UID>" inner "</Task>"
	{ "", "", "", 0, 0, 0, 0, 0, 0, 0 },
	/* tasks: IsNull and UID 0; nothing else */
	{ T(0, "") T(1, "<IsNull>1</IsNull>") T(2, "<IsNull>0</IsNull>"), "", "", 1, 0, 0, 2, 0, 0,
	  0 },
	{ T(1, "<Active>0</Active>") T(2, "<Summary>1</Summary>") T(3, "<Milestone>1</Milestone>"),
	  "", "", 3, 0, 0, 0, 0, 0, 0 },
	{ "<Task><Name>x</Name></Task><Task><UID>one</UID></Task>", "", "", 0, 0, 0, 2, 0, 0, 3 },
	/* resources: what is no person */
	{ "", R(1, "") R(2, "<Type>1</Type>") R(3, "<Type>0</Type>") R(4, "<Type>2</Type>"), "", 0,
	  2, 0, 0, 2, 0, 0 },
	{ "",
	  R(0, "<Type>1</Type>") R(1, "<IsCostResource>1</IsCostResource>")
		  R(2, "<IsNull>1</IsNull>"),
	  "", 0, 0, 0, 0, 3, 0, 0 },
	{ "", R(1, "<Type>7</Type>") R(2, "<IsGeneric>1</IsGeneric>"), "", 0, 2, 0, 0, 0, 0, 1 },
	/* assignments: of nobody; of what was skipped; of what is unknown */
	{ T(1, ""), R(7, ""), A(1, 1, 0) A(2, 1, -65535) A(3, 1, 7), 1, 1, 1, 0, 0, 2, 0 },
	{ T(0, "") T(1, "<IsNull>1</IsNull>"), R(7, ""), A(1, 0, 7) A(2, 1, 7), 0, 1, 0, 2, 0, 2,
	  0 },
	{ T(1, ""), R(7, "<Type>0</Type>"), A(1, 1, 7), 1, 0, 0, 0, 1, 1, 0 },
	{ T(1, ""), R(7, ""), A(1, 2, 7) A(2, 1, 8) A(3, 3, -65535), 1, 1, 0, 0, 0, 3, 2 },
	{ T(1, ""), R(7, ""), "<Assignment><UID>1</UID><TaskUID>1</TaskUID></Assignment>", 1, 1, 0,
	  0, 0, 1, 1 },
	/* again: the first one counts; another assignment of the same pair stays */
	{ T(1, "<Name>a</Name>") T(1, "<Name>b</Name>"), "", "", 1, 0, 0, 1, 0, 0, 1 },
	{ T(1, "<IsNull>1</IsNull>") T(1, ""), "", "", 1, 0, 0, 1, 0, 0, 0 },
	{ "", R(7, "") R(7, ""), "", 0, 1, 0, 0, 1, 0, 1 },
	{ T(1, ""), R(7, ""), A(1, 1, 7) A(1, 1, 7), 1, 1, 1, 0, 0, 1, 1 },
	{ T(1, ""), R(7, ""), A(1, 1, 7) A(2, 1, 7), 1, 1, 2, 0, 0, 0, 1 },
	{ T(1, ""), R(7, "") R(8, ""), A(1, 1, 8) A(1, 1, 7), 1, 2, 2, 0, 0, 0, 1 },
};

Test(mspdi, what_is_left_out)
{
	for (size_t i = 0; i < COUNT_OF(skip_cases); i++) {
		const char *what = mem_printf(mem, "%s\n%s\n%s", skip_cases[i].tasks,
					      skip_cases[i].resources, skip_cases[i].assignments);
		struct projfile *file = read_parts(skip_cases[i].tasks, skip_cases[i].resources,
						   skip_cases[i].assignments);

		expect_number(what, "tasks", file->task_count, skip_cases[i].task_count);
		expect_number(what, "resources", file->resource_count,
			      skip_cases[i].resource_count);
		expect_number(what, "assignments", file->assignment_count,
			      skip_cases[i].assignment_count);
		expect_number(what, "skipped tasks", file->skipped_tasks,
			      skip_cases[i].skipped_tasks);
		expect_number(what, "skipped resources", file->skipped_resources,
			      skip_cases[i].skipped_resources);
		expect_number(what, "skipped assignments", file->skipped_assignments,
			      skip_cases[i].skipped_assignments);
		expect_number(what, "warnings", file->warning_count, skip_cases[i].warnings);
	}
}

Test(mspdi, a_uid_used_for_two_pairs_is_nobodys_key)
{
	struct projfile *file =
		read_parts(T(1, ""), R(7, "") R(8, ""), A(4, 1, 8) A(4, 1, 7) A(5, 1, 7));

	cr_assert_eq(file->assignment_count, 3);
	cr_expect_str_eq(file->assignments[0].key, "4");
	cr_expect_str_eq(file->assignments[0].resource_key, "8");
	cr_expect_null(file->assignments[1].key);
	cr_expect_str_eq(file->assignments[1].resource_key, "7");
	cr_expect_str_eq(file->assignments[2].key, "5");
}

/* ---- people ---- */

static const struct {
	const char *inner, *name, *email;
	size_t warnings;
} resource_cases[] = {
	{ "", NULL, NULL, 0 },
	{ "<Name> Jörg  Müller </Name>", "Jörg  Müller", NULL, 0 },
	{ "<EmailAddress> Joerg@Example.COM </EmailAddress>", NULL, "joerg@example.com", 0 },
	{ "<EmailAddress></EmailAddress>", NULL, NULL, 0 },
	{ "<EmailAddress>joerg</EmailAddress>", NULL, NULL, 1 },
	{ "<EmailAddress>-x@example.com</EmailAddress>", NULL, NULL, 1 },
	{ "<EmailAddress>a@b/../c</EmailAddress>", NULL, NULL, 1 },
	{ "<EmailAddress>a@example.com, b@example.com</EmailAddress>", NULL, NULL, 1 },
};

Test(mspdi, a_resource_says)
{
	for (size_t i = 0; i < COUNT_OF(resource_cases); i++) {
		const char *text = mem_printf(mem, "<Resource><UID>7</UID>%s</Resource>",
					      resource_cases[i].inner);
		struct projfile *file = read_parts("", text, "");

		cr_assert_eq(file->resource_count, 1, "%s", text);
		cr_expect(text_same(file->resources[0].name, resource_cases[i].name),
			  "%s: name '%s'", text, file->resources[0].name);
		cr_expect(text_same(file->resources[0].email, resource_cases[i].email),
			  "%s: email '%s'", text, file->resources[0].email);
		expect_number(text, "warnings", file->warning_count, resource_cases[i].warnings);
	}
}

/* ---- hierarchy and predecessors ---- */

#define L(uid, level) "<Task><UID>" #uid "</UID><OutlineLevel>" #level "</OutlineLevel></Task>"
#define N(uid, level, number)                                                                      \
	"<Task><UID>" #uid "</UID><OutlineNumber>" number "</OutlineNumber><OutlineLevel>" #level  \
	"</OutlineLevel></Task>"

static const struct {
	const char *tasks;
	const char *parents; /* of each task, "-" for none */
	size_t warnings;
} outline_cases[] = {
	{ L(1, 1) L(2, 2) L(3, 2) L(4, 3) L(5, 1) L(6, 2), "- 1 1 3 - 5", 0 },
	{ L(0, 0) L(1, 1) L(2, 2), "- 1", 0 },
	{ L(1, 1) L(2, 3) L(3, 2), "- 1 1", 0 },
	{ L(9, 2) L(8, 1) L(7, 2), "- - 8", 0 },
	{ L(1, 1) "<Task><UID>2</UID><IsNull>1</IsNull></Task>" L(3, 2), "- 1", 0 },
	{ T(1, "") T(2, ""), "- -", 0 },
	{ T(1, "<OutlineNumber>1</OutlineNumber>") T(2, "<OutlineNumber>1.1</OutlineNumber>"),
	  "- 1", 0 },
	{ N(1, 1, "1") N(2, 2, "1.1") N(3, 2, "1.2") N(4, 1, "2"), "- 1 1 -", 0 },
	{ N(1, 1, "1") N(2, 2, "2.1"), "- 1", 1 },
	{ N(1, 1, "1") N(2, 2, "11"), "- 1", 1 },
	{ L(1, 1) L(2, 2) L(1, 3) L(3, 4), "- 1 1", 1 },
	{ L(1, x) L(2, 99999999999999999999), "- -", 2 },
	{ L(1, -5) L(2, 9223372036854775807), "- 1", 0 },
};

Test(mspdi, parents_come_from_levels)
{
	for (size_t i = 0; i < COUNT_OF(outline_cases); i++) {
		struct projfile *file = read_parts(outline_cases[i].tasks, "", "");
		struct buf *parents = buf_new(mem);

		for (size_t j = 0; j < file->task_count; j++)
			buf_printf(parents, "%s%s", j ? " " : "",
				   file->tasks[j].parent_key ? file->tasks[j].parent_key : "-");
		cr_expect_str_eq(parents->data, outline_cases[i].parents, "%s\nexpected %s, got %s",
				 outline_cases[i].tasks, outline_cases[i].parents, parents->data);
		expect_number(outline_cases[i].tasks, "warnings", file->warning_count,
			      outline_cases[i].warnings);
	}
}

#define P(uid)                                                                                     \
	"<PredecessorLink><PredecessorUID>" #uid "</PredecessorUID><Type>1</Type></"               \
						 "PredecessorLink>"

static const struct {
	const char *links, *expected;
	size_t warnings;
} link_cases[] = {
	{ P(1), "1", 0 },
	{ P(2) P(1), "1\n2", 0 },
	{ P(1) P(1), "1", 0 },
	{ P(99), "-", 1 },
	{ P(99) P(2), "2", 1 },
	{ P(5), "-", 1 },
	{ P(0) P(3), "-", 2 },
	{ P(x), "-", 1 },
	{ "<PredecessorLink/>", "-", 0 },
	{ "<PredecessorUID>1</PredecessorUID>", "-", 0 },
};

Test(mspdi, predecessors_are_keys_of_this_file)
{
	for (size_t i = 0; i < COUNT_OF(link_cases); i++) {
		const char *tasks = mem_printf(
			mem,
			T(0, "") T(1, "") T(3, "<IsNull>1</IsNull>" P(
						       1)) "<Task><UID>5</UID>%s</Task>" T(2, ""),
			link_cases[i].links);
		struct projfile *file = read_parts(tasks, "", "");

		cr_assert_eq(file->task_count, 3, "%s", tasks);
		expect_value(tasks, file->tasks[0].values, FIELD_predecessors, "-");
		expect_value(tasks, file->tasks[1].values, FIELD_predecessors,
			     link_cases[i].expected);
		expect_value(tasks, file->tasks[2].values, FIELD_predecessors, "-");
		expect_number(tasks, "warnings", file->warning_count, link_cases[i].warnings);
	}
}

/* ---- warnings ---- */

Test(mspdi, a_warning_names_line_and_element)
{
	struct projfile *file =
		read_ok(HEAD "\n<Tasks>\n<Task>\n<UID>5</UID>\n<Start>2008-12-04T17:-0:00</Start>\n"
			     "</Task></Tasks>" TAIL);

	cr_assert_eq(file->warning_count, 1);
	cr_expect_str_eq(file->warnings[0],
			 "plan.xml:3: Task 5: Start '2008-12-04T17:-0:00' is no date");
}

Test(mspdi, lines_are_right_beyond_sixteen_bits)
{
	struct buf *text = buf_new(mem);
	struct projfile *file;

	buf_puts(text, HEAD "<Tasks>\n");
	for (int i = 1; i <= 40000; i++)
		buf_printf(text, "<Task>\n<UID>%d</UID></Task>\n", i);
	buf_puts(text, "</Tasks>" TAIL);
	file = read_ok(text->data);
	cr_assert_eq(file->task_count, 40000);
	for (size_t i = 0; i < file->task_count; i++)
		cr_assert_eq(file->tasks[i].line, 2 + 2 * (long)i, "task %zu: line %ld", i,
			     file->tasks[i].line);
}

Test(mspdi, warnings_are_bounded)
{
	struct buf *text = buf_new(mem);
	struct projfile *file;

	for (int i = 1; i <= 3000; i++)
		buf_printf(text, "<Task><UID>%d</UID><Start>never</Start></Task>", i);
	file = read_parts(text->data, "", "");
	cr_assert_eq(file->warning_count, MSPDI_WARNINGS_MAX);
	cr_expect(strstr(file->warnings[MSPDI_WARNINGS_MAX - 2], "Task 999:"), "%s",
		  file->warnings[MSPDI_WARNINGS_MAX - 2]);
	cr_expect_str_eq(file->warnings[MSPDI_WARNINGS_MAX - 1],
			 "plan.xml: and 2001 more warnings");
}

/* ---- samples ---- */

static char *sample_path(const char *name)
{
	return mem_printf(mem, "%s/contrib/samples/%s", TF_SRCDIR, name);
}

static struct projfile *read_sample(const char *name)
{
	struct projfile *file = NULL;
	struct fault *fault = mspdi_read_file(mem, sample_path(name), NULL, NULL, &file);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	return file;
}

static const struct {
	const char *name, *title;
	size_t tasks, resources, assignments, skipped_resources, skipped_assignments;
} samples[] = {
	{ "relocation.xml", "Office relocation", 13, 3, 13, 1, 1 },
	{ "website.xml", "New web site", 12, 3, 10, 0, 0 },
	{ "festival.xml", "Sommerfest am Fluss", 13, 4, 12, 0, 0 },
};

Test(mspdi, samples_are_read_without_a_warning)
{
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct projfile *file = read_sample(samples[i].name);
		const char *name = samples[i].name;

		cr_expect_str_eq(file->title, samples[i].title);
		expect_number(name, "tasks", file->task_count, samples[i].tasks);
		expect_number(name, "resources", file->resource_count, samples[i].resources);
		expect_number(name, "assignments", file->assignment_count, samples[i].assignments);
		expect_number(name, "skipped resources", file->skipped_resources,
			      samples[i].skipped_resources);
		expect_number(name, "skipped assignments", file->skipped_assignments,
			      samples[i].skipped_assignments);
		expect_number(name, "warnings", file->warning_count, 0);
	}
}

Test(mspdi, a_sample_to_the_letter)
{
	struct projfile *file = read_sample("relocation.xml");
	const struct projfile_task *task = &file->tasks[2];
	const struct projfile_assignment *assignment = &file->assignments[1];

	cr_expect_str_eq(task->key, "3");
	cr_expect_str_eq(task->parent_key, "1");
	expect_value("task 3", task->values, FIELD_subject, "Angebote der Speditionen einholen");
	expect_value("task 3", task->values, FIELD_priority, "3");
	expect_value("task 3", task->values, FIELD_deadline, "2026-12-11T16:00:00Z");
	expect_value("task 3", task->values, FIELD_description,
		     "Mindestens drei Angebote; Klavier & Serverschrank nicht vergessen.");
	cr_expect_str_eq(assignment->task_key, "3");
	cr_expect_str_eq(assignment->resource_key, "2");
	expect_value("assignment", assignment->values, FIELD_start, "2026-12-01T07:00:00Z");
	expect_value("assignment", assignment->values, FIELD_due, "2026-12-07T16:00:00Z");
	expect_value("assignment", assignment->values, FIELD_total_work, "1200");
	expect_value("assignment", assignment->values, FIELD_actual_work, "720");
	expect_value("assignment", assignment->values, FIELD_remaining_work, "480");
	expect_value("assignment", assignment->values, FIELD_percent, "60");
	expect_value("assignment", assignment->values, FIELD_status, "in-process");
	expect_value("assignment", assignment->values, FIELD_notes,
		     "Zwei von drei Angeboten liegen vor.");
	expect_value("assignment 1", file->assignments[0].values, FIELD_completed_at,
		     "2026-12-02T16:00:00Z");
	cr_expect_str_eq(file->resources[1].name, "Jörg Müller");
	cr_expect_str_eq(file->resources[1].email, "joerg@example.com");
}

/* ---- files ---- */

struct seen {
	int calls;
	int64_t done, total;
};

static void see_progress(void *data, int64_t done, int64_t total)
{
	struct seen *seen = data;

	cr_expect(done >= seen->done && done <= total);
	seen->calls++;
	seen->done = done;
	seen->total = total;
}

static char *temp_file(const char *text, size_t len)
{
	char *path = mem_strdup(mem, "/tmp/mspdi_test.XXXXXX");
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
	return path;
}

Test(mspdi, a_file_is_read_with_progress)
{
	struct buf *text = buf_new(mem);
	struct seen seen = { .calls = 0 };
	struct projfile *file = NULL;
	struct fault *fault;
	char *path;

	buf_puts(text, HEAD "<Tasks>");
	for (int i = 1; i <= 100000; i++)
		buf_printf(text, "<Task><UID>%d</UID></Task>\n", i);
	buf_puts(text, "</Tasks>" TAIL);
	path = temp_file(text->data, text->len);
	fault = mspdi_read_file(mem, path, see_progress, &seen, &file);
	unlink(path);
	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_expect_eq(file->task_count, 100000);
	cr_expect_eq(seen.calls, 3, "%d calls", seen.calls);
	cr_expect_eq(seen.done, (int64_t)text->len);
	cr_expect_eq(seen.total, (int64_t)text->len);
}

Test(mspdi, what_cannot_be_opened_is_no_input)
{
	static const char *const paths[] = { "/nonexistent/plan.xml", "/tmp", "" };

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct projfile *file = (struct projfile *)mem;
		struct fault *fault = mspdi_read_file(mem, paths[i], NULL, NULL, &file);

		cr_assert_not_null(fault, "%s", paths[i]);
		cr_expect_eq(fault->kind, FAULT_NO_INPUT, "%s: %s", paths[i], fault->text);
		cr_expect(text_starts(fault->text, paths[i]), "%s", fault->text);
		cr_expect_eq(file, (struct projfile *)mem);
	}
}
