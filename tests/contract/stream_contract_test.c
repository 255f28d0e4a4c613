#include "config.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/net/stream.h"
#include "tls_peer.h"

/* One connection against servers of every kind: whom it trusts, how long it waits, and that it
 * neither hangs nor dies. */

#define SHORT_MS 300
#define LONG_MS 60000

struct lab {
	struct tls_world *world;
	struct tls_peer *peer;
	struct trusts *trusts;
	struct stream_options options;
	struct stream *stream;
};

static struct lab *lab_new(enum tls_peer_cert cert, enum tls_peer_manner manner)
{
	struct lab *lab = MEM_NEW(NULL, struct lab);

	lab->world = tls_world_new(lab);
	lab->peer = tls_peer_new(lab, lab->world, cert, manner);
	lab->trusts = trusts_new(lab);
	lab->options.host = "localhost";
	lab->options.port = tls_peer_port(lab->peer);
	lab->options.tls = cert != TLS_PEER_PLAIN && cert != TLS_PEER_STARTTLS;
	lab->options.tls_ca = lab->world->ca;
	lab->options.trusts = lab->trusts;
	lab->options.stop_fd = -1;
	lab->options.deadline_ms = LONG_MS;
	return lab;
}

static void lab_end(struct lab *lab)
{
	TALLOC_FREE(lab->stream);
	TALLOC_FREE(lab->peer);
	talloc_free(lab);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void expect_fault(const struct fault *fault, enum fault_kind kind, const char *text,
			 const char *what)
{
	cr_assert_not_null(fault, "%s: no fault", what);
	cr_expect_eq(fault->kind, kind, "%s: expected %s, got %s: %s", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), fault->text);
	if (text)
		cr_expect_not_null(strstr(fault->text, text), "%s: no \"%s\" in: %s", what, text,
				   fault->text);
}

static void expect_none(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: %s: %s", what, fault_kind_name(fault->kind), fault->text);
}

static void open_stream(struct lab *lab)
{
	expect_none(stream_open(lab, &lab->options, &lab->stream), "open");
	stream_deadline(lab->stream, LONG_MS);
}

static struct fault *put(struct lab *lab, const char *text)
{
	return stream_write(lab->stream, text, strlen(text), buf_new(lab), 100);
}

static void expect_echo(struct lab *lab, const char *text)
{
	char bytes[100];
	size_t n = 0, got = 0;

	expect_none(put(lab, text), "write");
	for (; got < strlen(text); got += n)
		expect_none(stream_read(lab->stream, bytes + got, sizeof bytes - got, &n), "read");
	cr_expect_eq(got, strlen(text));
	cr_expect_arr_eq(bytes, text, strlen(text));
}

/* ---- whom it trusts ---- */

static const struct {
	const char *what;
	enum tls_peer_cert cert;
	const char *host;
	enum { CA, OTHER_CA, OWN, SYSTEM, MISSING, NONSENSE } ca;
	const char *text; /* of the TLS fault; NULL: it works */
} trust[] = {
	{ "by name", TLS_PEER_GOOD, "localhost", CA, NULL },
	{ "by name with a dot", TLS_PEER_GOOD, "localhost.", CA, NULL },
	{ "by address", TLS_PEER_GOOD, "127.0.0.1", CA, NULL },
	{ "by address in brackets", TLS_PEER_GOOD, "[127.0.0.1]", CA, NULL },
	{ "its own certificate is named", TLS_PEER_SELF_SIGNED, "localhost", OWN, NULL },
	{ "a certificate itself, not its CA", TLS_PEER_GOOD, "localhost", OWN, NULL },
	{ "another name", TLS_PEER_WRONG_HOST, "localhost", CA, "not for this host" },
	{ "another address", TLS_PEER_WRONG_HOST, "127.0.0.1", CA, "not for this address" },
	{ "expired", TLS_PEER_EXPIRED, "localhost", CA, "has expired" },
	{ "not valid yet", TLS_PEER_FUTURE, "localhost", CA, "not valid yet" },
	{ "another CA", TLS_PEER_GOOD, "localhost", OTHER_CA, "not signed by a known CA" },
	{ "the system's CAs", TLS_PEER_GOOD, "localhost", SYSTEM, "tls_ca" },
	{ "self-signed", TLS_PEER_SELF_SIGNED, "localhost", CA, "self-signed" },
	{ "self-signed, the system's CAs", TLS_PEER_SELF_SIGNED, "localhost", SYSTEM,
	  "self-signed" },
	{ "its own certificate, another name", TLS_PEER_WRONG_HOST, "localhost", OWN,
	  "not for this host" },
	{ "its own certificate, expired", TLS_PEER_EXPIRED, "localhost", OWN, "has expired" },
	{ "TLS 1.1", TLS_PEER_OLD, "localhost", CA, "TLS: " },
	{ "no such file", TLS_PEER_GOOD, "localhost", MISSING, "No such file" },
	{ "a file of something else", TLS_PEER_GOOD, "localhost", NONSENSE, "PEM" },
};

