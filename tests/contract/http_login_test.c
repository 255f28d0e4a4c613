#include "config.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "fixture.h"
#include "lab.h"

/* Who we say we are: to servers that ask for it in every way, to one that is real, and for many at
 * once over few connections. */

#define EMPTY "Content-Length: 0\r\n\r\n"
#define NO "HTTP/1.1 401 No\r\n"

static struct http_request put(struct lab *lab, const char *path)
{
	struct http_request request = { .method = "PUT", .body = "text", .body_len = 4 };

	request.url = mem_printf(lab, "%s%s", scripted_url(lab->server), path);
	request.writes = true;
	return request;
}

/* Runs COUNT writes; returns how many were carried out. */
static size_t run(struct lab *lab, size_t count)
{
	struct http_request *requests = MEM_ARRAY(lab, struct http_request, count);
	size_t good = 0;

	for (size_t i = 0; i < count; i++)
		requests[i] = put(lab, mem_printf(lab, "/%zu", i));
	http_run(lab->http, lab, &lab->site, requests, count);
	for (size_t i = 0; i < count; i++) {
		struct fault *fault = requests[i].fault ? requests[i].fault
							: http_status_fault(lab, &requests[i]);

		if (fault)
			lab_expect(fault, FAULT_LOGIN, "refused");
		good += !fault;
	}
	talloc_free(requests);
	return good;
}

/* ---- Digest ---- */

struct digest_server {
	const char *challenge; /* WWW-Authenticate of a request without a good answer */
	const char *good;      /* what a good one has in it */
	const char *stale;     /* what one with an old nonce has in it; NULL: none */
	int without;           /* requests without any */
};

static struct scripted_answer digest_reply(void *context, TALLOC_CTX *mem, const char *method,
					   const char *path, const char *request)
{
	struct digest_server *server = context;
	const char *authorization = strstr(request, "Authorization: Digest ");

	(void)method;
	(void)path;
	if (authorization && strstr(authorization, server->good))
		return (struct scripted_answer){ SCRIPTED_KEEP, "HTTP/1.1 204 x\r\n" EMPTY, 0, 0 };
	if (authorization && server->stale && strstr(authorization, server->stale))
		return (struct scripted_answer){
			SCRIPTED_KEEP,
			mem_printf(mem, NO "WWW-Authenticate: %s, stale=true, nonce=new\r\n" EMPTY,
				   server->challenge),
			0, 0
		};
	__atomic_add_fetch(&server->without, 1, __ATOMIC_SEQ_CST);
	return (struct scripted_answer){
		SCRIPTED_KEEP,
		mem_printf(mem, NO "WWW-Authenticate: %s, nonce=old\r\n" EMPTY, server->challenge),
		0, 0
	};
}

static void expect_digest(const char *what, enum http_auth auth, struct digest_server server,
			  size_t expected, int logins_most, bool basic)
{
	struct lab *lab = lab_new(digest_reply, &server);
	size_t good;

	lab->site.auth = auth;
	good = run(lab, 40);
	cr_assert_eq(good, expected, "%s: %zu were carried out", what, good);
	cr_assert_leq(server.without, logins_most, "%s: %d logins", what, server.without);
	cr_assert_eq(scripted_heard(lab->server, "Authorization: Basic"), basic, "%s", what);
	cr_assert(!expected || run(lab, 40) == 40, "%s: again", what);
	cr_assert_leq(server.without, logins_most, "%s: the challenge was not kept", what);
	talloc_free(lab);
}

Test(http_login, digest)
{
	const char *digest = "Digest realm=\"here\", qop=\"auth\", algorithm=SHA-256";
	const char *both = "Basic realm=\"here\", Digest realm=\"here\", qop=\"auth\"";
	int window = HTTP_HOST_CONNECTIONS;

	expect_digest("the server has only that", HTTP_AUTH_PASSWORD,
		      (struct digest_server){ digest, "nonce=\"old\"", NULL, 0 }, 40, window, true);
	expect_digest("Basic was refused, and offered", HTTP_AUTH_PASSWORD,
		      (struct digest_server){ both, "nonce=\"old\"", NULL, 0 }, 0, window, true);
	expect_digest("Basic only", HTTP_AUTH_BASIC,
		      (struct digest_server){ digest, "nonce=\"old\"", NULL, 0 }, 0, window, true);
	expect_digest("Digest only", HTTP_AUTH_DIGEST,
		      (struct digest_server){ both, "nonce=\"old\"", NULL, 0 }, 40, window, false);
	expect_digest("a nonce that gets old", HTTP_AUTH_DIGEST,
		      (struct digest_server){ digest, "nonce=\"new\"", "nonce=\"old\"", 0 }, 40,
		      window, false);
	expect_digest("a wrong password", HTTP_AUTH_DIGEST,
		      (struct digest_server){ digest, "nonce=\"other\"", NULL, 0 }, 0, 2 * window,
		      false);
	expect_digest("old for ever", HTTP_AUTH_DIGEST,
		      (struct digest_server){ digest, "nonce=\"other\"", "nonce=", 0 }, 0, window,
		      false);
}

