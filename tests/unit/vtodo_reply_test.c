#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "mappers/message_mail.h"
#include "mappers/vtodo_reply.h"

#define HEAD "BEGIN:VCALENDAR\r\nPRODID:-//Own//Sample//EN\r\nVERSION:2.0\r\n"
#define FOOT "END:VTODO\r\nEND:VCALENDAR\r\n"
#define TODO HEAD "METHOD:REPLY\r\nBEGIN:VTODO\r\n"
#define CORE "UID:7a2c\r\nDTSTAMP:20261104T082207Z\r\n"
#define ANA "ATTENDEE:mailto:ana@example.com\r\n"
#define PART(word) "ATTENDEE;PARTSTAT=" word ":mailto:ana@example.com\r\n"

/* Own samples, in the shapes of those programs. */
#define KDE(part)                                                                                  \
	TODO "DTSTAMP:20261104T082207Z\r\nORGANIZER;CN=\"Office\":MAILTO:office@example.com\r\n"   \
	     "ATTENDEE;CN=\"Ana: Berg\";RSVP=TRUE;PARTSTAT=" part ";ROLE=REQ-PARTICIPANT;\r\n"     \
	     " X-UID=25640640:mailto:Ana@Example.com\r\nCREATED:20261020T121213Z\r\nUID:7a2c\r\n"  \
	     "LAST-MODIFIED:20261104T082207Z\r\nDESCRIPTION:What is to be done\\n1. ...\r\n"       \
	     "SUMMARY:Paint\r\nPRIORITY:5\r\nDUE:20261127T131000Z\r\nPERCENT-COMPLETE:0\r\n"       \
	     "REQUEST-STATUS:2.0;Success.\r\n" FOOT
#define KOLAB                                                                                      \
	TODO "UID:7a2c\r\nDTSTAMP:20261104T082207Z\r\nCREATED:20261020T121213Z\r\n"                \
	     "DUE;VALUE=DATE:20261127\r\nSUMMARY:Paint\r\nSEQUENCE:3\r\nPRIORITY:0\r\n"            \
	     "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40\r\n"                                        \
	     "ORGANIZER;CN=Office:mailto:office@example.com\r\n"                                   \
	     "ATTENDEE;CN=\"Berg, Ana\";PARTSTAT=IN-PROCESS;ROLE=REQ-PARTICIPANT:mailto:ana@e\r\n" \
	     " xample.com\r\n" FOOT

/* -1: not said; CLEARED_: taken back */
#define CLEARED_ (-2)

static const struct {
	const char *what, *text;
	enum vtodo_reply_part part;
	int64_t status, percent, sequence;
	const char *note;
	size_t problems;
} good[] = {
	{ "KDE accepts", KDE("ACCEPTED"), VTODO_REPLY_ACCEPTED, -1, -1, 0, "", 0 },
	{ "KDE declines", KDE("DECLINED"), VTODO_REPLY_DECLINED, -1, -1, 0, "", 0 },
	{ "KDE is not sure", KDE("TENTATIVE"), VTODO_REPLY_NEEDS_ACTION, -1, -1, 0, "", 0 },
	{ "KDE hands on", KDE("DELEGATED"), VTODO_REPLY_DELEGATED, -1, -1, 0, "", 0 },
	{ "Kolab", KOLAB, VTODO_REPLY_ACCEPTED, STATUS_IN_PROCESS, 40, 3, "", 0 },
	{ "nothing said", TODO CORE ANA FOOT, VTODO_REPLY_NEEDS_ACTION, -1, -1, 0, "", 0 },
	{ "in lower case", TODO CORE PART("completed") FOOT, VTODO_REPLY_ACCEPTED, STATUS_COMPLETED,
	  -1, 0, "", 0 },
	{ "completed by STATUS", TODO CORE PART("IN-PROCESS") "STATUS:COMPLETED\r\n" FOOT,
	  VTODO_REPLY_ACCEPTED, STATUS_COMPLETED, -1, 0, "", 0 },
	{ "completed by PARTSTAT", TODO CORE PART("COMPLETED") "STATUS:IN-PROCESS\r\n" FOOT,
	  VTODO_REPLY_ACCEPTED, STATUS_COMPLETED, -1, 0, "", 0 },
	{ "begun, beside a copy", TODO CORE PART("IN-PROCESS") "STATUS:NEEDS-ACTION\r\n" FOOT,
	  VTODO_REPLY_ACCEPTED, STATUS_IN_PROCESS, -1, 0, "", 0 },
	{ "opened again",
	  TODO CORE PART("NEEDS-ACTION") "STATUS:NEEDS-ACTION\r\nPERCENT-COMPLETE:0\r\n" FOOT,
	  VTODO_REPLY_NEEDS_ACTION, STATUS_NEEDS_ACTION, CLEARED_, 0, "", 0 },
	{ "a copy", TODO CORE PART("ACCEPTED") "STATUS:NEEDS-ACTION\r\nPERCENT-COMPLETE:0\r\n" FOOT,
	  VTODO_REPLY_ACCEPTED, -1, -1, 0, "", 0 },
	{ "declined, with copies",
	  TODO CORE PART("DECLINED") "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40\r\n" FOOT,
	  VTODO_REPLY_DECLINED, -1, -1, 0, "", 0 },
	{ "cancelled is not the attendee's", TODO CORE ANA "STATUS:CANCELLED\r\n" FOOT,
	  VTODO_REPLY_NEEDS_ACTION, -1, -1, 0, "", 0 },
	{ "comments",
	  TODO CORE ANA "COMMENT:Dry by\\, say\\, noon\r\nCOMMENT;LANGUAGE=en:+1h paint\r\n" FOOT,
	  VTODO_REPLY_NEEDS_ACTION, -1, -1, 0, "Dry by, say, noon\n+1h paint", 0 },
	{ "an alarm's ATTENDEE is another's",
	  TODO CORE ANA "BEGIN:VALARM\r\nATTENDEE:mailto:eve@example.com\r\nEND:VALARM\r\n" FOOT,
	  VTODO_REPLY_NEEDS_ACTION, -1, -1, 0, "", 0 },
	{ "what is not understood",
	  TODO CORE PART("X-MAYBE") "STATUS:MAYBE\r\nPERCENT-COMPLETE:140\r\nDUE:soon\r\n" FOOT,
	  VTODO_REPLY_NEEDS_ACTION, -1, -1, 0, "", 3 },
};