static const char *ca_file(struct lab *lab, size_t i)
{
	switch (trust[i].ca) {
	case CA:
		return lab->world->ca;
	case OTHER_CA:
		return lab->world->other_ca;
	case OWN:
		return lab->world->certs[trust[i].cert];
	case SYSTEM:
		return NULL;
	case MISSING:
		return "/nowhere/ca.pem";
	case NONSENSE:
		break;
	}
	return "/dev/null";
}

Test(stream, trusts_certificates_that_are_good, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(trust); i++) {
		struct lab *lab = lab_new(trust[i].cert, TLS_PEER_ECHO);
		struct fault *fault;

		lab->options.host = trust[i].host;
		lab->options.tls_ca = ca_file(lab, i);
		fault = stream_open(lab, &lab->options, &lab->stream);
		if (trust[i].text) {
			expect_fault(fault, trust[i].ca >= MISSING ? FAULT_CONFIG : FAULT_TLS,
				     trust[i].text, trust[i].what);
			cr_expect_eq(fault->scope, FAULT_SCOPE_SERVER);
		} else {
			expect_none(fault, trust[i].what);
			stream_deadline(lab->stream, LONG_MS);
			expect_echo(lab, "hello");
			cr_expect(stream_is_tls(lab->stream) && stream_is_safe(lab->stream));
		}
		lab_end(lab);
	}
}

static void copy_file(const char *from, const char *to)
{
	char bytes[8192];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n;

	cr_assert(in && out);
	while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
		cr_assert_eq(fwrite(bytes, 1, n, out), n);
	fclose(in);
	cr_assert_eq(fclose(out), 0);
}

Test(stream, a_ca_file_that_changes_is_read_anew)
{
	struct lab *lab = lab_new(TLS_PEER_GOOD, TLS_PEER_ECHO);
	char *path = mem_printf(lab, "%s/now.pem", lab->world->dir);

	lab->options.tls_ca = path;
	copy_file(lab->world->other_ca, path);
	expect_fault(stream_open(lab, &lab->options, &lab->stream), FAULT_TLS, "known CA", "old");
	cr_assert_eq(remove(path), 0);
	expect_fault(stream_open(lab, &lab->options, &lab->stream), FAULT_CONFIG, "No such", "none");
	copy_file(lab->world->ca, path);
	open_stream(lab);
	expect_echo(lab, "new");
	copy_file(lab->world->other_ca, path);
	expect_echo(lab, "the open one lives on");
	cr_assert_eq(remove(path), 0);
	lab_end(lab);
}

static void *open_often(void *context)
{
	const struct stream_options *options = context;
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	size_t opened = 0;

	for (int i = 0; i < 20; i++) {
		struct stream *stream;

		if (stream_open(mem, options, &stream))
			break;
		talloc_free(stream);
		opened++;
	}
	talloc_free(mem);
	return opened == 20 ? context : NULL;
}

Test(stream, many_threads_share_the_trusts, .timeout = 300)
{
	struct lab *lab = lab_new(TLS_PEER_GOOD, TLS_PEER_CLOSE);
	pthread_t threads[4];
	void *done;

	for (size_t i = 0; i < COUNT_OF(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, open_often, &lab->options), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], &done);
		cr_expect_not_null(done, "thread %zu", i);
	}
	lab_end(lab);
}

/* ---- what is no TLS, or no server ---- */

Test(stream, a_plain_server_is_no_tls_server)
{
	struct lab *lab = lab_new(TLS_PEER_PLAIN, TLS_PEER_DRIP);

	lab->options.tls = true;
	expect_fault(stream_open(lab, &lab->options, &lab->stream), FAULT_TLS, "TLS: ", "plain");
	lab_end(lab);
}