/* ---- Bearer ---- */

struct tokens {
	struct lab *lab;
	const char *good; /* the header line of the one that is taken */
	const char *next; /* what comes when a new one is asked for; NULL: a fault */
	int asked;
};

static struct scripted_answer token_reply(void *context, TALLOC_CTX *mem, const char *method,
					  const char *path, const char *request)
{
	const struct tokens *tokens = context;
	bool good = strstr(request, tokens->good) != NULL;

	(void)mem;
	(void)method;
	(void)path;
	return (struct scripted_answer){ SCRIPTED_KEEP,
					 good ? "HTTP/1.1 204 x\r\n" EMPTY
					      : NO "WWW-Authenticate: Bearer\r\n" EMPTY,
					 0, 0 };
}

static struct fault *next_token(void *context, const struct secret **token_r)
{
	struct tokens *tokens = context;

	tokens->asked++;
	if (!tokens->next)
		return fault_new(tokens->lab, FAULT_TRY_LATER, "no token");
	*token_r = secret_new(tokens->lab, tokens->next, strlen(tokens->next));
	return NULL;
}

static void expect_tokens(const char *what, const char *good, const char *next, size_t expected,
			  int asked)
{
	struct tokens tokens = { .good = good, .next = next };
	struct lab *lab = lab_new(token_reply, &tokens);
	size_t done;

	tokens.lab = lab;
	lab->site.auth = HTTP_AUTH_BEARER;
	lab->site.renew = next_token;
	lab->site.renew_context = &tokens;
	for (int round = 0; round < 3; round++) {
		done = run(lab, 30);
		cr_assert_eq(done, expected, "%s: %zu were carried out", what, done);
		cr_assert_eq(tokens.asked, asked, "%s: %d tokens were asked for", what,
			     tokens.asked);
	}
	cr_assert_not(scripted_heard(lab->server, "Basic"), "%s", what);
	talloc_free(lab);
}

Test(http_login, bearer)
{
	expect_tokens("good", "Authorization: Bearer s3cr3t\r\n", "second", 30, 0);
	expect_tokens("renewed once", "Authorization: Bearer second\r\n", "second", 30, 1);
	expect_tokens("the new one is refused too", "Bearer third\r\n", "second", 0, 1);
	expect_tokens("the new one is the old one", "Bearer second\r\n", "s3cr3t", 0, 1);
	expect_tokens("there is no new one", "Bearer second\r\n", NULL, 0, 1);
}

/* Two that are under way with the token that is refused: the second profits from what the first got. */
Test(http_login, bearer_of_what_is_under_way)
{
	struct tokens tokens = { .good = "Authorization: Bearer second\r\n", .next = "second" };
	struct lab *lab = lab_new(token_reply, &tokens);
	struct http_request requests[2][20] = { 0 };
	struct http_sending *sendings[2];

	tokens.lab = lab;
	lab->site.auth = HTTP_AUTH_BEARER;
	lab->site.renew = next_token;
	lab->site.renew_context = &tokens;
	for (size_t s = 0; s < 2; s++) {
		for (size_t i = 0; i < 20; i++)
			requests[s][i] = put(lab, mem_printf(lab, "/%zu-%zu", s, i));
		sendings[s] = http_send(lab->http, lab, &lab->site, requests[s], 20);
	}
	for (size_t s = 0; s < 2; s++) {
		http_wait(sendings[s], lab);
		for (size_t i = 0; i < 20; i++)
			cr_assert(!requests[s][i].fault && requests[s][i].status == 204,
				  "batch %zu, request %zu: %s, status %d", s, i,
				  requests[s][i].fault ? requests[s][i].fault->text : "answered",
				  requests[s][i].status);
	}
	cr_assert_eq(tokens.asked, 1, "%d tokens were asked for", tokens.asked);
	talloc_free(lab);
}

Test(http_login, nothing_of_it_goes_out_in_the_clear)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, "HTTP/1.1 204 x\r\n" EMPTY, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);

	for (enum http_auth auth = 0; auth < HTTP_AUTHS; auth++) {
		struct http_request request = { .method = "GET",
						.url = "http://192.0.2.1/",
						.deadline_ms = LAB_SHORT_MS };

		lab->site.auth = auth;
		http_run(lab->http, lab, &lab->site, &request, 1);
		lab_expect(request.fault, FAULT_CONFIG, "plain, and not loopback");
	}
	cr_assert_eq(http_stats(lab->http).requests, 0, "something was sent");
	talloc_free(lab);
}

