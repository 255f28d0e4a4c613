#include "config.h"

#include "conf/conf.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define PRIVATE 0600u
#define SHARED 0644u

/* Lines 1 and 2, lines 3 to 6: what goes behind begins with line 3, or 7. */
#define SITE "[site]\nurl = https://pm.example.com/web\n"
#define SERVER                                                                                     \
	SITE "[server s]\ntype = caldav\nurl = https://dav.example.com/\npassword_file = /p\n"
/* Lines 3 to 5: a server's values begin with line 6. */
#define CALDAV SITE "[server s]\ntype = caldav\nurl = https://d/\n"

/* What conf_report_print() prints, owned by MEM. */
static char *printed(TALLOC_CTX *mem, const struct conf_report *report)
{
	char *text = NULL, *copy;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	conf_report_print(report, out);
	cr_assert_eq(fclose(out), 0);
	copy = mem_strdup(mem, text);
	free(text);
	return copy;
}

static struct conf *parse(TALLOC_CTX *mem, const char *text, size_t len, unsigned mode,
			  struct conf_report **report_r)
{
	struct conf *conf = NULL;
	struct fault *fault = conf_parse(mem, "f", text, len, mode, &conf, report_r);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	cr_expect_eq(!conf, (*report_r)->errors > 0, "a configuration if and only if no error");
	return conf;
}

/* ---- what is taken ---- */

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void dump_password(struct buf *buf, const struct conf_password *p)
{
	buf_printf(buf, "command=%s file=%s credential=%s password=%s\n", or_none(p->command),
		   or_none(p->file), or_none(p->credential),
		   p->password ? secret_reveal(p->password) : "-");
}

static void dump_servers(struct buf *buf, const struct conf *conf)
{
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *s = &conf->servers[i];

		buf_printf(buf,
			   "server %s line=%ld type=%d url=%s login=%s resources=%s deliver=%d "
			   "poll=%" PRId64 " settle=%" PRId64 " starttls=%d tls_ca=%s ",
			   s->name, s->line, (int)s->type, s->url, s->login, or_none(s->resources),
			   (int)s->deliver, s->poll_us, s->settle_us, s->starttls,
			   or_none(s->tls_ca));
		dump_password(buf, &s->password);
	}
	for (size_t i = 0; i < conf->account_count; i++) {
		const struct conf_account *a = &conf->accounts[i];

		buf_printf(buf, "account %s %s line=%ld login=%s ", a->server, a->resource, a->line,
			   or_none(a->login));
		dump_password(buf, &a->password);
	}
}

static void dump_rules(struct buf *buf, const struct conf *conf)
{
	for (size_t i = 0; i < conf->rule_count; i++) {
		const struct conf_rule *r = &conf->rules[i];

		buf_printf(buf, "rule %s line=%ld when=%s@%ld action=%d enabled=%d message=%s",
			   r->name, r->line, or_none(r->when), r->when_line, (int)r->action,
			   r->enabled, or_none(r->message));
		for (size_t k = 0; k < r->set_count; k++)
			buf_printf(buf, " %s=%s@%ld", field_table[r->sets[k].field].name,
				   r->sets[k].expression, r->sets[k].line);
		buf_putc(buf, '\n');
	}
}

/* Everything that a configuration says, in lines. */
static char *dump(TALLOC_CTX *mem, const struct conf *conf)
{
	struct buf *buf = buf_new(mem);

	buf_printf(buf,
		   "site url=%s name=%s timezone=%s day=%" PRId64 " week=%" PRId64
		   " dates=%d folder=%s closed=%s\n",
		   or_none(conf->site.url), or_none(conf->site.name), conf->site.timezone,
		   conf->site.hours_per_day, conf->site.hours_per_week, (int)conf->site.dates,
		   conf->site.folder, or_none(conf->site.closed_until));
	buf_printf(buf, "dsn %s\n", conf->dsn);
	buf_puts(buf, "rights");
	for (enum field_group group = 0; group < GROUPS; group++)
		if (conf->rights.assignee[group])
			buf_printf(buf, " %s", field_group_name(group));
	buf_printf(buf, " on_delete=%d new_items=%d grace=%" PRId64 " brake=%d\n",
		   (int)conf->rights.on_delete, (int)conf->rights.new_items, conf->rights.grace_us,
		   conf->rights.brake_percent);
	buf_printf(buf, "gestures star=%d done=%s folder=%s percent=%d labels=%s\n",
		   (int)conf->gestures.star, or_none(conf->gestures.done),
		   or_none(conf->gestures.done_folder), conf->gestures.percent,
		   or_none(conf->gestures.labels));
	buf_printf(buf, "log %s\ncontrol %s\nweb %s\n", conf->log_level, conf->control_socket,
		   or_none(conf->web_listen));
	dump_servers(buf, conf);
	dump_rules(buf, conf);
	return buf_steal(&buf, mem, NULL);
}

