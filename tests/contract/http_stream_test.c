#include "config.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "lab.h"

/* Answers that are taken while they arrive: by slow takers, by takers that have had enough, cut in
 * the middle, without end, compressed. */

#define LONG_MS 60000 /* a deadline that nothing here comes near */
#define HEAD "HTTP/1.1 207 Multi\r\nETag: \"e\"\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n"

struct taker {
	size_t bytes, pieces, longest;
	bool in_order;   /* byte N is letter N % 26 */
	int nap_ms;      /* before each piece */
	int first_ms;    /* before the first */
	size_t enough;   /* bytes after which it refuses; 0: never */
	size_t refusals; /* and how often it did */
};

static void nap(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static struct fault *take(void *context, const struct http_request *request, const char *data,
			  size_t len)
{
	struct taker *taker = context;

	cr_assert_eq(request->status, 207);
	cr_assert_str_eq(request->etag, "\"e\"");
	cr_assert_neq(request->date_us, 0);
	nap(taker->pieces ? taker->nap_ms : taker->first_ms);
	for (size_t i = 0; i < len; i++)
		if (data[i] != (char)('a' + (taker->bytes + i) % 26))
			taker->in_order = false;
	taker->bytes += len;
	taker->pieces++;
	if (len > taker->longest)
		taker->longest = len;
	if (!taker->enough || taker->bytes < taker->enough)
		return NULL;
	taker->refusals++;
	return fault_new(NULL, FAULT_FULL, "enough");
}

static struct http_request taken(struct lab *lab, struct taker *taker, const char *path)
{
	struct http_request request = { .method = "REPORT", .deadline_ms = LONG_MS };

	*taker = (struct taker){ .in_order = true };
	request.url = mem_printf(lab, "%s%s", scripted_url(lab->server), path);
	request.take = take;
	request.take_context = taker;
	request.take_status = 207;
	return request;
}

static char *letters(TALLOC_CTX *mem, const char *head, size_t count)
{
	struct buf *text = buf_new(mem);

	buf_printf(text, "%sContent-Length: %zu\r\n\r\n", head, count);
	for (size_t i = 0; i < count; i++)
		buf_putc(text, (char)('a' + i % 26));
	return buf_steal(&text, mem, NULL);
}

#define MANY ((size_t)8 << 20) /* more than the pipe and all socket buffers on the way */

Test(http_stream, a_slow_taker_gets_all_in_small_pieces)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct taker taker;
	struct http_request request = taken(lab, &taker, "/x");

	answer.text = letters(lab, HEAD, MANY);
	taker.nap_ms = 1;
	taker.first_ms = 50; /* time enough for the pipe to fill */
	http_run(lab->http, lab, &lab->site, &request, 1);
	cr_assert_null(request.fault, "%s", request.fault->text);
	cr_assert_eq(taker.bytes, MANY);
	cr_assert(taker.in_order);
	cr_assert_leq(taker.longest, HTTP_PIPE_SIZE);
	cr_assert_eq(request.status, 207);
	cr_assert_eq(request.answer_len, 0);
	cr_assert_str_eq(request.answer, "");
	cr_assert_str_eq(request.etag, "\"e\"");
	talloc_free(lab);
}