Test(http_login, negotiate_without_a_ticket_is_a_refused_login)
{
	struct scripted_answer answer = { SCRIPTED_KEEP, NO "WWW-Authenticate: Negotiate\r\n" EMPTY,
					  0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);

	if (!http_has_negotiate())
		cr_skip_test("this libcurl cannot speak Negotiate");
	setenv("KRB5CCNAME", "FILE:/nonexistent", 1);
	lab->site.auth = HTTP_AUTH_NEGOTIATE;
	lab->site.user = NULL;
	lab->site.password = NULL;
	cr_assert_eq(run(lab, 3), 0);
	cr_assert_eq(scripted_counts(lab->server).connections,
		     scripted_counts(lab->server).requests,
		     "a connection that may be somebody's was used again");
	talloc_free(lab);
}

/* ---- many accounts on one host ---- */

#define CALLERS 10
#define ACCOUNTS 1000

static struct scripted_answer own_reply(void *context, TALLOC_CTX *mem, const char *method,
					const char *path, const char *request)
{
	const char *own = mem_printf(mem, "Authorization: Bearer token-of-%s\r\n", path + 1);

	(void)context;
	(void)method;
	return (struct scripted_answer){
		SCRIPTED_KEEP, strstr(request, own) ? "HTTP/1.1 204 x\r\n" EMPTY : NO EMPTY, 0, 1
	};
}

struct caller {
	struct lab *lab;
	pthread_t thread;
	size_t from, to, good;
};

static void *call(void *context)
{
	struct caller *caller = context;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL); /* a tree of this thread's own */

	for (size_t i = caller->from; i < caller->to; i++) {
		char *token = mem_printf(mem, "token-of-%zu", i);
		struct http_site site = { .auth = HTTP_AUTH_BEARER,
					  .password = secret_new(mem, token, strlen(token)) };
		struct http_request request = { .method = "GET" };

		request.url = mem_printf(mem, "%s/%zu", scripted_url(caller->lab->server), i);
		http_run(caller->lab->http, mem, &site, &request, 1);
		caller->good += !request.fault && request.status == 204;
	}
	return mem;
}

Test(http_login, a_thousand_accounts_share_eight_connections)
{
	struct lab *lab = lab_new(own_reply, NULL);
	struct caller callers[CALLERS];
	size_t good = 0;
	struct scripted_counts counts;

	for (size_t i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){ .lab = lab,
					      .from = i * ACCOUNTS / CALLERS,
					      .to = (i + 1) * ACCOUNTS / CALLERS };
		cr_assert_eq(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
	}
	for (size_t i = 0; i < CALLERS; i++) {
		void *mem;

		pthread_join(callers[i].thread, &mem);
		talloc_free(mem);
		good += callers[i].good;
	}
	counts = scripted_counts(lab->server);
	cr_assert_eq(good, ACCOUNTS, "%zu were served as themselves", good);
	cr_assert_eq(counts.requests, ACCOUNTS);
	cr_assert_leq(counts.connections, HTTP_HOST_CONNECTIONS, "%d connections",
		      counts.connections);
	cr_assert_eq(http_stats(lab->http).connections, counts.connections, "counted");
	talloc_free(lab);
}

/* ---- a real server ---- */

struct web {
	struct lab *lab;
	struct fixture *fixture;
	struct scripted_answer unused;
};

static char *in_dir(struct web *web, const char *name)
{
	return mem_printf(web->lab, "%s/%s", web->fixture->dir, name);
}

static char *pin_of(struct web *web)
{
	char line[128] = "";
	FILE *file = fopen(in_dir(web, "pin"), "r");

	cr_assert(file && fgets(line, sizeof line, file));
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return mem_strdup(web->lab, line);
}

static struct web *web_start(void)
{
	struct web *web = MEM_NEW(NULL, struct web);

	web->fixture = fixture_start(web, "web", "start", NULL);
	if (web->fixture->result == FIXTURE_NOT_INSTALLED)
		cr_skip_test("Apache is not installed");
	cr_assert_eq(web->fixture->result, 0);
	web->lab = lab_new(lab_always, &web->unused);
	web->lab->site = (struct http_site){ .tls_ca = in_dir(web, "ca.pem") };
	return web;
}

static void web_end(struct web *web)
{
	fixture_end(web->fixture);
	talloc_free(web->lab);
	talloc_free(web);
}

static void as_ana(struct web *web, const char *password)
{
	web->lab->site.user = "ana";
	web->lab->site.password = secret_new(web->lab, password, strlen(password));
}