struct value_case {
	const char *text;
	const char *expected; /* a part of the dump */
};

static const struct value_case values[] = {
	/* defaults: hand-copied from the design */
	{ "", "site url=- name=- timezone=UTC day=8 week=40 dates=0 folder=url closed=-\n"
	      "dsn sqlite:/var/lib/taskferry/taskferry.db\n"
	      "rights progress notes files on_delete=1 new_items=0 grace=900000000 brake=20\n"
	      "gestures star=0 done=done $done folder=Done percent=1 labels=-\n"
	      "log info\ncontrol /run/taskferry/control\nweb -\n" },
	{ "[site]\n[store]\n[rights]\n[log]\n[control]\n[web]\n",
	  "site url=- name=- timezone=UTC day=8" },
	{ SERVER, "server s line=3 type=0 url=https://dav.example.com/ login=%{email} resources=- "
		  "deliver=0 "
		  "poll=60000000 settle=5000000 starttls=0 tls_ca=- command=- file=/p credential=- "
		  "password=-\n" },
	/* form */
	{ "\xef\xbb\xbf[log]\nlevel = debug\n", "log debug\n" },
	{ "[log]\r\nlevel = debug\r\n\r\n# x\r\n", "log debug\n" },
	{ "[log]\nlevel=debug", "log debug\n" },
	{ "  [ log ]  \n\t level\t=\t debug \t\n", "log debug\n" },
	{ "# a\n; b\n  # [c]\n[log]\n  ; level = x\nlevel = debug\n", "log debug\n" },
	{ "[log]\nlevel = \"debug\"\n", "log debug\n" },
	{ "[site]\nname = A # B ; C = D\n", " name=A # B ; C = D timezone" },
	{ "[site]\nname = \"  A  \"\n", " name=  A   timezone" },
	{ "[site]\nname = \"say \"\"x\"\"\"\n", " name=say \"x\" timezone" },
	{ "[site]\nname = \"\"\"\"\n", " name=\" timezone" },
	{ "[site]\nname = a \"b\"\n", " name=a \"b\" timezone" },
	{ "[site]\nname = \"A \" \t\n", " name=A  timezone" },
	{ "[site]\nname = Zażółć 日本\n", " name=Zażółć 日本 timezone" },
	/* site */
	{ "[site]\nurl = HTTPS://PM.Example.com:443/Web/\n",
	  "site url=https://pm.example.com/Web name=pm.example.com timezone" },
	{ "[site]\nurl = http://pm:8080/a//\n", "site url=http://pm:8080/a name=pm timezone" },
	{ "[site]\nurl = https://[2001:DB8::1]:80/\n",
	  "site url=https://[2001:db8::1]:80 name=[2001:db8::1] " },
	{ "[site]\nurl = https://pm/\nname = Us\n", "site url=https://pm name=Us timezone" },
	{ "[site]\ntimezone = Europe/Berlin\nhours_per_day = 24\nhours_per_week = 1\ndates = "
	  "time\nfolder = My "
	  "work\n",
	  "timezone=Europe/Berlin day=24 week=1 dates=1 folder=My work closed=-\n" },
	{ "[site]\nclosed_until = 2026-02-28\n", "folder=url closed=2026-02-28\n" },
	{ "[site]\nclosed_until = 1900-01-01\n", "closed=1900-01-01\n" },
	{ "[site]\nclosed_until = 2999-12-31\n", "closed=2999-12-31\n" },
	{ "[store]\ndsn = sqlite:/tmp/x.db\n", "dsn sqlite:/tmp/x.db\n" },
	{ "[store]\ndsn = postgresql://u:p@h/d\n", "dsn postgresql://u:p@h/d\n" },
	/* servers */
	{ SITE "[server a]\ntype = imap\nurl = imap://127.0.0.1:143/\nlogin = %{local}\npassword = "
	       "a;b # c\n"
	       "resources = *@x.org, ana\ndeliver = all\npoll = 1d\nsettle = 500ms\nstarttls = "
	       "yes\ntls_ca = /c\n",
	  "server a line=3 type=1 url=imap://127.0.0.1:143/ login=%{local} resources=*@x.org, ana "
	  "deliver=1 "
	  "poll=86400000000 settle=500000 starttls=1 tls_ca=/c command=- file=- credential=- "
	  "password=a;b # c\n" },
	{ SITE "[server a]\ntype = caldav\nurl = http://localhost:5232/\npassword_command = pass "
	       "'my show' %{key}\n",
	  "url=http://localhost:5232/ login=%{email} resources=- deliver=0 poll=60000000 "
	  "settle=5000000 starttls=0 "
	  "tls_ca=- command=pass 'my show' %{key} file=" },
	{ SITE "[server a]\ntype = caldav\nurl = http://127.9.9.9/\ncredential = dav.pw@x\n",
	  "credential=dav.pw@x " },
	{ SITE "[server a]\ntype = caldav\nurl = http://[::1]:80/\npassword_file = /p/%{key}\n",
	  "file=/p/%{key} " },
	{ SITE "[server a]\ntype = memory\nurl = memory:/tmp/m\n",
	  "server a line=3 type=2 url=memory:/tmp/m " },
	{ SITE "[server a]\ntype = memory\nurl = memory:/tmp/m\nlogin = x\n",
	  "url=memory:/tmp/m login=x " },
	{ SERVER "login = %{email}*m\nresources = *\n", "login=%{email}*m resources=* " },
	{ SERVER "login = shared\nresources = ana@x.org\n", "login=shared resources=ana@x.org " },
	{ SERVER "settle = 0s\n", " settle=0 " },
	{ SITE "[account s ana]\ncredential = c\n[server s]\ntype = caldav\nurl = https://d/\n",
	  "account s ana line=3 login=- command=- file=- credential=c password=-\n" },
	{ SERVER "[account s Ben@X.org]\nlogin = ben\n[account s ana@x.org]\n",
	  "account s ana@x.org line=9 login=- command=- file=- credential=- password=-\n"
	  "account s ben@x.org line=7 login=ben command=- file=- credential=- password=-\n" },
	/* rights, the rest */
	{ "[rights]\nassignee = plan notes,files\non_delete = restore\nnew_items = accept\ngrace = "
	  "15m\nbrake = 100%\n",
	  "rights plan notes files on_delete=0 new_items=1 grace=900000000 brake=100\n" },
	{ "[rights]\nassignee = none\non_delete = ignore\nnew_items = ignore\ngrace = 30d\nbrake = "
	  "0%\n",
	  "rights on_delete=2 new_items=2 grace=2592000000000 brake=0\n" },
	{ "[gestures]\nstar = ignore\ndone = none\ndone_folder = none\npercent = no\nlabels = "
	  "$label4=started, x=y=40\n",
	  "gestures star=1 done=- folder=- percent=0 labels=$label4=started x=y=40\n" },
	{ "[gestures]\ndone = fertig  $Done,erledigt\ndone_folder = Schon fertig\n",
	  "gestures star=0 done=fertig $Done erledigt folder=Schon fertig percent=1 labels=-\n" },
	{ "[log]\nlevel = error\n[control]\nsocket = /c\n[web]\nlisten = [::1]:80\n",
	  "log error\ncontrol /c\nweb [::1]:80\n" },
	{ "[web]\nlisten = localhost:8463\n", "web localhost:8463\n" },
	/* rules */
	{ "[rule no-overrun]\nwhen = new.actual_work > 1.5 * new.total_work\naction = correct\n"
	  "set.actual_work = CAST(1.5 * new.total_work AS INTEGER)\nset.percent = \"50\"\nmessage "
	  "= Too much; ask.\n",
	  "rule no-overrun line=1 when=new.actual_work > 1.5 * new.total_work@2 action=0 enabled=1 "
	  "message=Too "
	  "much; ask. actual_work=CAST(1.5 * new.total_work AS INTEGER)@4 percent=50@5\n" },
	{ "[rule b]\naction = warn\nmessage = m\nwhen = a = b\nenabled = no\n[rule a]\naction = "
	  "hold\nmessage = n\n"
	  "when = 1\n[rule c]\naction = reject\nmessage = n\nwhen = 1\n",
	  "rule b line=1 when=a = b@4 action=3 enabled=0 message=m\nrule a line=6 when=1@9 "
	  "action=2 enabled=1 "
	  "message=n\nrule c line=10 when=1@13 action=1 enabled=1 message=n\n" },
	{ "[rule percent-range]\nenabled = no\n[rule done-agrees]\nenabled = yes\n[rule "
	  "due-after-start]\nenabled = no\n"
	  "[rule work-not-negative]\nenabled = no\n",
	  "rule percent-range line=1 when=-@0 action=0 enabled=0 message=-\nrule done-agrees "
	  "line=3 when=-@0 "
	  "action=0 enabled=1 message=-\n" },
	/* the built-in rules come in the same form */
	{ "[rule due-after-start]\nwhen = new.due < new.start\naction = reject\nmessage = m\n",
	  "rule due-after-start line=1 when=new.due < new.start@2 action=1 enabled=1 message=m\n" },
};

