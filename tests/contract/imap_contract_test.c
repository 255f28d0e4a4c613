/* imap_contract_test.c - the contract on a real Dovecot.
 *
 * takes: 20
 * timeout: 400
 */
#include "config.h"

#include "imap_kit.h"

#include <inttypes.h>

/* The endpoint contract over real Dovecots, and over one that does without a capability; and what
 * an account needs to be one. */

static void run(int kind, uint64_t without, const char *name,
		void body(struct contract_world *world))
{
	struct lab *lab = lab_new(kind, without, "%s %" PRIx64, name, without);

	body(&lab->world);
	lab_end(lab);
}

#define CONTRACT(suite, kind, without, name)                                                       \
	Test(suite, name)                                                                          \
	{                                                                                          \
		run(kind, without, #name, endpoint_contract_##name);                               \
	}

#define X(name)                                                                                    \
	CONTRACT(imap_maildir_dot, DOT, 0, name)                                                   \
	CONTRACT(imap_maildir_slash, SLASH, 0, name)                                               \
	CONTRACT(imap_fs, FS, 0, name)                                                             \
	CONTRACT(imap_sdbox, SDBOX, 0, name)                                                       \
	CONTRACT(imap_without_anything, DOT, UINT64_MAX, name)
ENDPOINT_CONTRACT(X)
#undef X

/* What reading or writing makes use of. */
#define WITHOUT(X)                                                                                 \
	X(CONDSTORE)                                                                               \
	X(ESEARCH)                                                                                 \
	X(LITERAL_PLUS)                                                                            \
	X(MOVE)                                                                                    \
	X(MULTIAPPEND)                                                                             \
	X(NAMESPACE)                                                                               \
	X(QRESYNC)                                                                                 \
	X(SAVEDATE)                                                                                \
	X(UIDPLUS)
#define X(id)                                                                                      \
	Test(imap_without, id)                                                                     \
	{                                                                                          \
		contract_without(DOT, IMAP_CAP_##id);                                              \
	}
WITHOUT(X)
#undef X

/* ---- accounts ---- */

static struct fault *probe_at(struct lab *lab, struct endpoint *endpoint)
{
	struct endpoint_probe *probe = NULL;

	return endpoint_probe(endpoint, lab, &probe);
}

Test(imap_account, a_wrong_password_is_a_login_fault_without_the_password)
{
	struct lab *lab = lab_new(DOT, 0, "wrong");
	struct fault *fault = probe_at(lab, account(lab, lab->url, "wr0ng-secret", 0));

	expect(fault, FAULT_LOGIN, FAULT_SCOPE_ACCOUNT, "probe");
	cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
	lab_end(lab);
}

Test(imap_account, a_server_that_is_down_is_unreachable)
{
	struct lab *lab = lab_new(DOT, 0, "down");
	struct fault *fault = probe_at(lab, account(lab, "imap://127.0.0.1:1", "secret", 0));

	expect(fault, FAULT_UNREACHABLE, FAULT_SCOPE_SERVER, "probe");
	cr_assert_not(fault->maybe_done);
	lab_end(lab);
}

static const char *const wrong_urls[] = {
	"",
	"imap",
	"imap:",
	"imap://",
	"imap:///",
	"http://127.0.0.1",
	"IMAP//127.0.0.1",
	"imap://ana@127.0.0.1",
	"imap://ana:secret@127.0.0.1",
	"imap://127.0.0.1:",
	"imap://127.0.0.1:0",
	"imap://127.0.0.1:65536",
	"imap://127.0.0.1:-143",
	"imap://127.0.0.1:+143",
	"imap://127.0.0.1:143x",
	"imap://127.0.0.1:143/INBOX",
	"imap://127.0.0.1//",
	"imap://::1",
	"imap://[::1",
	"imap://[::1]x",
	"imap://[127.0.0.1]",
	"imap://[::1]:",
	"imap://-host",
	"imap://.host",
	"imap://a b",
	"imap://a\r\nb",
	"imap://host?x",
	"imap://host#x",
	"imaps://*",
};

Test(imap_account, a_wrong_url_is_configuration)
{
	struct lab *lab = lab_new(DOT, 0, "urls");

	for (size_t i = 0; i < COUNT_OF(wrong_urls); i++) {
		struct fault *fault = probe_at(lab, account(lab, wrong_urls[i], "secret", 0));

		expect(fault, FAULT_CONFIG, FAULT_SCOPE_SERVER, wrong_urls[i]);
		cr_assert_eq(fault->next, FAULT_NEXT_HOLD);
	}
	lab_end(lab);
}

Test(imap_account, only_the_right_certificate_will_do)
{
	struct lab *lab = lab_new(DOT, 0, "tls");
	struct imap_account one = { .user = lab->user, .trusts = lab->trusts, .stop_fd = -1 };
	const char *other_ca =
		mem_printf(lab, "%.*sother-ca.pem", (int)strlen(lab->ca) - 6, lab->ca);
	const char *name = mem_printf(lab, "imaps://localhost%s/", strrchr(lab->tls_url, ':'));
	const struct {
		const char *what, *url, *ca;
		bool starttls, good;
	} cases[] = {
		{ "right CA", lab->tls_url, lab->ca, false, true },
		{ "right CA, by name", name, lab->ca, false, true },
		{ "STARTTLS", lab->url, lab->ca, true, true },
		{ "another CA", lab->tls_url, other_ca, false, false },
		{ "STARTTLS, another CA", lab->url, other_ca, true, false },
		{ "the system's CAs", lab->tls_url, NULL, false, false },
	};

	one.password = secret_new(lab, "secret", 6);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault *fault;

		one.url = cases[i].url;
		one.tls_ca = cases[i].ca;
		one.starttls = cases[i].starttls;
		fault = probe_at(lab, imap_new(lab, lab->clock, NULL, &one));
		if (cases[i].good)
			fine(fault, cases[i].what);
		else
			expect(fault, FAULT_TLS, FAULT_SCOPE_SERVER, cases[i].what);
	}
	lab_end(lab);
}

static const struct {
	const char *probe, *result, *without;
} findings[] = {
	{ "login", "yes", "yes" },   { "tls", "loopback", "loopback" },
	{ "IDLE", "yes", "no" },     { "NOTIFY", "yes", "no" },
	{ "CONDSTORE", "yes", "no" },
	{ "UIDPLUS", "yes", "no" },  { "MULTIAPPEND", "yes", "no" },
	{ "LITERAL+", "yes", "no" }, { "SAVEDATE", "yes", "no" },
	{ "OBJECTID", "no", "no" },  { "namespace", "none", "none" },
	{ "delimiter", ".", "." },   { "keywords", "not tried", "not tried" },
	{ "ACL", "no", "no" },
};

static void check_findings(uint64_t without)
{
	struct lab *lab = lab_new(DOT, without, "probe");
	struct endpoint_probe *probe = NULL;

	fine(endpoint_probe(lab->world.endpoint, lab, &probe), "probe");
	for (size_t i = 0; i < COUNT_OF(findings); i++) {
		const char *result = NULL,
			   *expected = without ? findings[i].without : findings[i].result;

		for (size_t j = 0; j < probe->count; j++)
			if (!strcmp(probe->findings[j].probe, findings[i].probe))
				result = probe->findings[j].result;
		cr_assert(text_same(result, expected), "%s: expected %s, got %s", findings[i].probe,
			  expected, result ? result : "nothing");
	}
	cr_assert_eq(probe->caps.modified_time, !without);
	cr_assert_eq(count_writes(&lab->world), 0);
	lab_end(lab);
}

Test(imap_account, probe_tells_what_there_is)
{
	check_findings(0);
	check_findings(UINT64_MAX);
}

Test(imap_account, what_it_took_is_counted)
{
	struct lab *lab = lab_new(DOT, 0, "counted");
	struct endpoint_stats before, after;
	char *folder;

	before = endpoint_stats(lab->world.endpoint);
	cr_assert(!before.requests && !before.connections, "something was sent before it was used");
	folder = new_folder(lab);
	(void)put(lab, folder, "uid-1", NULL);
	after = endpoint_stats(lab->world.endpoint);
	cr_assert(after.connections == 1 && after.requests > 3 && after.writes >= 3 &&
			  after.sent_bytes > 100 && after.received_bytes > 100,
		  "connections %lld, requests %lld, writes %lld", (long long)after.connections,
		  (long long)after.requests, (long long)after.writes);
	lab_end(lab);
}