/* PUTs COUNT texts below /FOLDER/ and reads them; returns how many came back as they were. The last
 * fault, or that of the last status, becomes *FAULT_R. */
static size_t put_and_get(struct web *web, const char *folder, size_t count, struct fault **fault_r)
{
	struct lab *lab = web->lab;
	struct http_request *requests = MEM_ARRAY(lab, struct http_request, 2 * count);
	size_t good = 0;

	for (size_t i = 0; i < 2 * count; i++) {
		requests[i].method = i < count ? "PUT" : "GET";
		requests[i].url =
			mem_printf(lab, "%s%s/%zu?x=y", web->fixture->url, folder, i % count);
		requests[i].body = i < count ? mem_printf(lab, "text %zu", i) : NULL;
		requests[i].body_len = i < count ? strlen(requests[i].body) : 0;
	}
	http_run(lab->http, lab, &lab->site, requests, count);
	http_run(lab->http, lab, &lab->site, requests + count, count);
	for (size_t i = 0; i < count; i++) {
		struct http_request *get = &requests[count + i];

		*fault_r = get->fault ? get->fault : http_status_fault(lab, get);
		good += !*fault_r && !strcmp(get->answer, requests[i].body);
	}
	return good;
}

static void expect_all(struct web *web, const char *folder)
{
	struct fault *fault = NULL;
	size_t good = put_and_get(web, folder, 50, &fault);

	cr_assert_eq(good, 50, "%s: %zu, %s", folder, good, fault ? fault->text : "no fault");
}

static void expect_none(struct web *web, const char *folder, enum fault_kind kind)
{
	struct fault *fault = NULL;
	size_t good = put_and_get(web, folder, 10, &fault);

	cr_assert_eq(good, 0, "%s: %zu, with %s", folder, good,
		     web->lab->site.tls_cert ? web->lab->site.tls_cert : "no certificate");
	lab_expect(fault, kind, folder);
}

Test(http_web, passwords)
{
	struct web *web = web_start();
	int64_t before;

	as_ana(web, "secret");
	expect_all(web, "basic");
	expect_all(web, "digest"); /* Basic was refused, Digest is offered */
	web->lab->site.challenge.known = false;
	web->lab->site.auth = HTTP_AUTH_DIGEST;
	before = http_stats(web->lab->http).requests;
	expect_all(web, "digest");
	cr_assert_leq(http_stats(web->lab->http).requests - before, 100 + HTTP_HOST_CONNECTIONS,
		      "a challenge for each request");
	web->lab->site.challenge.known = false;
	expect_none(web, "basic", FAULT_LOGIN);
	as_ana(web, "s3cr3t");
	expect_none(web, "digest", FAULT_LOGIN);
	cr_assert_leq(http_stats(web->lab->http).connections, HTTP_HOST_CONNECTIONS);
	web_end(web);
}

Test(http_web, certificates)
{
	struct web *web = web_start();
	struct http_site *site = &web->lab->site;

	site->auth = HTTP_AUTH_CERTIFICATE;
	expect_none(web, "cert", FAULT_REFUSED);
	site->tls_cert = in_dir(web, "client.pem");
	expect_all(web, "cert"); /* not over the connections that were there already */
	site->tls_cert = in_dir(web, "other-client.pem");
	expect_none(web, "cert", FAULT_REFUSED);
	site->tls_cert = NULL;
	expect_none(web, "cert", FAULT_REFUSED); /* nor over those with the certificate */
	site->tls_cert = in_dir(web, "client.crt");
	site->tls_key = in_dir(web, "other-client.key");
	expect_none(web, "cert", FAULT_TLS);
	site->tls_key = in_dir(web, "client.key");
	expect_all(web, "cert");
	site->tls_cert = in_dir(web, "no-such.pem");
	expect_none(web, "cert", FAULT_TLS);
	web_end(web);
}

Test(http_web, pins)
{
	struct web *web = web_start();
	struct http_site *site = &web->lab->site;
	const char *wrong = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct fault *fault = NULL;

	expect_all(web, "open");
	site->tls_pin = wrong; /* not over the connections that were there already */
	cr_assert_eq(put_and_get(web, "open", 10, &fault), 0);
	lab_expect(fault, FAULT_TLS, "pin");
	cr_assert_not_null(strstr(fault->text, pin_of(web)), "%s", fault->text);
	site->tls_pin = mem_printf(web->lab, "%s;%s", wrong, pin_of(web));
	expect_all(web, "open");
	site->tls_ca =
		in_dir(web, "other-ca.pem"); /* a good key does not stand for a certificate */
	expect_none(web, "open", FAULT_TLS);
	web_end(web);
}