Test(conf, values)
{
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct conf_report *report = NULL;
		struct conf *conf =
			parse(mem, values[i].text, strlen(values[i].text), PRIVATE, &report);
		const char *actual = conf ? dump(mem, conf) : "";

		cr_expect_eq(report->count, 0, "input:\n%s\nunexpected:\n%s", values[i].text,
			     printed(mem, report));
		cr_expect(strstr(actual, values[i].expected) != NULL,
			  "input:\n%s\nexpected:\n%s\nactual:\n%s", values[i].text,
			  values[i].expected, actual);
		talloc_free(mem);
	}
}

/* ---- bounds ---- */

Test(conf, long_lines)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *value = MEM_ARRAY(mem, char, CONF_LINE_MAX + 1);
	struct conf_report *report = NULL;
	struct conf *conf;
	char *text;

	memset(value, 'x', CONF_LINE_MAX - strlen("name = "));
	text = mem_printf(mem, "[site]\nname = %s\n[log]\nlevel = debug\n", value);
	conf = parse(mem, text, strlen(text), SHARED, &report);
	cr_assert_not_null(conf);
	cr_expect_eq(strlen(conf->site.name), CONF_LINE_MAX - strlen("name = "));

	text = mem_printf(mem, "[site]\nname = %sx\n[log]\nlevel = debu\n", value);
	cr_expect_null(parse(mem, text, strlen(text), SHARED, &report));
	cr_expect_str_eq(printed(mem, report),
			 "f:2: error: line longer than 65536 bytes\n"
			 "f:4: error: 'level' is error | warning | info | debug, not 'debu'; "
			 "did you mean 'debug'?\n");
	talloc_free(mem);
}