static int64_t said(const struct vtodo_reply *reply, enum field field)
{
	return reply->values->value[field].presence == CLEARED
		       ? CLEARED_
		       : vector_get(reply->values, field, -1);
}

Test(vtodo_reply, reads)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct vtodo_reply *reply = NULL;
		struct fault *fault =
			vtodo_reply_read(mem, good[i].text, strlen(good[i].text), &reply);

		cr_assert_null(fault, "%s: %s", good[i].what, fault ? fault->text : "");
		cr_expect_str_eq(reply->uid, "7a2c", "%s", good[i].what);
		cr_expect_str_eq(reply->attendee, "ana@example.com", "%s: %s", good[i].what,
				 reply->attendee);
		cr_expect_eq(reply->part, good[i].part, "%s: %s", good[i].what,
			     vtodo_reply_part_name(reply->part));
		cr_expect_eq(said(reply, FIELD_status), good[i].status, "%s: status %lld",
			     good[i].what, (long long)said(reply, FIELD_status));
		cr_expect_eq(said(reply, FIELD_percent), good[i].percent, "%s: percent %lld",
			     good[i].what, (long long)said(reply, FIELD_percent));
		cr_expect_eq(reply->sequence, good[i].sequence, "%s", good[i].what);
		cr_expect_eq(reply->stamp_us, 1793780527LL * 1000000, "%s: %lld", good[i].what,
			     (long long)reply->stamp_us);
		cr_expect_str_eq(reply->note, good[i].note, "%s: '%s'", good[i].what, reply->note);
		cr_expect_eq(reply->problem_count, good[i].problems, "%s: %zu problems",
			     good[i].what, reply->problem_count);
		cr_expect_eq(reply->values->value[FIELD_due].presence, ABSENT, "%s", good[i].what);
		talloc_free(mem);
	}
}

Test(vtodo_reply, says_when_it_was_completed)
{
	static const char text[] =
		TODO CORE PART("COMPLETED") "COMPLETED:20261103T120000Z\r\n" FOOT,
			  open[] = TODO CORE ANA "COMPLETED:20261103T120000Z\r\n" FOOT;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct vtodo_reply *reply = NULL;

	cr_assert_null(vtodo_reply_read(mem, text, strlen(text), &reply));
	cr_expect_eq(reply->values->value[FIELD_completed_at].presence, SET);
	cr_assert_null(vtodo_reply_read(mem, open, strlen(open), &reply));
	cr_expect_eq(reply->values->value[FIELD_completed_at].presence, ABSENT);
	talloc_free(mem);
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ HEAD "BEGIN:VTODO\r\n" CORE ANA FOOT, "METHOD:REPLY" },
	{ HEAD "METHOD:REQUEST\r\nBEGIN:VTODO\r\n" CORE ANA FOOT, "METHOD:REPLY" },
	{ HEAD "METHOD:REPLY\r\nMETHOD:CANCEL\r\nBEGIN:VTODO\r\n" CORE ANA FOOT,
	  "more than one METHOD" },
	{ "BEGIN:VTODO\r\nMETHOD:REPLY\r\n" CORE ANA "END:VTODO\r\n", "METHOD:REPLY" },
	{ HEAD "METHOD:REPLY\r\nBEGIN:VEVENT\r\n" CORE ANA "END:VEVENT\r\nEND:VCALENDAR\r\n",
	  "no VTODO" },
	{ TODO CORE ANA "END:VTODO\r\nBEGIN:VTODO\r\n" CORE ANA FOOT, "more than one VTODO" },
	{ TODO CORE ANA "END:VTODO\r\nBEGIN:VTODO\r\nRECURRENCE-ID:20261104T082207Z\r\n" CORE FOOT,
	  "more than one VTODO" },
	{ TODO CORE FOOT, "one ATTENDEE" },
	{ TODO CORE ANA "ATTENDEE:mailto:eve@example.com\r\n" FOOT, "one ATTENDEE" },
	{ TODO CORE "ATTENDEE:urn:uuid:1\r\n" FOOT, "no address" },
	{ TODO CORE "ATTENDEE:mailto:\r\n" FOOT, "no address" },
	{ TODO "DTSTAMP:20261104T082207Z\r\n" ANA FOOT, "no UID" },
	{ TODO "UID:7a2c\r\n" ANA FOOT, "no DTSTAMP" },
	{ TODO "UID:7a2c\r\nDTSTAMP:20261104T082207\r\n" ANA FOOT, "UTC" },
	{ TODO "UID:7a2c\r\nDTSTAMP:20261104\r\n" ANA FOOT, "UTC" },
	{ TODO CORE ANA "SEQUENCE:-1\r\n" FOOT, "SEQUENCE" },
	{ TODO CORE ANA "SEQUENCE:2147483648\r\n" FOOT, "SEQUENCE" },
	{ TODO CORE ANA "RRULE:FREQ=DAILY\r\n" FOOT, "series" },
	{ TODO CORE ANA, "" },
	{ "", "" },
};

