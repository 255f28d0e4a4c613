#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"
#include "mappers/message_mail.h"
#include "mappers/card_reply.h"

/* What people's clients send. Own samples, in the shapes of those clients. */
static const struct {
	const char *what, *text;
	int64_t percent, status; /* -1: not said */
	const char *note;
} texts[] = {
	{ "a key line alone", "Percent: 60\n", 60, -1, "" },
	{ "Gmail",
	  "Percent: 60\r\n+2h review\r\n\r\nOn Mon, Nov 16, 2026 at 9:12 AM Harbour <\r\n"
	  "taskferry@pm.example.com> wrote:\r\n\r\n> Task: Paint\r\n> Percent: 10\r\n",
	  60, -1, "+2h review" },
	{ "Gmail in German",
	  "Status: done\n\nAm Mo., 16. Nov. 2026 um 09:12 Uhr schrieb Harbour "
	  "<tf@pm.example.com>:\n\n> Percent: 10\n",
	  -1, STATUS_COMPLETED, "" },
	{ "Apple Mail",
	  "done\n\nSent from my iPhone\n\n> On 16. Nov 2026, at 09:12, Harbour <a@b.example> "
	  "wrote:\n> \n> Percent: 10\n",
	  -1, STATUS_COMPLETED, "" },
	{ "Outlook",
	  "60%\r\n\r\nFrom: Harbour <tf@pm.example.com>\r\nSent: Monday, November 16, 2026 9:12\r\n"
	  "To: Ana\r\nSubject: Paint\r\n\r\nTask: Paint\r\nPercent: 10\r\n",
	  60, -1, "" },
	{ "Outlook in German, old",
	  "Percent: 60\n\n-----Urspr\u00fcngliche Nachricht-----\nVon: Harbour\nPercent: 10\n", 60,
	  -1, "" },
	{ "Outlook on the web",
	  "Percent: 60\n________________________________\nFrom: Harbour\nPercent: 10\n", 60, -1,
	  "" },
	{ "Thunderbird with a signature",
	  "Percent: 60\nThe paint had to dry.\n\n-- \nAna Berg\nPercent: 10\n", 60, -1,
	  "The paint had to dry." },
	{ "mutt", "  Percent : 60 %\n\nOn Mon, Nov 16, 2026 at 09:12:00AM +0000, H wrote:\n> x\n",
	  60, -1, "" },
	{ "our card, quoted by nobody's rules", "60 %\n\nTask: Paint\nPercent: 10\n", 60, -1, "" },
	{ "the separator of our card", "60%\n--- taskferry ---\n| Percent: 10\n", 60, -1, "" },
	{ "only a quote", "> Percent: 60\n", -1, -1, "" },
	{ "nothing", "\n\n", -1, -1, "" },
	{ "words", "Thanks, will do.\n", -1, -1, "Thanks, will do." },
	{ "a value that is not alone", "done by Friday\n", -1, -1, "done by Friday" },
	{ "a value that does not come first", "Hello,\ndone\n", -1, -1, "Hello,\ndone" },
	{ "a sentence like an introduction",
	  "On Friday I was away.\nPercent: 60\n\nOn Mon, Harbour wrote:\n> Percent: 10\n", 60, -1,
	  "On Friday I was away." },
	{ "two of one key", "Percent: 50\nPercent: 60\n", 60, -1, "" },
	{ "a note by its key", "Notes: dry by now\n", -1, -1, "dry by now" },
	{ "work", "Work: 3h\n", -1, -1, "Work: 3h" },
	{ "a value that is not understood", "Percent: many\n", -1, -1, "Percent: many" },
};

Test(reply, texts)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct card_reply *reply = card_reply_read(mem, texts[i].text);

		cr_expect_eq(vector_get(reply->values, FIELD_percent, -1), texts[i].percent,
			     "%s: %lld %%", texts[i].what,
			     (long long)vector_get(reply->values, FIELD_percent, -1));
		cr_expect_eq(vector_get(reply->values, FIELD_status, -1), texts[i].status, "%s",
			     texts[i].what);
		cr_expect_str_eq(reply->note, texts[i].note, "%s: '%s'", texts[i].what,
				 reply->note);
		cr_expect_eq(reply->any,
			     texts[i].percent >= 0 || texts[i].status >= 0 || *texts[i].note, "%s",
			     texts[i].what);
		talloc_free(mem);
	}
}