/* Warnings stop nothing, however many; an error behind them still counts. */
Test(conf, many_warnings)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);
	struct conf_report *report = NULL;
	struct conf *conf;

	for (int i = 0; i < 300; i++)
		buf_printf(text, "[rule r%d]\nwhen = 1\naction = warn\n", i);
	conf = parse(mem, text->data, text->len, SHARED, &report);
	cr_assert_not_null(conf);
	cr_expect_eq(conf->rule_count, 300);
	cr_expect_eq(report->count, CONF_FINDINGS_MAX + 1);
	cr_expect(report->findings[0].warning);

	buf_puts(text, "action = warn\n");
	cr_expect_null(parse(mem, text->data, text->len, SHARED, &report));
	buf_puts(text, "[rule last]\nwhen = 1\n");
	cr_expect_null(parse(mem, text->data, text->len, SHARED, &report));
	talloc_free(mem);
}

Test(conf, servers_are_bounded)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);
	struct conf_report *report = NULL;
	struct conf *conf;

	buf_puts(text, SITE);
	for (int i = 0; i < CONF_SERVERS_MAX; i++)
		buf_printf(text, "[server s%d]\ntype=memory\nurl=memory:/%d\n", i, i);
	conf = parse(mem, text->data, text->len, SHARED, &report);
	cr_assert_not_null(conf);
	cr_expect_eq(conf->server_count, CONF_SERVERS_MAX);
	cr_expect_str_eq(conf_server_find(conf, "s999")->url, "memory:/999");

	buf_puts(text, "[server more]\ntype=memory\nurl=memory:/x\n");
	cr_expect_null(parse(mem, text->data, text->len, SHARED, &report));
	cr_expect_str_eq(printed(mem, report), "f:3003: error: more than 1000 servers\n");
	talloc_free(mem);
}