Test(vtodo_reply, refuses)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct vtodo_reply *reply = NULL;
		struct fault *fault =
			vtodo_reply_read(mem, bad[i].text, strlen(bad[i].text), &reply);

		cr_assert_not_null(fault, "%s", bad[i].text);
		cr_expect_null(reply);
		cr_expect_eq(fault->kind, FAULT_DATA, "%s", bad[i].text);
		cr_expect_not_null(strstr(fault->text, bad[i].why), "%s: %s", fault->text,
				   bad[i].text);
		talloc_free(mem);
	}
}

/* ---- where it stands in a mail ---- */

#define FIELDS_ "From: <ana@example.com>\r\nMIME-Version: 1.0\r\n"
#define CALENDAR(params) "Content-Type: text/calendar" params "\r\n"

static const struct {
	const char *what, *text, *reply; /* what it begins with; NULL: there is none */
} mails[] = {
	{ "the whole mail", FIELDS_ CALENDAR("; method=REPLY; charset=utf-8") "\r\nONE", "ONE" },
	{ "quoted, in lower case, folded", FIELDS_ CALENDAR(";\r\n method=\"reply\"") "\r\nONE",
	  "ONE" },
	{ "no method", FIELDS_ CALENDAR("") "\r\nONE", NULL },
	{ "another method", FIELDS_ CALENDAR("; method=REQUEST") "\r\nONE", NULL },
	{ "another type", FIELDS_ "Content-Type: text/plain; method=REPLY\r\n\r\nONE", NULL },
	{ "deep down, in base64",
	  FIELDS_
	  "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
	  "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
	  "--b\r\n" CALENDAR(
		  "; method=REPLY; charset=\"UTF-8\"") "Content-Transfer-Encoding: "
						       "base64\r\n\r\nT05F\r\n--b--\r\n--a--\r\n",
	  "ONE" },
	{ "as a file",
	  FIELDS_
	  "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\ntext\r\n--a\r\n" CALENDAR(
		  "; method=REPLY; name=cal.ics") "Content-Disposition: attachment; "
						  "filename=cal.ics\r\n\r\nONE\r\n--a--\r\n",
	  "ONE" },
	{ "behind one with another method",
	  FIELDS_ "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" CALENDAR(
		  "; method=REQUEST") "\r\nTWO\r\n--a\r\n" CALENDAR("; method=REPLY") "\r\nONE\r\n-"
										      "-a--\r\n",
	  "ONE" },
	{ "of a mail that is attached",
	  FIELDS_
	  "Content-Type: message/rfc822\r\n\r\n" FIELDS_ CALENDAR("; method=REPLY") "\r\nONE",
	  NULL },
	{ "in another charset", FIELDS_ CALENDAR("; method=REPLY; charset=iso-8859-1") "\r\n\xe4",
	  "\xc3\xa4" },
};

Test(vtodo_reply, is_found_in_a_mail)
{
	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct message_mail *mail = NULL;

		cr_assert_null(
			message_mail_read(mem, mails[i].text, strlen(mails[i].text), NULL, &mail),
			"%s", mails[i].what);
		cr_expect_eq(!mail->reply, !mails[i].reply, "%s", mails[i].what);
		if (mail->reply && mails[i].reply)
			cr_expect(!strncmp(mail->reply, mails[i].reply, strlen(mails[i].reply)) &&
					  strlen(mail->reply) == mail->reply_len,
				  "%s: %s", mails[i].what, mail->reply);
		talloc_free(mem);
	}
}
