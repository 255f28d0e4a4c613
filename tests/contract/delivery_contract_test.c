#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "gateway/sync/delivery.h"
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