Test(reply, names_what_it_does_not_understand)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct card_reply *reply = card_reply_read(mem, "Percent: many\nStatus: done\n");

	cr_assert_eq(reply->problem_count, 1);
	cr_expect_str_eq(reply->problems[0], "Percent: \"many\" is not understood");
	cr_expect_eq(vector_get(reply->values, FIELD_status, -1), STATUS_COMPLETED);
	talloc_free(mem);
}

Test(reply, is_bounded)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_size(mem, 2000001);
	struct card_reply *reply;

	memset(text, 'a', 2000000);
	for (size_t i = 60; i < 2000000; i += 60)
		text[i] = '\n';
	text[2000000] = '\0';
	reply = card_reply_read(mem, text);
	cr_expect_leq(strlen(reply->note), CARD_REPLY_NOTE_MAX);
	talloc_free(mem);
}

/* ---- mails ---- */

static struct message_mail *mail_of(TALLOC_CTX *mem, const char *text)
{
	struct message_mail *mail = NULL;
	struct fault *fault = message_mail_read(mem, text, strlen(text), "mx.example.com", &mail);

	cr_assert_null(fault, "%s", fault ? fault->text : "");
	return mail;
}

#define BODY "\r\nPercent: 60\r\n"

Test(mail, envelope)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct message_mail *mail = mail_of(
		mem,
		"From: \"Berg, Ana <x@y>\" (at (home)) <Ana@Example.com>\r\n"
		"To: Team: bob@example.com, <tasks+abc@example.com>;\r\n"
		"Cc: =?utf-8?q?J=C3=B6?= <jo@example.com>\r\n"
		"Delivered-To: tasks@example.com\r\n"
		"Message-ID: <1@example.com>\r\n"
		"In-Reply-To: <two@pm>\r\nReferences: <zero@pm>\r\n <one@pm> <two@pm>\r\n" BODY);

	cr_assert_eq(mail->from.count, 1);
	cr_expect_str_eq(mail->from.list[0], "ana@example.com");
	cr_assert_eq(mail->to.count, 4);
	cr_expect_str_eq(mail->to.list[0], "tasks@example.com");
	cr_expect_str_eq(mail->to.list[1], "bob@example.com");
	cr_expect_str_eq(mail->to.list[2], "tasks+abc@example.com");
	cr_expect_str_eq(mail->to.list[3], "jo@example.com");
	cr_expect_str_eq(mail->message_id, "1@example.com");
	cr_assert_eq(mail->refs.count, 4);
	cr_expect_str_eq(mail->refs.list[0], "two@pm");
	cr_expect_str_eq(mail->refs.list[2], "one@pm");
	cr_expect_null(mail->machine);
	cr_expect_null(mail->dmarc_domain);
	cr_expect_str_eq(mail->text, "Percent: 60\n");
	talloc_free(mem);
}

Test(mail, several_authors)
{
	static const char *const headers[] = { "From: a@b.example, c@d.example\r\n" BODY,
					       "From: a@b.example\r\nFrom: c@d.example\r\n" BODY };

	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);

		cr_expect_eq(mail_of(mem, headers[i])->from.count, 2, "%zu", i);
		talloc_free(mem);
	}
}