/* A line that grows the file by one character each: no cut may crash, leak, or miss that it is not
 * the whole. */
Test(conf, every_prefix)
{
	static const char text[] =
		"\xef\xbb\xbf" SERVER "# ę\r\nlogin = \"a\"\"%{key}\"\r\n[account s ana]\n"
		"password = x\n[rule r]\nwhen = 1\naction = correct\nset.percent = 1\n";

	for (size_t len = 0; len < sizeof text; len++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct conf_report *report = NULL;
		struct conf *conf = parse(mem, text, len, PRIVATE, &report);

		cr_expect(conf || report->errors, "%zu bytes", len);
		talloc_free(mem);
	}
}

static void expect_fault(struct fault *fault, enum fault_kind kind, const char *text)
{
	cr_assert_not_null(fault, "expected: %s", text);
	cr_expect_eq(fault->kind, kind, "expected %s, actual %s", fault_kind_name(kind),
		     fault_kind_name(fault->kind));
	cr_expect_str_eq(fault->text, text);
}

Test(conf, faults_of_a_text)
{
	static const char nul[] = "[site]\nname = a\0b\n";
	TALLOC_CTX *mem = talloc_new(NULL);
	char *large = MEM_ARRAY(mem, char, CONF_FILE_MAX + 1);
	struct conf *conf = (struct conf *)mem;
	struct conf_report *report = (struct conf_report *)mem;

	expect_fault(conf_parse(mem, "f", nul, sizeof nul - 1, SHARED, &conf, &report),
		     FAULT_CONFIG, "f:2: a NUL byte: this is no text file");
	memset(large, '\n', CONF_FILE_MAX + 1);
	expect_fault(conf_parse(mem, "f", large, CONF_FILE_MAX + 1, SHARED, &conf, &report),
		     FAULT_CONFIG, "f: larger than 1048576 bytes");
	cr_expect_eq((void *)conf, (void *)mem, "untouched on failure");
	cr_expect_eq((void *)report, (void *)mem, "untouched on failure");
	cr_expect_null(conf_parse(mem, "f", large, CONF_FILE_MAX, SHARED, &conf, &report));
	cr_expect_null(conf_parse(mem, "f", NULL, 0, SHARED, &conf, &report));
	cr_expect_not_null(conf);
	talloc_free(mem);
}

/* ---- files ---- */

static char *write_file(TALLOC_CTX *mem, const char *dir, const char *text, mode_t mode)
{
	char *path = mem_printf(mem, "%s/f.ini", dir);
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, mode), 0);
	return path;
}

Test(conf, read)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char dir[] = "/tmp/conf_test.XXXXXX";
	struct conf_report *report = NULL;
	struct conf *conf = NULL;
	char *path;

	cr_assert_not_null(mkdtemp(dir));
	path = write_file(mem, dir, CALDAV "password = x\n", 0600);
	cr_expect_null(conf_read(mem, path, &conf, &report));
	cr_assert_not_null(conf);
	cr_expect_str_eq(conf->path, path);
	cr_expect_str_eq(secret_reveal(conf->servers[0].password.password), "x");

	cr_assert_eq(chmod(path, 0604), 0);
	cr_expect_null(conf_read(mem, path, &conf, &report));
	cr_expect_null(conf);
	cr_expect_str_eq(printed(mem, report), mem_printf(mem,
							  "%s:6: error: 'password' has a password "
							  "in it, and group or others can read "
							  "this file (mode 0604): use chmod 600 on "
							  "it, or another source of the password\n",
							  path));
	cr_assert_eq(unlink(path), 0);
	expect_fault(conf_read(mem, path, &conf, &report), FAULT_NO_INPUT,
		     mem_printf(mem,
				"%s: No such file or directory; write the configuration there, or "
				"name it by -c or TASKFERRY_CONFIG",
				path));
	expect_fault(conf_read(mem, dir, &conf, &report), FAULT_NO_INPUT,
		     mem_printf(mem, "%s: not a file", dir));
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_fault(conf_read(mem, path, &conf, &report), FAULT_NO_INPUT,
		     mem_printf(mem, "%s: not a file", path));
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rmdir(dir), 0);
	talloc_free(mem);
}