static const struct {
	const char *what;
	enum tls_peer_cert cert;
	enum tls_peer_manner manner;
	const char *host;
	int port; /* 0: the peer's */
	const char *text;
} nobody[] = {
	{ "refused", TLS_PEER_PLAIN, TLS_PEER_ECHO, "127.0.0.1", 1,
	  "127.0.0.1:1: Connection refused" },
	{ "no such name", TLS_PEER_PLAIN, TLS_PEER_ECHO, "no-such-host.invalid", 0,
	  "no-such-host.invalid:" },
	{ "not a name", TLS_PEER_PLAIN, TLS_PEER_ECHO, "a b", 0, NULL },
	{ "an empty name", TLS_PEER_PLAIN, TLS_PEER_ECHO, "", 1, NULL },
	{ "nobody there", TLS_PEER_PLAIN, TLS_PEER_ECHO, "192.0.2.1", 143, NULL },
	{ "no handshake", TLS_PEER_GOOD, TLS_PEER_SILENT, "localhost", 0, "in time" },
	{ "closed in the handshake", TLS_PEER_STARTTLS, TLS_PEER_CLOSE, "localhost", 0, NULL },
};

Test(stream, tells_who_is_not_there, .timeout = 300)
{
	for (size_t i = 0; i < COUNT_OF(nobody); i++) {
		struct lab *lab = lab_new(nobody[i].cert, nobody[i].manner);
		struct fault *fault;

		lab->options.host = nobody[i].host;
		lab->options.port = nobody[i].port ? nobody[i].port : lab->options.port;
		lab->options.deadline_ms = SHORT_MS;
		lab->options.tls = nobody[i].cert != TLS_PEER_PLAIN;
		fault = stream_open(lab, &lab->options, &lab->stream);
		if (nobody[i].cert == TLS_PEER_STARTTLS)
			cr_expect(fault &&
				  (fault->kind == FAULT_TLS || fault->kind == FAULT_UNREACHABLE));
		else
			expect_fault(fault, FAULT_UNREACHABLE, nobody[i].text, nobody[i].what);
		lab_end(lab);
	}
}

/* ---- time ---- */

static void never_longer(enum tls_peer_cert cert, enum tls_peer_manner manner)
{
	struct lab *lab = lab_new(cert, manner);
	struct fault *fault = NULL;
	char bytes[16];
	size_t n;
	int64_t start, took;

	open_stream(lab);
	start = now_ms();
	stream_deadline(lab->stream, SHORT_MS);
	while (!fault)
		fault = stream_read(lab->stream, bytes, manner == TLS_PEER_FLOOD ? 1 : sizeof bytes,
				    &n);
	took = now_ms() - start;
	expect_fault(fault, FAULT_UNREACHABLE, "in time", "deadline");
	cr_expect_geq(took, SHORT_MS, "%d ms", (int)took);
	cr_expect_lt(took, LONG_MS, "%d ms", (int)took);
	lab_end(lab);
}

Test(stream, the_deadline_holds_for_all_reads_together, .timeout = 300)
{
	never_longer(TLS_PEER_PLAIN, TLS_PEER_DEAF);
	never_longer(TLS_PEER_PLAIN, TLS_PEER_DRIP);
	never_longer(TLS_PEER_PLAIN, TLS_PEER_FLOOD); /* there is always one more byte */
	never_longer(TLS_PEER_GOOD, TLS_PEER_DEAF);
	never_longer(TLS_PEER_GOOD, TLS_PEER_DRIP);
}

static void write_to_the_deaf(enum tls_peer_cert cert)
{
	struct lab *lab = lab_new(cert, TLS_PEER_DEAF);
	char *bytes = MEM_ARRAY(lab, char, TLS_PEER_FLOOD_BYTES);
	struct fault *fault;

	open_stream(lab);
	stream_deadline(lab->stream, SHORT_MS);
	fault = stream_write(lab->stream, bytes, TLS_PEER_FLOOD_BYTES, buf_new(lab), 100);
	expect_fault(fault, FAULT_UNREACHABLE, "in time", "deaf");
	cr_expect_gt(stream_stats(lab->stream).sent_bytes, 0);
	lab_end(lab);
}

Test(stream, the_deadline_holds_for_writes)
{
	write_to_the_deaf(TLS_PEER_PLAIN);
	write_to_the_deaf(TLS_PEER_GOOD);
}