Test(http_stream, a_deadline_holds_while_the_taker_sleeps)
{
	struct scripted_answer answer = { SCRIPTED_ENDLESS, HEAD "\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct taker taker;
	struct http_request request = taken(lab, &taker, "/x");

	request.deadline_ms = LAB_SHORT_MS;
	taker.first_ms = 3 * LAB_SHORT_MS;
	http_run(lab->http, lab, &lab->site, &request, 1);
	lab_expect(request.fault, FAULT_UNREACHABLE, "asleep");
	cr_assert_leq(taker.bytes, 3 * HTTP_PIPE_SIZE, "%zu bytes came through a closed pipe",
		      taker.bytes);
	talloc_free(lab);
}

Test(http_stream, cut_in_the_middle)
{
	struct scripted_answer answer = { SCRIPTED_CUT, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct taker taker;
	struct http_request request = taken(lab, &taker, "/x");

	answer.text = letters(lab, HEAD, MANY);
	answer.cut = MANY / 2;
	http_run(lab->http, lab, &lab->site, &request, 1);
	lab_expect(request.fault, FAULT_UNREACHABLE, "cut");
	cr_assert(taker.bytes && taker.bytes < MANY && taker.in_order);
	talloc_free(lab);
}

Test(http_stream, a_takers_fault_ends_the_transfer)
{
	struct scripted_answer answer = { SCRIPTED_ENDLESS, HEAD "\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct taker taker;
	struct http_request request = taken(lab, &taker, "/x");

	taker.enough = 1 << 20;
	http_run(lab->http, lab, &lab->site, &request, 1);
	lab_expect(request.fault, FAULT_FULL, "enough");
	cr_assert_str_eq(request.fault->text, "REPORT /x: enough");
	cr_assert_eq(taker.refusals, 1, "asked again after its fault");
	talloc_free(lab);
}

Test(http_stream, a_body_without_end_ends_at_its_bound)
{
	struct scripted_answer answer = { SCRIPTED_ENDLESS, HEAD "\r\n", 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	struct taker taker;
	struct http_request request = taken(lab, &taker, "/x");

	request.body_max = 1000000;
	http_run(lab->http, lab, &lab->site, &request, 1);
	lab_expect(request.fault, FAULT_PROTOCOL, "endless");
	cr_assert_leq(taker.bytes, request.body_max);
	talloc_free(lab);
}

static struct scripted_answer by_path(void *context, TALLOC_CTX *mem, const char *method,
				      const char *path, const char *request)
{
	const char *head = strstr(path, "refused") ? "HTTP/1.1 403 No\r\n" : HEAD;

	(void)context;
	(void)method;
	(void)request;
	return (struct scripted_answer){ SCRIPTED_KEEP, letters(mem, head, 300000), 0, 0 };
}

/* Several at once: each taker has its own, and what is refused is gathered, with its body. */
Test(http_stream, among_others)
{
	struct lab *lab = lab_new(by_path, NULL);
	struct http_request requests[40];
	struct taker takers[40];

	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		requests[i] = taken(lab, &takers[i], i % 3 == 1 ? "/refused" : "/x");
		takers[i].nap_ms = (int)i % 2;
		if (i % 3 == 2)
			requests[i].take = NULL;
	}
	http_run(lab->http, lab, &lab->site, requests, COUNT_OF(requests));
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		bool streamed = i % 3 == 0;

		cr_assert_null(requests[i].fault, "%zu", i);
		cr_assert_eq(requests[i].status, i % 3 == 1 ? 403 : 207);
		cr_assert_eq(takers[i].bytes, streamed ? 300000 : 0, "%zu", i);
		cr_assert_eq(requests[i].answer_len, streamed ? 0 : 300000, "%zu", i);
		cr_assert(takers[i].in_order);
	}
	talloc_free(lab);
}

Test(http_stream, a_trailer_is_no_second_head)
{
	struct scripted_answer answer = { SCRIPTED_ANSWER,
					  HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
					       "HTTP/9: x\r\nETag: \"false\"\r\n\r\n",
					  0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);

	for (int streamed = 0; streamed < 2; streamed++) {
		struct taker taker;
		struct http_request request = taken(lab, &taker, "/x");

		if (!streamed)
			request.take = NULL;
		http_run(lab->http, lab, &lab->site, &request, 1);
		cr_assert_null(request.fault);
		cr_assert_eq(taker.bytes + request.answer_len, 3);
		cr_assert_str_eq(request.etag, "\"e\"");
	}
	talloc_free(lab);
}

/* ---- compressed ---- */

static void put_le(struct buf *out, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_putc(out, (char)(value >> (8 * i)));
}

static uint32_t crc_of(const char *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

/* RFC 1951 and 1952, in blocks that are stored as they are. */
static void put_gzip(struct buf *out, const char *data, size_t len)
{
	static const char head[10] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

	buf_add(out, head, sizeof head);
	for (size_t at = 0, n; at < len; at += n) {
		n = len - at > 65535 ? 65535 : len - at;
		buf_putc(out, at + n == len);
		put_le(out, (uint32_t)n, 2);
		put_le(out, ~(uint32_t)n, 2);
		buf_add(out, data + at, n);
	}
	put_le(out, crc_of(data, len), 4);
	put_le(out, (uint32_t)len, 4);
}

Test(http_stream, compressed)
{
	struct scripted_answer answer = { SCRIPTED_CUT, NULL, 0, 0 };
	struct lab *lab = lab_new(lab_always, &answer);
	char *plain = strstr(letters(lab, "", MANY), "\r\n\r\n") + 4;

	for (int whole = 0; whole < 2; whole++) {
		struct taker taker;
		struct http_request request = taken(lab, &taker, "/x");
		struct buf *text = buf_new(lab), *body = buf_new(lab);

		put_gzip(body, plain, MANY);
		buf_printf(text, HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
			   body->len);
		buf_add(text, body->data, body->len);
		answer.text = text->data;
		answer.cut = whole ? text->len : text->len / 2;
		taker.first_ms = 20;
		http_run(lab->http, lab, &lab->site, &request, 1);
		if (whole)
			cr_assert(!request.fault && taker.bytes == MANY, "%s",
				  request.fault ? request.fault->text : "too few bytes");
		else
			cr_assert_not_null(request.fault, "half of it was taken for all");
		cr_assert(taker.in_order);
	}
	cr_assert(scripted_heard(lab->server, "Accept-Encoding: gzip\r\n"));
	talloc_free(lab);
}
