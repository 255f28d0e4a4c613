/* What is refused or warned of, to the letter. */
#include "config.h"

#include "conf/conf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

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

/* ---- what is refused or warned of: exact findings ---- */

struct finding_case {
	const char *text;
	const char *expected; /* the whole report */
};

static void expect_findings(const struct finding_case *cases, size_t count, unsigned mode)
{
	for (size_t i = 0; i < count; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct conf_report *report = NULL;
		const char *actual;

		(void)parse(mem, cases[i].text, strlen(cases[i].text), mode, &report);
		actual = printed(mem, report);
		cr_expect_str_eq(actual, cases[i].expected,
				 "input:\n%s\nexpected:\n%s\nactual:\n%s", cases[i].text,
				 cases[i].expected, actual);
		talloc_free(mem);
	}
}

Test(conf_findings, findings_of_form)
{
	static const struct finding_case cases[] = {
		{ "url = x\n",
		  "f:1: error: key before any section: begin with [site] or another section\n" },
		{ "[site\nname = a\n",
		  "f:1: error: unterminated section header: ']' is missing\n" },
		{ "[site] # here\n",
		  "f:1: error: text after ']': a comment needs a line of its own\n" },
		{ "\n[ ]\n",
		  "f:2: error: section header without a name: write, for example, [site]\n" },
		{ "[]", "f:1: error: section header without a name: write, for example, [site]\n" },
		{ "[log]\nlevel\n", "f:2: error: no '=' in this line: write KEY = VALUE; a comment "
				    "begins with '#' or ';'\n" },
		{ "[log]\n = info\n", "f:2: error: no key before '='\n" },
		{ "[log]\nlevel =\n", "f:2: error: 'level' has no value\n" },
		{ "[log]\nlevel = \"\"\n", "f:2: error: 'level' has no value\n" },
		{ "[site]\nname = \"A\n", "f:2: error: the closing '\"' is missing\n" },
		{ "[site]\nname = \"\n", "f:2: error: the closing '\"' is missing\n" },
		{ "[site]\nname = \"A\"\"\n", "f:2: error: the closing '\"' is missing\n" },
		{ "[site]\nname = \"A\" B\n", "f:2: error: text after the closing '\"': a quote "
					      "inside of quotes is written twice\n" },
		{ "[site]\nname = caf\xe9\n",
		  "f:2: error: this line is not UTF-8: save the file in that encoding\n" },
		{ "# caf\xe9\n[log]\nlevel = info\n",
		  "f:1: error: this line is not UTF-8: save the file in that encoding\n" },
		{ "[site]\nname = a\x1b[1m\n",
		  "f:2: error: control character 0x1b in this line\n" },
		{ "[site]\nname = a\rb\n", "f:2: error: control character 0x0d in this line\n" },
		{ "[site]\nname = a\x7f\n", "f:2: error: control character 0x7f in this line\n" },
		/* UTF-16 without zero bytes, a BOM in the middle */
		{ "\xff\xfe[",
		  "f:1: error: this line is not UTF-8: save the file in that encoding\n" },
		{ "[log]\n\xef\xbb\xbflevel = info\n",
		  "f:2: error: unknown key '\xef\xbb\xbflevel' in [log]; there are level\n" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

Test(conf_findings, findings_of_sections_and_keys)
{
	static const struct finding_case cases[] = {
		{ "[sit]\n", "f:1: error: unknown section [sit]; did you mean [site]?\n" },
		{ "[Site]\nurl = x\n",
		  "f:1: error: unknown section [Site]; did you mean [site]?\n" },
		{ "[srver x]\n",
		  "f:1: error: unknown section [srver]; did you mean [server NAME]?\n" },
		{ "[general]\n", "f:1: error: unknown section [general]; there are site, store, "
				 "server, account, rights, gestures, rule, replies, "
				 "log, control and web\n" },
		{ "[site main]\n", "f:1: error: bad section header: write [site]\n" },
		{ "[server]\n", "f:1: error: bad section header: write [server NAME]\n" },
		{ "[server a b]\n", "f:1: error: bad section header: write [server NAME]\n" },
		{ "[account s]\n", "f:1: error: bad section header: write [account SERVER KEY]\n" },
		{ "[account s a b c d]\n",
		  "f:1: error: bad section header: write [account SERVER KEY]\n" },
		{ "[rule]\n", "f:1: error: bad section header: write [rule NAME]\n" },
		{ "[log]\n[site]\n[log]\n[log]\n",
		  "f:3: error: section [log] was already given in line 1\n"
		  "f:4: error: section [log] was already given in line 1\n" },
		{ "[rule a]\nenabled = x\n[rule a]\nenabled = x\n",
		  "f:1: error: there is no built-in rule 'a'; a rule of your own needs when, "
		  "action and message\n"
		  "f:2: error: 'enabled' is yes | no, not 'x'\n"
		  "f:3: error: section [rule a] was already given in line 1\n"
		  "f:4: error: 'enabled' is yes | no, not 'x'\n" },
		{ SERVER "[server s]\nsettle = 1s\n",
		  "f:7: error: section [server s] was already given in line 3\n" },
		{ SERVER "[account s Ana@x.org]\n[account s ana@x.org]\n",
		  "f:8: error: section [account s ana@x.org] was already given in line 7\n" },
		{ "[site]\nname = a\n\nname = b\n",
		  "f:4: error: key 'name' was already given in line 2\n" },
		{ "[site]\nulr = https://x\n",
		  "f:2: error: unknown key 'ulr' in [site]; did you mean 'url'?\n" },
		{ "[site]\nURL = https://x\n",
		  "f:2: error: unknown key 'URL' in [site]; there are "
		  "url, name, timezone, hours_per_day, "
		  "hours_per_week, dates, folder, closed_until, file_max\n" },
		{ "[site]\npoll = 3s\n",
		  "f:2: error: unknown key 'poll' in [site]; it belongs into [server NAME]\n" },
		{ "[log]\nset.percent = 3\n",
		  "f:2: error: unknown key 'set.percent' in [log]; it belongs into [rule NAME]\n" },
		{ "[store]\npath = /x\n",
		  "f:2: error: unknown key 'path' in [store]; there are dsn\n" },
		/* What was meant is not called missing as well. */
		{ SITE "[server s]\ntpye = imap\nurl = imaps://h\n",
		  "f:4: error: unknown key 'tpye' in [server s]; did you mean 'type'?\n" },
		/* Nor what may stand in a line that cannot be read. */
		{ SITE "[server s]\ntype = caldav\nurl = https://d/\npassword_file = /\xff\n",
		  "f:6: error: this line is not UTF-8: save the file in that encoding\n" },
		{ SITE "[server a/b]\ntype = memory\nurl = memory:/x\n",
		  "f:3: error: bad name 'a/b': use at most 64 letters, digits, '.', '_' and '-', "
		  "beginning with "
		  "a letter or digit\n" },
		{ SITE "[server -a]\ntype = memory\nurl = memory:/x\n",
		  "f:3: error: bad name '-a': use at most 64 letters, digits, '.', '_' and '-', "
		  "beginning with "
		  "a letter or digit\n" },
		{ SERVER "[account s ../x]\n", "f:7: error: bad resource key '../x': it is an "
					       "e-mail address, or letters, digits and '-'\n" },
		{ SERVER "[account t ana@x.org]\n",
		  "f:7: error: there is no [server t]; did you mean 's'?\n" },
		{ SERVER "[account calendars ana@x.org]\n",
		  "f:7: error: there is no [server calendars]\n" },
		/* Form comes first: all findings at once, in order of line. */
		{ "[log]\nlevel = loud\nx\n[web\n[control]\nsocket = c\n",
		  "f:2: error: 'level' is error | warning | info | debug, not 'loud'\n"
		  "f:3: error: no '=' in this line: write KEY = VALUE; a comment begins with '#' "
		  "or ';'\n"
		  "f:4: error: unterminated section header: ']' is missing\n"
		  "f:6: error: 'socket' must be an absolute path: it begins with '/'\n" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

static const struct finding_case value_cases[] = {
	{ "[site]\ndates = dya\n",
	  "f:2: error: 'dates' is day | time, not 'dya'; did you mean 'day'?\n" },
	{ "[site]\ndates = Day\n",
	  "f:2: error: 'dates' is day | time, not 'Day'; did you mean 'day'?\n" },
	{ "[rights]\non_delete = remove\n",
	  "f:2: error: 'on_delete' is restore | decline | ignore, not 'remove'\n" },
	{ "[gestures]\nstar = start\n",
	  "f:2: error: 'star' is started | ignore, not 'start'; did you mean 'started'?\n" },
	{ "[gestures]\ndone = a(b\n",
	  "f:2: error: 'done' is a list of tags as mail servers keep them: printable ASCII "
	  "without blanks, brackets, quotes, %, * and \\\n" },
	{ "[gestures]\ndone_folder = Done/2026\n",
	  "f:2: error: 'done_folder' is the name of one folder, without / . % * \\ and quotes, "
	  "of at most 60 bytes\n" },
	{ "[gestures]\nlabels = $label1=started $label2=101\n",
	  "f:2: error: 'labels' is a list of KEYWORD=started, KEYWORD=done or KEYWORD=PERCENT, "
	  "for example $label4=started\n" },
	{ "[rights]\nnew_items = proposed\n",
	  "f:2: error: 'new_items' is propose | accept | ignore, not 'proposed'; did you "
	  "mean 'propose'?\n" },
	{ "[rights]\ngrace = 15\n",
	  "f:2: error: 'grace' must be a number with ms, s, m, h or d, for example 15m\n" },
	{ "[rights]\ngrace = 15 m\n",
	  "f:2: error: 'grace' must be a number with ms, s, m, h or d, for example 15m\n" },
	{ "[rights]\ngrace = -1m\n",
	  "f:2: error: 'grace' must be a number with ms, s, m, h or d, for example 15m\n" },
	{ "[rights]\ngrace = 1h30m\n",
	  "f:2: error: 'grace' must be a number with ms, s, m, h or d, for example 15m\n" },
	{ "[rights]\ngrace = 31d\n", "f:2: error: 'grace' must lie between 0s and 30d\n" },
	{ "[rights]\ngrace = 99999999999999999999d\n",
	  "f:2: error: 'grace' must lie between 0s and 30d\n" },
	{ SERVER "poll = 999ms\n", "f:7: error: 'poll' must lie between 1s and 1d\n" },
	{ SERVER "settle = 61m\n", "f:7: error: 'settle' must lie between 0s and 1h\n" },
	{ "[rights]\nbrake = 20\n",
	  "f:2: error: 'brake' must be a share from 0% to 100%, for example 20%\n" },
	{ "[rights]\nbrake = 101%\n",
	  "f:2: error: 'brake' must be a share from 0% to 100%, for example 20%\n" },
	{ "[rights]\nbrake = %\n",
	  "f:2: error: 'brake' must be a share from 0% to 100%, for example 20%\n" },
	{ "[site]\nhours_per_day = 7.5\n", "f:2: error: 'hours_per_day' must be a whole "
					   "number from 1 to 24, for example 8\n" },
	{ "[site]\nhours_per_week = 169\n", "f:2: error: 'hours_per_week' must be a whole "
					    "number from 1 to 168, for example 40\n" },
	{ "[site]\nhours_per_day = 0\n", "f:2: error: 'hours_per_day' must be a whole "
					 "number from 1 to 24, for example 8\n" },
	{ "[site]\ntimezone = Europe/Berln\n",
	  "f:2: error: 'timezone' is no time zone of this system: 'Europe/Berln'; names "
	  "are like "
	  "Europe/Berlin\n" },
	{ "[site]\ntimezone = ../../etc/passwd\n",
	  "f:2: error: 'timezone' is no time zone of this system: '../../etc/passwd'; "
	  "names are like "
	  "Europe/Berlin\n" },
	{ "[site]\nclosed_until = yesterday\n",
	  "f:2: error: 'closed_until' must be a day such as 2026-11-21\n" },
	{ "[site]\nclosed_until = 2026-2-28\n",
	  "f:2: error: 'closed_until' must be a day such as 2026-11-21\n" },
	{ "[site]\nclosed_until = 2026-02-29\n",
	  "f:2: error: 'closed_until' must be a day such as 2026-11-21\n" },
	{ "[site]\nclosed_until = 2026-02-28T00:00:00Z\n",
	  "f:2: error: 'closed_until' must be a day such as 2026-11-21\n" },
	{ "[site]\nclosed_until = 1899-12-31\n",
	  "f:2: error: 'closed_until' must be a day such as 2026-11-21\n" },
	{ "[site]\nclosed_until = 3000-01-01\n",
	  "f:2: error: 'closed_until' must be a day such as 2026-11-21\n" },
	{ "[store]\ndsn = sqlite:taskferry.db\n",
	  "f:2: error: 'dsn' needs an absolute path: write sqlite:/PATH\n" },
	{ "[store]\ndsn = mysql://h/d\n",
	  "f:2: error: 'dsn' must be sqlite:/PATH or postgresql://USER@HOST/NAME\n" },
	{ "[control]\nsocket = run/control\n",
	  "f:2: error: 'socket' must be an absolute path: it begins with '/'\n" },
	{ "[control]\nsocket = "
	  "/123456789/123456789/123456789/123456789/123456789/123456789/123456789"
	  "/123456789/123456789/123456789/1234567\n",
	  "f:2: error: 'socket' is too long for a socket: at most 107 bytes\n" },
	{ "[rights]\nassignee = notes, progres\n",
	  "f:2: error: 'assignee' has no group 'progres'; did you mean 'progress'?\n" },
	{ "[rights]\nassignee = everything\n",
	  "f:2: error: 'assignee' has no group 'everything'; there are plan | progress | "
	  "notes | files "
	  "| custom | none\n" },
	{ "[rights]\nassignee = none, notes\n",
	  "f:2: error: 'assignee' has no group 'none'; did you mean 'notes'?\n" },
	{ "[rights]\nassignee = client\n",
	  "f:2: warning: 'assignee': the group 'client' never enters the project, with or "
	  "without this\n" },
	{ "[web]\nlisten = 8463\n", "f:2: error: 'listen' must be ADDRESS:PORT, for "
				    "example 127.0.0.1:8463 or [::1]:8463\n" },
	{ "[web]\nlisten = pm.example.com:80\n",
	  "f:2: error: 'listen' must be ADDRESS:PORT, for example 127.0.0.1:8463 or "
	  "[::1]:8463\n" },
	{ "[web]\nlisten = 127.0.0.1:65536\n",
	  "f:2: error: 'listen' must be ADDRESS:PORT, for example 127.0.0.1:8463 or "
	  "[::1]:8463\n" },
	{ "[web]\nlisten = ::1:80\n", "f:2: error: 'listen' must be ADDRESS:PORT, for "
				      "example 127.0.0.1:8463 or [::1]:8463\n" },
	{ "[web]\nlisten = 0.0.0.0:80\n", "f:2: warning: 'listen' is not loopback, and the "
					  "pages have no TLS: put a proxy before them\n" },
};

Test(conf_findings, findings_of_values)
{
	expect_findings(value_cases, COUNT_OF(value_cases), SHARED);
}

#define DAV_SERVER SITE "[server s]\ntype = caldav\npassword_file = /p\n"

Test(conf_findings, findings_of_names_and_homes)
{
	static const struct finding_case cases[] = {
		{ DAV_SERVER "url = dav.example.com\n", "" },
		{ DAV_SERVER "url = ana@example.com\n", "" },
		{ DAV_SERVER "url = %{email}\nresources = *@example.com, bo\n", "" },
		{ SITE
		  "[server s]\ntype = caldav\nurl = %{email}\n[account s a@x.org]\npassword_file "
		  "= /p\n",
		  "" },
		{ DAV_SERVER "url = %{local}\n",
		  "f:6: error: 'url' is no URL that can be used: it must begin with a scheme such "
		  "as https://\n" },
		{ DAV_SERVER "url = dav.example.com:8443\n",
		  "f:6: error: 'url' is no URL that can be used: it must begin with a scheme such "
		  "as https://\n" },
		{ SITE "[server s]\ntype = imap\nurl = mail.example.com\npassword_file = /p\n",
		  "f:5: error: 'url' of a server of type imap begins with imaps:// or imap://; "
		  "only "
		  "a caldav server is found by a name\n" },
#define GOES_ANYWHERE                                                                              \
	"f:6: error: 'url' = %{email} goes to the domain of any address that is imported, with a " \
	"password: 'resources' must name the domains, as in *@example.com\n"
		{ DAV_SERVER "url = %{email}\n", GOES_ANYWHERE },
		{ DAV_SERVER "url = %{email}\nresources = *\n", GOES_ANYWHERE },
		{ DAV_SERVER "url = %{email}\nresources = a@x.org, *@*.org\n", GOES_ANYWHERE },
		{ DAV_SERVER "url = https://h/\nlogin = tf\nhome = /c/%{local}/\nresources = *\n",
		  "" },
		{ DAV_SERVER "url = https://h/\nhome = /c/%{local}/\n", "" },
#define NOT_EVERYBODY                                                                              \
	"f:7: error: 'login' writes into others' calendars: 'resources' must say who has an "      \
	"account here\n"
		{ DAV_SERVER "url = https://h/\nlogin = tf\nhome = /c/%{local}/\n", NOT_EVERYBODY },
		{ DAV_SERVER "url = https://h/\nlogin = tf\nprincipal_search = yes\n",
		  NOT_EVERYBODY },
		{ DAV_SERVER "url = https://h/\nhome = c/%{local}\n",
		  "f:7: error: 'home' must be an absolute path: it begins with '/'\n" },
		{ DAV_SERVER "url = https://h/\nhome = /c/%{login}/\n",
		  "f:7: error: 'home' is no template: unknown name %{login}; there are %{email}, "
		  "%{local}, %{name}, %{key}\n" },
		{ DAV_SERVER "url = https://h/\nhome = /c/\n",
		  "f:7: warning: 'home' is the same for everybody, and a calendar home belongs to "
		  "one person: write a name such as %{local} into it\n" },
		{ DAV_SERVER "url = https://h/\nhome = /c/%{key}/\nprincipal_search = yes\n",
		  "f:8: error: 'principal_search': there is a 'home' in line 7 already, and one "
		  "way "
		  "is enough\n" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://h\npassword_file = /p\n"
		       "principal_search = yes\n",
		  "f:7: error: 'principal_search' is for servers of type caldav\n" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

Test(conf_findings, findings_of_urls)
{
	static const struct finding_case cases[] = {
		{ "[site]\nurl = pm.example.com\n",
		  "f:2: error: 'url' is no URL that can be used: it must begin with a scheme such "
		  "as https://\n" },
		{ "[site]\nurl = https:pm.example.com\n",
		  "f:2: error: 'url' is no URL that can be used: it must begin with a scheme such "
		  "as https://\n" },
		{ "[site]\nurl = ftp://pm.example.com\n",
		  "f:2: error: 'url' of the site begins with https:// or http://, not with "
		  "ftp:\n" },
		{ "[site]\nurl = https://\n",
		  "f:2: error: 'url' is no URL that can be used: there is no host\n" },
		{ "[site]\nurl = https://a b/\n", "f:2: error: 'url' is no URL that can be used: "
						  "the host is no name or address\n" },
		{ "[site]\nurl = https://u:p@h/\n",
		  "f:2: error: 'url' is no URL that can be used: a login or password does not "
		  "belong into a URL\n" },
		{ "[site]\nurl = https://h:0/\n", "f:2: error: 'url' is no URL that can be used: "
						  "the port is no number from 1 to 65535\n" },
		{ "[site]\nurl = https://h:/\n", "f:2: error: 'url' is no URL that can be used: "
						 "the port is no number from 1 to 65535\n" },
		{ "[site]\nurl = https://[::g]/\n", "f:2: error: 'url' is no URL that can be used: "
						    "the host is no name or address\n" },
		{ "[site]\nurl = https://h/a b\n",
		  "f:2: error: 'url' is no URL that can be used: a character of its path must be "
		  "written as %XX\n" },
		{ "[site]\nurl = https://h/%4\n",
		  "f:2: error: 'url' is no URL that can be used: a character of its path must be "
		  "written as %XX\n" },
		{ "[site]\nurl = https://h/?a=b\n",
		  "f:2: error: 'url' is no URL that can be used: there is a '?' or '#' in it\n" },
		{ SITE "[server s]\ntype = caldav\nurl = https://h/%{email}/\npassword_file = /p\n",
		  "f:5: error: 'url' is no URL that can be used: names such as %{email} are not "
		  "put into a URL\n" },
		{ SITE "[server s]\ntype = caldav\nurl = imaps://h\npassword_file = /p\n",
		  "f:5: error: 'url' of a server of type caldav begins with https:// or http://, "
		  "not with imaps:\n" },
		{ SITE "[server s]\nurl = https://h\ntype = imap\npassword_file = /p\n",
		  "f:4: error: 'url' of a server of type imap begins with imaps:// or imap://, not "
		  "with https:\n" },
		{ SITE "[server s]\nurl = https://h\ntype = memory\n",
		  "f:4: error: 'url' of a server of type memory begins with memory:/PATH, not with "
		  "https:\n" },
		{ SITE "[server s]\nurl = memory:x\ntype = memory\n",
		  "f:4: error: 'url' is no URL that can be used: write memory:/PATH with an "
		  "absolute path\n" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://h:993/INBOX\npassword_file = /p\n",
		  "f:5: error: 'url' of a server of type imap ends after host and port\n" },
		/* N9 */
		{ SITE
		  "[server s]\ntype = caldav\nurl = http://dav.example.com/\npassword_file = /p\n",
		  "f:5: error: 'url': plaintext credentials would go to a host that is not "
		  "loopback; use https://\n" },
		{ SITE "[server s]\ntype = caldav\nurl = "
		       "http://127.0.0.1.example.com/\npassword_file = /p\n",
		  "f:5: error: 'url': plaintext credentials would go to a host that is not "
		  "loopback; use https://\n" },
		{ SITE
		  "[server s]\ntype = caldav\nurl = http://h/\n[account s ana]\ncredential = c\n",
		  "f:5: error: 'url': plaintext credentials would go to a host that is not "
		  "loopback; use https://\n" },
		{ SITE
		  "[server s]\ntype = imap\nurl = imaps://h\npassword_file = /p\nstarttls = yes\n",
		  "f:7: warning: 'starttls' has no effect here: it is for imap:// URLs\n" },
		/* where folders are named after */
		{ "[server s]\ntype = memory\nurl = memory:/x\n",
		  "f: error: [site] has no 'url': where there is a [server], folders are named "
		  "after it\n" },
		{ "[server s]\ntype = memory\nurl = memory:/x\n[site]\nname = a\n",
		  "f:4: error: [site] has no 'url': where there is a [server], folders are named "
		  "after it\n" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

Test(conf_findings, findings_of_servers)
{
	static const struct finding_case cases[] = {
		{ SITE "[server s]\n",
		  "f:3: error: [server s] has no 'type': write type = caldav | imap | memory\n"
		  "f:3: error: [server s] has no 'url'\n" },
		{ SITE "[server s]\ntype = caldva\nurl = https://d/\n",
		  "f:4: error: 'type' is caldav | imap | memory, not 'caldva'; did you mean "
		  "'caldav'?\n" },
		{ CALDAV,
		  "f:3: error: [server s] has no password: write password_command, password_file, "
		  "credential or password\n" },
		{ CALDAV "password_file = /p\ncredential = c\npassword_command = c\n",
		  "f:7: error: 'credential': there is a 'password_file' in line 6 already, and one "
		  "source is "
		  "enough\n"
		  "f:8: error: 'password_command': there is a 'password_file' in line 6 already, "
		  "and one source "
		  "is enough\n" },
		{ CALDAV "[account s ana]\n[account s ben]\ncredential = c\n",
		  "f:6: error: [account s ana] has no password, nor has [server s] in line 3\n" },
		{ CALDAV "resources = *\n[account s ben]\ncredential = c\n",
		  "f:6: warning: 'resources' has no effect here: without a password in [server s] "
		  "only those "
		  "with an [account] section have one\n" },
		{ SERVER "[account s ana]\ncredential = c\npassword_file = /p\n",
		  "f:9: error: 'password_file': there is a 'credential' in line 8 already, and one "
		  "source is "
		  "enough\n" },
		{ CALDAV "password_file = p\n",
		  "f:6: error: 'password_file' must be an absolute path: it begins with '/'\n" },
		{ CALDAV "password_file = /p/%{mail}\n",
		  "f:6: error: 'password_file' is no template: unknown name %{mail}; there are "
		  "%{email}, "
		  "%{local}, %{name}, %{key}\n" },
		{ CALDAV "credential = a/b\n", "f:6: error: 'credential' must be the name of a "
					       "credential, without a path, for example "
					       "dav-password\n" },
		{ CALDAV "credential = ..\n", "f:6: error: 'credential' must be the name of a "
					      "credential, without a path, for example "
					      "dav-password\n" },
		{ CALDAV "password_command = pass 'show\n",
		  "f:6: error: 'password_command' has a quote that is not closed\n" },
		{ CALDAV "password_command = /opt/%{key}/get x\n",
		  "f:6: error: 'password_command' must name its program: a name such as %{key} is "
		  "for its "
		  "arguments\n" },
		{ CALDAV "password_command = pass show %{email\n",
		  "f:6: error: 'password_command' is no template: a %{ without its }\n" },
		{ SERVER "login = %{emial}\n", "f:7: error: 'login' is no template: unknown name "
					       "%{emial}; there are %{email}, %{local}, "
					       "%{name}, %{key}\n" },
		{ SERVER "login = %{email}*admin\n",
		  "f:7: error: 'login' with a '*' is a master login: 'resources' must say who has "
		  "an account "
		  "here\n" },
		{ SERVER "login = shared\n", "f:7: warning: 'login' is the same for everybody: "
					     "name the people of this account in "
					     "'resources'\n" },
		{ SERVER "resources = ,\n",
		  "f:7: error: 'resources' names nobody: write patterns such as *@example.com\n" },
		{ SERVER "tls_ca = ca.pem\n",
		  "f:7: error: 'tls_ca' must be an absolute path: it begins with '/'\n" },
		{ SERVER "deliver = frist\n",
		  "f:7: error: 'deliver' is first | all, not 'frist'; did you mean 'first'?\n" },
		{ SERVER "starttls = true\n", "f:7: error: 'starttls' is yes | no, not 'true'\n" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

Test(conf_findings, findings_of_secrets_in_a_shared_file)
{
	static const struct finding_case cases[] = {
		{ CALDAV "password = hunter2\n",
		  "f:6: error: 'password' has a password in it, and group or others can read this "
		  "file (mode "
		  "0644): use chmod 600 on it, or another source of the password\n" },
		{ SERVER "[account s ana]\npassword = hunter2\n",
		  "f:8: error: 'password' has a password in it, and group or others can read this "
		  "file (mode "
		  "0644): use chmod 600 on it, or another source of the password\n" },
		{ "[store]\ndsn = postgresql://u:hunter2@h/d\n",
		  "f:2: error: 'dsn' has a password in it, and group or others can read this file "
		  "(mode 0644): "
		  "use chmod 600 on it, or another source of the password\n" },
		{ "[store]\ndsn = postgresql://u@h:5432/d\n", "" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

Test(conf_findings, findings_of_secrets_in_a_group_file)
{
	static const struct finding_case cases[] = {
		{ CALDAV "password = hunter2\n",
		  "f:6: error: 'password' has a password in it, and group or others can read this "
		  "file (mode "
		  "0640): use chmod 600 on it, or another source of the password\n" },
	};

	expect_findings(cases, COUNT_OF(cases), 0640);
}

Test(conf_findings, findings_of_rules)
{
	static const struct finding_case cases[] = {
		{ "[rule a]\n", "f:1: error: [rule a] is empty: write when, action and message, or "
				"enabled = no for a "
				"built-in rule\n" },
		{ "[rule percent-rang]\nenabled = no\n",
		  "f:1: error: there is no built-in rule 'percent-rang'; did you mean "
		  "'percent-range'?\n" },
		{ "[rule mine]\nenabled = no\n", "f:1: error: there is no built-in rule 'mine'; a "
						 "rule of your own needs when, action and "
						 "message\n" },
		{ "[rule project-open]\nenabled = no\n[rule own-work-only]\nenabled = no\n", "" },
		{ "[rule a]\nmessage = m\n", "f:1: error: [rule a] has no 'when'\n"
					     "f:1: error: [rule a] has no 'action': write action = "
					     "correct | reject | hold | warn\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = hold\n",
		  "f:1: warning: [rule a] has no 'message': people will not read why\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = correct\nmessage = m\n",
		  "f:3: error: action 'correct' needs a 'set.FIELD' that says what is right\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = reject\nset.percent = 1\nmessage = "
		  "m\n",
		  "f:4: error: 'set.FIELD' goes with 'action = correct' only\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = correct\nset.percnt = 1\nmessage = "
		  "m\n",
		  "f:4: error: no field 'percnt'; did you mean 'set.percent'?\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = correct\nset. = 1\nmessage = m\n",
		  "f:4: error: no field ''; the fields are listed in taskferry.ini(5)\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = correct\nset.elephant = 1\nmessage = "
		  "m\n",
		  "f:4: error: no field 'elephant'; the fields are listed in taskferry.ini(5)\n" },
		{ "[rule a]\nwhen = new.percent > 1\naction = correct\nset.percent = "
		  "1\nset.percent = 2\n"
		  "message = m\n",
		  "f:5: error: 'set.percent' was already given in line 4\n" },
		{ "[rule a]\nwhen = 1\naction = corect\nset.percent = 1\nmessage = m\n",
		  "f:3: error: 'action' is correct | reject | hold | warn, not 'corect'; did you "
		  "mean 'correct'?\n" },
		{ "[rule a b]\nwhen = 1\n", "f:1: error: bad section header: write [rule NAME]\n" },
	};

	expect_findings(cases, COUNT_OF(cases), SHARED);
}

/* ---- bounds ---- */

Test(conf_findings, a_finding_repeats_little)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *word = MEM_ARRAY(mem, char, 1001);
	struct conf_report *report = NULL;
	char *text;

	memset(word, 'x', 1000);
	text = mem_printf(
		mem,
		"[%s]\n[site]\n%s = 1\ndates = %s\n[account %s %s]\n[rule %s]\nset.%s = 1\n"
		"[server %s]\nlogin = %%{%s}\n",
		word, word, word, word, word, word, word, word, word);
	cr_expect_null(parse(mem, text, strlen(text), SHARED, &report));
	cr_expect_gt(report->count, 7);
	for (size_t i = 0; i < report->count; i++)
		cr_expect_lt(strlen(report->findings[i].text), 420, "%s", report->findings[i].text);
	talloc_free(mem);
}

Test(conf_findings, findings_are_bounded)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf *text = buf_new(mem);
	struct conf_report *report = NULL;

	buf_puts(text, "[log]\n");
	for (int i = 0; i < 10000; i++)
		buf_puts(text, "x = 1\n");
	cr_expect_null(parse(mem, text->data, text->len, SHARED, &report));
	cr_expect_eq(report->count, CONF_FINDINGS_MAX + 1);
	cr_expect_eq(report->findings[0].line, 0);
	cr_expect_str_eq(report->findings[0].text,
			 "too many findings: only the first ones are shown");
	cr_expect_not(report->findings[0].warning);
	cr_expect_eq(report->findings[1].line, 2);
	cr_expect_eq(report->findings[CONF_FINDINGS_MAX].line, CONF_FINDINGS_MAX + 1);
	talloc_free(mem);
}

/* ---- secrets ---- */

/* N8: whatever is wrong around a password, no finding repeats it. */
Test(conf_findings, no_finding_tells_a_secret)
{
	static const char *const texts[] = {
		CALDAV "password = hunter2\n",
		CALDAV "pasword = hunter2\n",
		CALDAV "password hunter2\n",
		CALDAV "password = \"hunter2\n",
		CALDAV "password = \"hunter2\" x\n",
		CALDAV "password = hunter2\npassword = hunter2\n",
		CALDAV "password = hunter2\x01\n",
		CALDAV "password = hunter2\xff\n",
		CALDAV "password: hunter2\n",
		"password = hunter2\n",
		CALDAV "credential = /hunter2\n",
		CALDAV "password_file = hunter2\n",
		CALDAV "password_command = 'hunter2\n",
		"[store]\ndsn = postgres:u:hunter2@h/d\n",
		"[site]\nurl = https://u:hunter2@h/\n",
		"[site]\nurl = https://hunter2%/\n",
		"[store]\ndsn = postgresql://u:hunter2@h/d\n",
		"[site]\nurl = hunter2\n",
		CALDAV "password = hunter2\npassword_file = /hunter2\n",
		"[control]\nsocket = hunter2\n",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct conf_report *report = NULL;
		const char *actual;

		(void)parse(mem, texts[i], strlen(texts[i]), SHARED, &report);
		actual = printed(mem, report);
		cr_expect_gt(report->errors, 0, "input:\n%s\nno error", texts[i]);
		cr_expect_null(strstr(actual, "hunter2"), "input:\n%s\nactual:\n%s", texts[i],
			       actual);
		talloc_free(mem);
	}
}

/* ---- the report ---- */

/* Whoever adds later (rules) finds the place by line. */
Test(conf_findings, report_keeps_the_order)
{
	static const char text[] = "[log]\nlevel = x\n\n\n\nmode = y\n";
	TALLOC_CTX *mem = talloc_new(NULL);
	struct conf_report *report = NULL;

	(void)parse(mem, text, strlen(text), SHARED, &report);
	conf_report_warning(report, 3, "three %d\nand more", 3);
	conf_report_error(report, 2, "two again");
	conf_report_error(report, 0, "the whole");
	conf_report_error(report, 9, "nine");
	cr_expect_str_eq(printed(mem, report),
			 "f: error: the whole\n"
			 "f:2: error: 'level' is error | warning | info | debug, not 'x'\n"
			 "f:2: error: two again\n"
			 "f:3: warning: three 3 and more\n"
			 "f:6: error: unknown key 'mode' in [log]; there are level\n"
			 "f:9: error: nine\n");
	cr_expect_eq(report->errors, 5);
	cr_expect_eq(report->count, 6);
	talloc_free(mem);
}

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define IMAP SITE "[server s]\ntype = imap\nurl = imaps://d\npassword_file = /p\n"

Test(conf_findings, findings_of_logins)
{
	static const struct finding_case cases[] = {
		{ CALDAV "auth = bearer\ntoken_file = /t/%{key}\ntls_pin = " PIN ", " PIN "\n",
		  "" },
		{ CALDAV "auth = bearer\ntoken_command = get %{email}\n", "" },
		{ CALDAV "auth = bearer\ncredential = c\n", "" },
		{ CALDAV "auth = bearer\n",
		  "f:3: error: [server s] has no token: write token_command, token_file or "
		  "credential\n" },
		{ CALDAV "auth = bearer\npassword_file = /p\n",
		  "f:7: error: 'password_file' does not go with auth = bearer: use token_command, "
		  "token_file or credential\n" },
		{ CALDAV "auth = bearer\ntoken_file = /p\n[account s ana]\npassword_command = c\n",
		  "f:9: error: 'password_command' does not go with auth = bearer: use "
		  "token_command, token_file or credential\n" },
		{ CALDAV "token_file = /p\n", "f:6: error: 'token_file' needs auth = bearer\n" },
		{ SERVER "[account s ana]\ntoken_command = c\n",
		  "f:8: error: 'token_command' needs auth = bearer\n" },
		{ CALDAV "auth = bearer\ntoken_file = /p\ntoken_command = c\n",
		  "f:8: error: 'token_command': there is a 'token_file' in line 7 already, and one "
		  "source is enough\n" },
		{ CALDAV "auth = certificate\ntls_cert = /c/%{key}\n", "" },
		{ CALDAV "auth = certificate\nresources = ana\ntls_cert = /c\ntls_key = /k\n", "" },
		{ CALDAV "auth = certificate\n",
		  "f:6: error: auth = certificate needs 'tls_cert'\n" },
		{ CALDAV "auth = certificate\ntls_cert = /c\n",
		  "f:6: error: auth = certificate is one login for everybody here: 'resources' "
		  "must "
		  "say who has an account\n" },
		{ CALDAV "auth = certificate\ntls_cert = /c/%{key}\npassword_file = /p\n",
		  "f:8: warning: 'password_file' has no effect: with auth = certificate no "
		  "password "
		  "is sent\n" },
		{ CALDAV "auth = negotiate\n",
		  "f:6: error: auth = negotiate is one login for everybody here: 'resources' must "
		  "say who has an account\n" },
		{ SITE
		  "[server s]\ntype = caldav\nurl = http://d/\nauth = negotiate\nresources = a\n",
		  "f:5: error: 'url': plaintext credentials would go to a host that is not "
		  "loopback; "
		  "use https://\n" },
		{ SERVER "tls_key = /k\n", "f:7: error: 'tls_key' needs 'tls_cert'\n" },
		{ SITE "[server s]\ntype = caldav\nurl = http://localhost/\npassword_file = "
		       "/p\ntls_pin = " PIN "\n",
		  "f:7: error: 'tls_pin' needs a URL with https:\n" },
		{ SERVER "tls_pin = sha256//abc=\n", "f:7: error: 'tls_pin' is a list of public "
						     "keys, each of them sha256// and the 44 "
						     "characters of a hash in Base64\n" },
	};

	expect_findings(cases, COUNT_OF(cases), 0600);
}

/* A mailbox belongs to one person. */
Test(conf_findings, findings_of_logins_to_mailboxes)
{
	static const struct finding_case cases[] = {
		{ IMAP "tls_pin = " PIN "\n", "" },
		{ IMAP "auth = password\n", "" },
		{ IMAP "without = condstore, LITERAL+ COMPRESS=DEFLATE\n", "" },
		{ IMAP "without = all\n", "" },
		{ IMAP "without = CONSTORE\n",
		  "f:7: error: 'without' has 'CONSTORE', which is no extension that is used; did "
		  "you mean 'CONDSTORE'?\n" },
		{ IMAP "without = IDLE, everything\n",
		  "f:7: error: 'without' has 'everything', which is no extension that is used; "
		  "write it as the server does in CAPABILITY, for example CONDSTORE\n" },
		{ SERVER "without = IDLE\n",
		  "f:7: error: 'without' is for servers of type imap only\n" },
		{ IMAP "auth = scram\n", "" },
		{ IMAP "auth = plain\n", "" },
		{ IMAP "auth = login\n", "" },
		{ IMAP "auth = digest\n",
		  "f:7: error: auth = digest is for servers of type caldav\n" },
		{ CALDAV "password_file = /p\nauth = scram\n",
		  "f:7: error: auth = scram is for servers of type imap\n" },
		{ IMAP "login = gate\nauthorize = %{email}\nresources = *@d\n", "" },
		{ IMAP "login = gate\nauthorize = %{email}\n",
		  "f:8: error: 'login' is a master login, which acts for everybody by "
		  "'authorize': 'resources' must say who has an account here\n" },
		{ IMAP "login = gate\nauthorize = ana\nresources = ana\n",
		  "f:8: warning: 'authorize' is the same for everybody, and a mailbox belongs to "
		  "one person: write a name such as %{email} into it\n" },
		{ IMAP "login = team\nresources = *@d\n",
		  "f:7: error: 'login' is the same for everybody, and a mailbox belongs to one "
		  "person: say "
		  "whose it is by 'authorize', or write a name such as %{email} into it\n" },
		{ IMAP "login = team\nresources = a@d, b@d\n",
		  "f:7: error: 'login' is the same for everybody, and a mailbox belongs to one "
		  "person: say "
		  "whose it is by 'authorize', or write a name such as %{email} into it\n" },
		{ IMAP "login = ana.silva\nresources = a@d\n", "" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://h\nauth = certificate\ntls_cert = "
		       "/p\nresources = *@d\n",
		  "f:7: error: 'tls_cert' is the same for everybody, and a mailbox belongs to one "
		  "person: say "
		  "whose it is by 'authorize', or write a name such as %{email} into it\n" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://h\nauth = certificate\ntls_cert = "
		       "/p\nresources = *@d\nauthorize = %{email}\n",
		  "" },
		{ IMAP "[gestures]\nflag_due = 1w\n",
		  "f:8: error: 'flag_due' must be a number with ms, s, m, h or d, for example "
		  "1d\n" },
		{ SITE "[server s]\nurl = imaps://h\npassword_file = /p\n[account s r]\n[replies]\n"
		       "address = t+%{token}@x.org\nserver = s\naccount = r\nsecret_file = /s\n"
		       "authserv_id = x\n",
		  "f:3: error: [server s] has no 'type': write type = caldav | imap | memory\n" },
		{ IMAP "login = gate\nauthorize = %{email}\nresources = *@d\nauth = login\n",
		  "f:8: error: 'authorize' does not go with auth = login, which has no place for "
		  "it: use plain or scram\n" },
		{ IMAP "login = %{email}*gate\n",
		  "f:7: error: 'login' with a '*' is a master login: 'resources' must say who has "
		  "an account here\n" },
		{ CALDAV "password_file = /p\nauthorize = %{email}\n",
		  "f:7: error: 'authorize' is for servers of type imap\n" },
	};

	expect_findings(cases, COUNT_OF(cases), 0600);
}

Test(conf_findings, findings_of_secure_mailboxes)
{
	static const struct finding_case cases[] = {
		{ SITE "[server s]\ntype = imap\nurl = imap://localhost\npassword_file = "
		       "/p\ntls_pin = " PIN "\n",
		  "f:7: error: 'tls_pin' needs imaps://, or starttls = yes\n" },
		{ SITE "[server s]\ntype = imap\nurl = imap://localhost\nstarttls = "
		       "yes\npassword_file = /p\ntls_pin = " PIN "\n",
		  "" },
		{ SITE "[server s]\ntype = imap\nurl = imap://d\npassword_file = "
		       "/p\ntls_pin = " PIN "\n",
		  "" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://d\nauth = certificate\n",
		  "f:6: error: auth = certificate needs 'tls_cert'\n" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://d\nauth = "
		       "certificate\ntls_cert = /c/%{key}\n",
		  "" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://d\nauth = "
		       "certificate\ntls_cert = /c\nauthorize = %{email}\n",
		  "f:6: error: auth = certificate is one login for everybody here: 'resources' "
		  "must say who has an account\n" },
		{ SITE "[server s]\ntype = imap\nurl = imaps://d\nauth = "
		       "bearer\ntoken_file = /t/%{key}\n",
		  "" },
	};

	expect_findings(cases, COUNT_OF(cases), 0600);
}

#define BOX SITE "[server m]\ntype = imap\nurl = imaps://d\npassword_file = /p\n"
#define BOX_KEYS "server = m\naccount = tasks\nsecret_file = /s\nauthserv_id = mx\n"
#define BOX_ACCOUNT "[account m tasks]\nlogin = tasks\n"

Test(conf_findings, replies)
{
	static const struct finding_case cases[] = {
		{ BOX "[replies]\naddress = tasks+%{token}@example.com\n" BOX_KEYS BOX_ACCOUNT,
		  "" },
		{ BOX "[replies]\naddress = tasks@example.com\n" BOX_KEYS BOX_ACCOUNT,
		  "f:8: error: 'address' needs %{token} once before the @, for example "
		  "tasks+%{token}@example.com\n" },
		{ BOX "[replies]\naddress = tasks@%{token}.example.com\n" BOX_KEYS BOX_ACCOUNT,
		  "f:8: error: 'address' needs %{token} once before the @, for example "
		  "tasks+%{token}@example.com\n" },
		{ BOX "[replies]\naddress = %{token}@\n" BOX_KEYS BOX_ACCOUNT,
		  "f:8: error: 'address' is no e-mail address\n" },
		{ BOX
		  "[replies]\naddress = twelve-chars%{token}@example.com\n" BOX_KEYS BOX_ACCOUNT,
		  "f:8: error: 'address' has too much before the @: besides %{token} there is room "
		  "for 11 characters\n" },
		{ BOX "[replies]\naddress = %{token}@example.com\nserver = x\naccount = "
		      "tasks\nsecret_file = /s\nauthserv_id = mx\n" BOX_ACCOUNT,
		  "f:9: error: 'server': there is no [server x]\n" },
		{ BOX "[replies]\naddress = %{token}@example.com\n" BOX_KEYS,
		  "f:10: error: 'account': there is no [account m tasks]\n" },
		{ SERVER "[replies]\naddress = %{token}@example.com\nserver = s\naccount = "
			 "tasks\nsecret_file = /s\nauthserv_id = mx\n",
		  "f:9: error: 'server': replies are read from a server of type imap\n" },
		{ BOX "[replies]\naddress = %{token}@example.com\nserver = m\naccount = "
		      "tasks\nsecret_file = /s\n" BOX_ACCOUNT,
		  "f:7: warning: [replies] has no 'authserv_id': every reply becomes a proposal, "
		  "for "
		  "nothing tells who wrote it\n" },
	};

	expect_findings(cases, COUNT_OF(cases), 0600);
}