static void *stop_soon(void *context)
{
	struct timespec t = { 0, 100 * 1000000L };

	nanosleep(&t, NULL);
	return write(*(int *)context, "x", 1) == 1 ? context : NULL;
}

static struct fault *wait_somewhere(struct lab *lab, bool connecting)
{
	char bytes[16];
	size_t n;

	if (connecting)
		return stream_open(lab, &lab->options, &lab->stream);
	return stream_read(lab->stream, bytes, sizeof bytes, &n);
}

static void stop_while(enum tls_peer_cert cert, enum tls_peer_manner manner, bool connecting)
{
	struct lab *lab = lab_new(cert, manner);
	pthread_t thread;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	lab->options.stop_fd = fds[0];
	if (!connecting)
		open_stream(lab);
	cr_assert_eq(pthread_create(&thread, NULL, stop_soon, &fds[1]), 0);
	expect_fault(wait_somewhere(lab, connecting), FAULT_TRY_LATER, "ending", "stop");
	pthread_join(thread, NULL);
	close(fds[0]);
	close(fds[1]);
	lab_end(lab);
}

Test(stream, the_stop_descriptor_ends_every_wait, .timeout = 300)
{
	stop_while(TLS_PEER_PLAIN, TLS_PEER_DEAF, false);
	stop_while(TLS_PEER_GOOD, TLS_PEER_DEAF, false);
	stop_while(TLS_PEER_GOOD, TLS_PEER_SILENT, true);
}

/* ---- two that both write ---- */

static void both_write(enum tls_peer_cert cert)
{
	struct lab *lab = lab_new(cert, TLS_PEER_FLOOD);
	char *bytes = MEM_ARRAY(lab, char, TLS_PEER_FLOOD_BYTES), chunk[16384];
	struct buf *input = buf_new(lab);
	size_t n;

	open_stream(lab);
	expect_none(stream_write(lab->stream, bytes, TLS_PEER_FLOOD_BYTES, input,
				 TLS_PEER_FLOOD_BYTES + 6),
		    "both write");
	while (input->len < TLS_PEER_FLOOD_BYTES + 6) {
		expect_none(stream_read(lab->stream, chunk, sizeof chunk, &n), "the rest");
		buf_add(input, chunk, n);
	}
	cr_expect_str_eq(input->data, "flood");
	cr_expect_str_eq(input->data + input->len - 6, "thanks");
	cr_expect_eq(stream_stats(lab->stream).sent_bytes, (int64_t)TLS_PEER_FLOOD_BYTES);
	cr_expect_eq(stream_stats(lab->stream).received_bytes, (int64_t)TLS_PEER_FLOOD_BYTES + 6);
	lab_end(lab);
}

Test(stream, two_that_both_write_do_not_wait_for_each_other, .timeout = 300)
{
	both_write(TLS_PEER_PLAIN);
	both_write(TLS_PEER_GOOD);
}

Test(stream, what_a_peer_sends_meanwhile_is_bounded, .timeout = 300)
{
	for (int tls = 0; tls < 2; tls++) {
		struct lab *lab = lab_new(tls ? TLS_PEER_GOOD : TLS_PEER_PLAIN, TLS_PEER_FLOOD);
		char *bytes = MEM_ARRAY(lab, char, TLS_PEER_FLOOD_BYTES);
		struct buf *input = buf_new(lab);
		struct fault *fault;

		open_stream(lab);
		fault = stream_write(lab->stream, bytes, TLS_PEER_FLOOD_BYTES, input, 100000);
		expect_fault(fault, FAULT_PROTOCOL, "without being asked", "flood");
		cr_expect_leq(input->len, 100000);
		lab_end(lab);
	}
}

/* ---- STARTTLS ---- */

Test(stream, starts_tls_later)
{
	struct lab *lab = lab_new(TLS_PEER_STARTTLS, TLS_PEER_ECHO);
	char bytes[16];
	size_t n;

	open_stream(lab);
	cr_expect_not(stream_is_tls(lab->stream));
	expect_none(put(lab, "STARTTLS\n"), "ask");
	expect_none(stream_read(lab->stream, bytes, sizeof bytes, &n), "go");
	expect_none(stream_start_tls(lab->stream, 0), "start");
	cr_expect(stream_is_tls(lab->stream));
	expect_echo(lab, "hello");
	lab_end(lab);
}