Test(conf, read_without_permission)
{
	char dir[] = "/tmp/conf_test.XXXXXX";
	struct conf_report *report = NULL;
	struct conf *conf = NULL;
	TALLOC_CTX *mem;
	char *path;

	if (!geteuid())
		cr_skip_test("the superuser may read every file");
	mem = talloc_new(NULL);
	cr_assert_not_null(mkdtemp(dir));
	path = write_file(mem, dir, "", 0);
	expect_fault(conf_read(mem, path, &conf, &report), FAULT_NOT_PERMITTED,
		     mem_printf(mem, "%s: Permission denied", path));
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rmdir(dir), 0);
	talloc_free(mem);
}

/* ---- look-ups ---- */

static const char people[] =
	SITE "[server open]\ntype = caldav\nurl = https://a/\npassword_file = /p\n"
	     "[server some]\ntype = caldav\nurl = https://b/\npassword_file = /p\nresources = "
	     "*@X.org, b?n\n"
	     "[server named]\ntype = caldav\nurl = https://c/\n"
	     "[server sand]\ntype = memory\nurl = memory:/x\n"
	     "[account some cleo@y.org]\n"
	     "[account named ana@x.org]\ncredential = c\n"
	     "[account named Dan@X.org]\ncredential = c\n";

Test(conf, who_has_an_account)
{
	static const struct {
		const char *server, *key, *email;
		bool expected;
	} cases[] = {
		{ "open", "ana@x.org", "ana@x.org", true },
		{ "open", "nobody", NULL, true },
		{ "some", "ana@x.org", "ana@x.org", true },
		{ "some", "ben", NULL, true },
		{ "some", "benn", NULL, false },
		{ "some", "eva", "eva@x.org", true },
		{ "some", "eva@y.org", "eva@y.org", false },
		{ "some", "cleo@y.org", "cleo@y.org", true },
		{ "named", "ana@x.org", "ana@x.org", true },
		{ "named", "dan@x.org", NULL, true },
		{ "named", "ben@x.org", "ben@x.org", false },
		{ "sand", "ana@x.org", NULL, true },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf_report *report = NULL;
	struct conf *conf = parse(mem, people, strlen(people), PRIVATE, &report);

	cr_assert_not_null(conf, "%s", printed(mem, report));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct conf_server *server = conf_server_find(conf, cases[i].server);

		cr_assert_not_null(server);
		cr_expect_eq(conf_server_has(conf, server, cases[i].key, cases[i].email),
			     cases[i].expected, "%s on %s: expected %d", cases[i].key,
			     cases[i].server, cases[i].expected);
	}
	talloc_free(mem);
}

Test(conf, find)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf_report *report = NULL;
	struct conf *conf = parse(mem, people, strlen(people), PRIVATE, &report);

	cr_assert_not_null(conf);
	cr_expect_eq(conf_server_find(conf, "some"), &conf->servers[1]);
	cr_expect_null(conf_server_find(conf, "Some"));
	cr_expect_null(conf_server_find(conf, ""));
	cr_assert_not_null(conf_account_find(conf, "named", "dan@x.org"));
	cr_expect_str_eq(conf_account_find(conf, "named", "DAN@x.org")->password.credential, "c");
	cr_expect_null(conf_account_find(conf, "named", "cleo@y.org"));
	cr_expect_null(conf_account_find(conf, "open", "dan@x.org"));
	talloc_free(mem);
}
