#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "gateway/sync/delivery.h"
#include "imap_script.h"
#include "lab.h"

/* What of a person gets into the path of a calendar home (`home`): one segment, whatever it is, or the
 * account is held and nothing is sent. */

static const struct {
	const char *home, *key, *email;
	const char *asked; /* the path of the first request; NULL: none */
} cases[] = {
	{ "/c/%{local}/", "ana@example.com", "ana@example.com", "/c/ana/" },
	{ "/c/%{email}/x/", "ana@example.com", "ana@example.com", "/c/ana%40example.com/x/" },
	{ "/c/%{local}", "a", "a+b@example.com", "/c/a%2Bb" },
	{ "/c/%{key}/", "ana maria", NULL, "/c/ana%20maria/" },
	{ "/c/%{key}/", "%2e%2e", NULL, "/c/%252e%252e/" },
	{ "/c/%{key}/", "a?b#c%2Fd", NULL, "/c/a%3Fb%23c%252Fd/" },
	{ "/c/a%20b/%{key}-%{key}/", "x", NULL, "/c/a%20b/x-x/" },
	{ "/c/%{key}/", ".", NULL, NULL },
	{ "/c/%{key}/", "..", NULL, NULL },
	{ "/c/%{key}/", "a/b", NULL, NULL },
	{ "/c/%{key}/", "-x", NULL, NULL },
	{ "/c/%{key}/", "*", NULL, NULL },
	{ "/c/%{local}/", "ana", NULL, NULL },
};

static const struct conf *conf_of(struct lab *lab, const char *home)
{
	char *text = mem_printf(lab,
				"[site]\nurl = https://pm.example.com\n[server s]\ntype = caldav\n"
				"url = %s/\nlogin = tf\npassword = x\nresources = *\nhome = %s\n",
				scripted_url(lab->server), home);
	struct conf_report *report = NULL;
	struct conf *conf = NULL;

	cr_assert_null(conf_parse(lab, "f", text, strlen(text), 0600, &conf, &report));
	cr_assert_not_null(conf, "%s", home);
	return conf;
}

Test(delivery, a_home_holds_what_is_known_of_a_person)
{
	struct scripted_answer nothing = { SCRIPTED_ANSWER,
					   "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 0, 0 };

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lab *lab = lab_new(lab_always, &nothing);
		struct resource person = { .key = cases[i].key,
					   .name = "Ana",
					   .email = cases[i].email };
		struct delivery delivery = { .http = lab->http,
					     .clock = lab->clock,
					     .conf = conf_of(lab, cases[i].home),
					     .stop_fd = -1 };
		struct endpoint_place *place = NULL;
		struct endpoint *endpoint = NULL;
		struct fault *fault = delivery_endpoint(lab, &delivery, delivery.conf->servers,
							&person, &endpoint);
		char *line = mem_printf(lab, "PROPFIND %s HTTP/1.1",
					cases[i].asked ? cases[i].asked : "");

		if (!fault)
			fault = endpoint_place(endpoint, lab, true, &place);
		cr_assert_not_null(fault, "%s of %s", cases[i].home, cases[i].key);
		cr_expect_eq(fault->scope, FAULT_SCOPE_ACCOUNT, "%s: %s", cases[i].key,
			     fault->text);
		cr_expect_eq(fault->next, FAULT_NEXT_HOLD, "%s: %s", cases[i].key, fault->text);
		if (cases[i].asked)
			cr_expect(scripted_heard(lab->server, line), "%s: not '%s' but: %s",
				  cases[i].key, line, fault->text);
		else
			cr_expect_eq(scripted_counts(lab->server).requests, 0, "%s: %s",
				     cases[i].key, fault->text);
		talloc_free(lab);
	}
}

/* Where a password or a token does not come, the key that says where from is named. */
Test(delivery, a_fault_names_the_key)
{
	static const struct {
		const char *lines, *text;
	} keys[] = {
		{ "password_command = /nowhere/at-all x",
		  "password_command: '/nowhere/at-all': No such" },
		{ "password_command = /bin/false", "password_command: '/bin/false': exit code 1" },
		{ "auth = bearer\ntoken_command = /bin/false",
		  "token_command: '/bin/false': exit code 1" },
		{ "password_file = /nowhere/at-all", "password_file: /nowhere/at-all: No such" },
		{ "auth = bearer\ntoken_file = /nowhere/%{key}",
		  "token_file: /nowhere/ana: No such" },
	};
	struct resource person = { .key = "ana", .name = "Ana", .email = "ana@example.com" };

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		char *text = mem_printf(mem,
					"[site]\nurl = https://pm.example.com\n[server s]\n"
					"type = caldav\nurl = http://127.0.0.1:9/\n%s\n",
					keys[i].lines);
		struct delivery delivery = { .stop_fd = -1 };
		struct endpoint *endpoint = NULL;
		struct conf_report *report = NULL;
		struct conf *conf = NULL;
		struct fault *fault;

		cr_assert_null(conf_parse(mem, "f", text, strlen(text), 0600, &conf, &report));
		cr_assert_not_null(conf, "%s", keys[i].lines);
		delivery.conf = conf;
		fault = delivery_endpoint(mem, &delivery, conf->servers, &person, &endpoint);
		cr_assert_not_null(fault, "%s", keys[i].lines);
		cr_expect(strstr(fault->text, keys[i].text), "%s: %s", keys[i].lines, fault->text);
		talloc_free(mem);
	}
}