Test(stream, what_came_before_tls_is_refused)
{
	struct lab *lab = lab_new(TLS_PEER_STARTTLS, TLS_PEER_ECHO);
	struct fault *fault;

	open_stream(lab);
	fault = stream_start_tls(lab->stream, 1);
	expect_fault(fault, FAULT_PROTOCOL, "in the clear", "injected");
	cr_expect_eq(fault->scope, FAULT_SCOPE_SERVER);
	cr_expect_not(stream_is_tls(lab->stream));
	lab_end(lab);
}

/* ---- the end ---- */

static void write_after_the_end(enum tls_peer_cert cert)
{
	struct lab *lab = lab_new(cert, TLS_PEER_CLOSE);
	struct fault *fault = NULL;
	struct timespec t = { 0, 20 * 1000000L };

	open_stream(lab);
	for (int i = 0; i < 3000 && !fault; i++) {
		nanosleep(&t, NULL);
		fault = put(lab, "is anybody there?");
	}
	expect_fault(fault, FAULT_UNREACHABLE, NULL, "closed");
	lab_end(lab);
}

Test(stream, a_write_after_the_end_raises_no_signal)
{
	signal(SIGPIPE, SIG_DFL);
	write_after_the_end(TLS_PEER_PLAIN);
	write_after_the_end(TLS_PEER_GOOD);
}

static void read_after_the_end(enum tls_peer_cert cert)
{
	struct lab *lab = lab_new(cert, TLS_PEER_CLOSE);
	char bytes[16];
	size_t n;

	open_stream(lab);
	expect_fault(stream_read(lab->stream, bytes, sizeof bytes, &n), FAULT_UNREACHABLE,
		     "closed by the server", "read");
	expect_fault(stream_read_ready(lab->stream, bytes, sizeof bytes, &n), FAULT_UNREACHABLE,
		     NULL, "read again");
	lab_end(lab);
}

Test(stream, the_end_is_told)
{
	read_after_the_end(TLS_PEER_PLAIN);
	read_after_the_end(TLS_PEER_GOOD);
}

/* ---- parked ---- */

static size_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

Test(stream, takes_one_descriptor)
{
	struct lab *lab = lab_new(TLS_PEER_GOOD, TLS_PEER_SILENT);
	struct lab *plain = lab_new(TLS_PEER_PLAIN, TLS_PEER_SILENT);
	size_t before = open_descriptors();

	open_stream(plain);
	/* the peer's own end is the second */
	for (int i = 0; i < 3000 && open_descriptors() < before + 2; i++)
		poll(NULL, 0, 20);
	cr_expect_eq(open_descriptors(), before + 2);
	cr_expect_geq(stream_fd(plain->stream), 0);
	lab_end(plain);
	lab_end(lab);
}

static void read_in_pieces(enum tls_peer_cert cert)
{
	struct lab *lab = lab_new(cert, TLS_PEER_ECHO);
	struct pollfd fd = { .events = POLLIN };
	char byte;
	size_t n = 4711;

	open_stream(lab);
	expect_none(stream_read_ready(lab->stream, &byte, 1, &n), "nothing there");
	cr_expect_eq(n, 0);
	cr_expect_not(stream_has_input(lab->stream));
	expect_none(put(lab, "abc"), "write");
	fd.fd = stream_fd(lab->stream);
	for (n = 0; !n;) { /* TLS has records of its own, without a byte for us */
		cr_assert_eq(poll(&fd, 1, LONG_MS), 1);
		expect_none(stream_read_ready(lab->stream, &byte, 1, &n), "one");
	}
	cr_expect_eq(byte, 'a');
	cr_expect_eq(stream_has_input(lab->stream), cert != TLS_PEER_PLAIN);
	expect_none(stream_read(lab->stream, &byte, 1, &n), "two");
	expect_none(stream_read(lab->stream, &byte, 1, &n), "three");
	cr_expect_eq(byte, 'c');
	cr_expect_not(stream_has_input(lab->stream));
	lab_end(lab);
}

Test(stream, tells_what_is_left_inside_of_tls)
{
	read_in_pieces(TLS_PEER_PLAIN);
	read_in_pieces(TLS_PEER_GOOD);
}

Test(stream, plain_is_safe_on_loopback_only)
{
	struct lab *lab = lab_new(TLS_PEER_PLAIN, TLS_PEER_ECHO);

	open_stream(lab);
	cr_expect(stream_is_safe(lab->stream));
	cr_expect_not(stream_is_tls(lab->stream));
	expect_echo(lab, "plain");
	lab_end(lab);
}