Test(mail, machines)
{
	static const struct {
		const char *field;
		bool machine;
	} rows[] = {
		{ "Auto-Submitted: auto-replied", true },
		{ "auto-submitted: No", false },
		{ "Precedence: bulk", true },
		{ "Precedence: first-class", false },
		{ "Return-Path: <>", true },
		{ "Return-Path: <ana@example.com>", false },
		{ "X-Auto-Response-Suppress: All", true },
		{ "List-Id: <x.example.com>", true },
		{ "X-Taskferry-UID: 1", true },
		{ "From: MAILER-DAEMON@example.com", true },
		{ "Content-Type: multipart/report; boundary=x; report-type=delivery-status", true },
		{ "X-Mailer: mutt", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct message_mail *mail =
			mail_of(mem, talloc_asprintf(mem, "%s\r\n" BODY, rows[i].field));

		cr_expect_eq(mail->machine != NULL, rows[i].machine, "%s", rows[i].field);
		talloc_free(mem);
	}
}

#define AR "Authentication-Results: "

Test(mail, authentication_results)
{
	static const struct {
		const char *what, *header, *domain;
	} rows[] = {
		{ "passed",
		  AR "mx.example.com;\r\n spf=pass smtp.mailfrom=x.example;\r\n"
		     " dmarc=pass (policy=none; x=y) header.from=example.com\r\n",
		  "example.com" },
		{ "by another name of the same",
		  AR "MX.Example.COM 1; dmarc = pass header.from = \"Example.com\"\r\n",
		  "example.com" },
		{ "failed", AR "mx.example.com; dmarc=fail header.from=example.com\r\n", NULL },
		{ "not said", AR "mx.example.com; spf=pass\r\n", NULL },
		{ "none", AR "mx.example.com; none\r\n", NULL },
		{ "for nobody", AR "mx.example.com; dmarc=pass\r\n", NULL },
		{ "said by somebody else",
		  AR "evil.example.com; dmarc=pass header.from=example.com\r\n", NULL },
		{ "in a comment",
		  AR "mx.example.com; spf=fail (dmarc=pass header.from=example.com)\r\n", NULL },
		{ "in a property",
		  AR "mx.example.com; spf=pass x.dmarc=pass "
		     "header.from=example.com\r\n",
		  NULL },
		{ "in a quoted string",
		  AR "mx.example.com; spf=fail reason=\"; dmarc=pass header.from=example.com\"\r\n",
		  NULL },
		{ "in a field of its own above",
		  AR "mx.example.com; dmarc=pass header.from=example.com\r\n" AR
		     "mx.example.com; spf=fail\r\n",
		  "example.com" },
		{ "below others' fields",
		  AR "other.example; dmarc=fail header.from=x\r\nReceived: by x\r\n" AR
		     "mx.example.com; dmarc=pass header.from=example.com\r\n",
		  "example.com" },
		{ "forged below the true one",
		  AR "mx.example.com; dmarc=fail header.from=example.com\r\n" AR
		     "mx.example.com; dmarc=pass header.from=example.com\r\n",
		  NULL },
		{ "forged further below, where the true one says nothing",
		  AR "mx.example.com; spf=fail\r\nReceived: from evil\r\n" AR
		     "mx.example.com; dmarc=pass header.from=example.com\r\n",
		  NULL },
		{ "two that disagree",
		  AR "mx.example.com; dmarc=pass header.from=a.example; dmarc=pass "
		     "header.from=b.example\r\n",
		  NULL },
		{ "without an end", AR "mx.example.com (\r\n", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct message_mail *mail =
			mail_of(mem, talloc_asprintf(mem, "%sFrom: a@example.com\r\n" BODY,
						     rows[i].header));

		cr_expect(rows[i].domain ? mail->dmarc_domain &&
						   !strcmp(mail->dmarc_domain, rows[i].domain)
					 : !mail->dmarc_domain,
			  "%s: %s", rows[i].what, mail->dmarc_domain);
		talloc_free(mem);
	}
}

Test(mail, nobody_is_believed_without_a_name)
{
	static const char text[] =
		AR "; dmarc=pass header.from=example.com\r\nFrom: a@example.com\r\n" BODY;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct message_mail *mail = NULL;

	cr_assert_null(message_mail_read(mem, text, strlen(text), NULL, &mail));
	cr_expect_null(mail->dmarc_domain);
	talloc_free(mem);
}

Test(mail, html_alone)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct message_mail *mail = mail_of(
		mem, "From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
		     "<html><head><title>x</title><style>p { Percent: 5 }</style></head><body>"
		     "<div>Percent: 60</div><div>+2h&nbsp;review &amp; more</div><br>\r\n"
		     "<blockquote><p>Percent: 10</p></blockquote></body></html>\r\n");
	struct card_reply *reply = card_reply_read(mem, mail->text);

	cr_expect_eq(vector_get(reply->values, FIELD_percent, -1), 60, "%s", mail->text);
	cr_expect_str_eq(reply->note, "+2h review & more");
	talloc_free(mem);
}
