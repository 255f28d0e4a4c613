#include "config.h"

#include "imap_lab.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

struct imap_lab *imap_lab_new(const struct imap_script *script)
{
	struct imap_lab *lab = MEM_NEW(NULL, struct imap_lab);

	lab->server = imap_server_new(lab, script);
	lab->options.host = "127.0.0.1";
	lab->options.port = imap_server_port(lab->server);
	lab->options.stop_fd = -1;
	lab->options.user = "ana";
	lab->options.password = secret_new(lab, IMAP_LAB_PASSWORD, strlen(IMAP_LAB_PASSWORD));
	lab->options.trusts = trusts_new(lab);
	lab->options.command_ms = IMAP_LAB_LONG_MS;
	return lab;
}

void imap_lab_end(struct imap_lab *lab)
{
	TALLOC_FREE(lab->session);
	talloc_free(lab);
}

int64_t imap_lab_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void imap_lab_fault(const struct fault *fault, enum fault_kind kind, const char *what)
{
	cr_assert_not_null(fault, "%s: no fault", what);
	cr_expect_eq(fault->kind, kind, "%s: expected %s, got %s: %s", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	cr_expect_null(strstr(fault->text, IMAP_LAB_PASSWORD), "%s: password shown: %s", what,
		       fault->text);
	cr_expect_null(strstr(fault->text, "AGFuYQBz"), "%s: password shown: %s", what,
		       fault->text);
	cr_expect_null(strpbrk(fault->text, "\r\n"), "%s: %s", what, fault->text);
}

void imap_lab_none(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: %s: %s", what, fault_kind_name(fault->kind), fault->text);
}

void imap_lab_open(struct imap_lab *lab)
{
	imap_lab_none(imap_session_open(lab, &lab->options, &lab->session), "open");
}

struct imap_line *imap_lab_append(TALLOC_CTX *mem, const char *body, size_t n)
{
	struct imap_line *line = imap_line_new(mem, "APPEND ", true);

	imap_line_mailbox(line, "box");
	imap_line_add(line, " (\\Seen) ");
	imap_line_literal(line, body, n);
	return line;
}