/* What an imap server hears of a login, by the keys of its section. */
Test(delivery, imap_logins)
{
	static const struct {
		const char *lines, *heard;
	} logins[] = {
		{ "password = pw", "AUTHENTICATE PLAIN AGFuYUBleGFtcGxlLmNvbQBwdw==\r\n" },
		{ "login = %{email}*gate\npassword = pw\nresources = *",
		  "AUTHENTICATE PLAIN AGFuYUBleGFtcGxlLmNvbSpnYXRlAHB3\r\n" },
		{ "login = gate\nauthorize = %{email}\npassword = pw\nresources = *",
		  "AUTHENTICATE PLAIN YW5hQGV4YW1wbGUuY29tAGdhdGUAcHc=\r\n" },
		{ "login = gate\nauthorize = %{email}\npassword = pw\nresources = *\n"
		  "[account s ana]\nauthorize = ana.silva",
		  "AUTHENTICATE PLAIN YW5hLnNpbHZhAGdhdGUAcHc=\r\n" },
		{ "auth = login\npassword = pw", "LOGIN \"ana@example.com\" \"pw\"\r\n" },
		{ "auth = bearer\ntoken_command = /bin/echo tok",
		  "AUTHENTICATE XOAUTH2 dXNlcj1hbmFAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdG9rAQE=\r\n" },
	};
	struct resource person = { .key = "ana", .name = "Ana", .email = "ana@example.com" };
	struct imap_script script = { .caps = "SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=LOGIN" };

	for (size_t i = 0; i < COUNT_OF(logins); i++) {
		TALLOC_CTX *mem = MEM_CONTEXT(NULL);
		struct imap_server *server = imap_server_new(mem, &script);
		char *text = mem_printf(mem,
					"[site]\nurl = https://pm.example.com\n[server s]\n"
					"type = imap\nurl = imap://127.0.0.1:%d\n%s\n",
					imap_server_port(server), logins[i].lines);
		struct delivery delivery = { .stop_fd = -1, .clock = clock_system(mem) };
		struct endpoint *endpoint = NULL;
		struct endpoint_probe *probe = NULL;
		struct conf_report *report = NULL;
		struct conf *conf = NULL;
		char *heard;

		cr_assert_null(conf_parse(mem, "f", text, strlen(text), 0600, &conf, &report));
		cr_assert_not_null(conf, "%s", logins[i].lines);
		delivery.conf = conf;
		delivery.trusts = trusts_new(mem);
		cr_assert_null(
			delivery_endpoint(mem, &delivery, conf->servers, &person, &endpoint));
		cr_assert_null(endpoint_probe(endpoint, mem, &probe));
		heard = imap_server_heard(server, mem, NULL);
		cr_expect_not_null(strstr(heard, logins[i].heard), "%s: %s", logins[i].lines,
				   heard);
		talloc_free(endpoint);
		talloc_free(mem);
	}
}

/* A sub-folder of that mailbox is not a part of it, whatever its name: mails may be moved there. */
Test(delivery, replies_stand_in_their_mailbox_alone)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	struct imap_script script = { .caps = NULL };
	struct imap_server *server = imap_server_new(mem, &script);
	char *text = mem_printf(mem,
				"[site]\nurl = https://pm.example.com\n[server s]\ntype = imap\n"
				"url = imap://127.0.0.1:%d\npassword = pw\n[account s tasks]\n"
				"login = tasks\n[gestures]\ndone_folder = Done\n[replies]\n"
				"address = tasks+%%{token}@example.com\nserver = s\n"
				"account = tasks\nsecret_file = /nowhere\n",
				imap_server_port(server));
	struct delivery delivery = { .stop_fd = -1, .clock = clock_system(mem) };
	struct endpoint *endpoint = NULL;
	struct endpoint_notice *notice = NULL;
	struct conf_report *report = NULL;
	struct conf *conf = NULL;
	char *heard;

	cr_assert_null(conf_parse(mem, "f", text, strlen(text), 0600, &conf, &report));
	cr_assert_not_null(conf);
	delivery.conf = conf;
	delivery.trusts = trusts_new(mem);
	cr_assert_null(delivery_replies(mem, &delivery, &endpoint));
	talloc_free(endpoint_notice(endpoint, mem, "INBOX", NULL, &notice)); /* whatever it finds */
	heard = imap_server_heard(server, mem, NULL);
	cr_assert(strstr(heard, "SELECT \"INBOX\"") && !strstr(heard, "Done"), "%s", heard);
	talloc_free(endpoint);
	talloc_free(mem);
}
