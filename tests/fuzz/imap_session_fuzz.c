#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/imap/imap.h"
#include "gateway/net/stream.h"

/* libFuzzer target: whole IMAP sessions, all operations of the endpoint against a server that says any
 * bytes. The functions of stream.h are defined here, in memory, so that no socket is under way.
 *
 * Input: four bytes of options, then chunks with 0x1e between them. Each time that the client waits, the
 * server says the next chunk, where `$T` is the tag of the last command. An empty chunk, or one that
 * begins with '!', is followed by what a good server says to all that it has been asked; so is the end
 * of the input, for a while, and then the connection is closed. So a mutation anywhere meets a
 * session that has come that far. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEPARATOR 0x1e
#define COMMANDS_MAX 256
#define GOOD_MAX 300 /* good answers to one input: all operations take fewer */
#define WORDS_MAX 48

enum option { OPTION_AUTH, OPTION_CAPS, OPTION_FIRST, OPTION_FLAGS, OPTIONS };
enum flag { FLAG_STARTTLS = 1, FLAG_COMPRESS = 2, FLAG_AUTHORIZE = 4, FLAG_DONE = 8 };

struct command {
	char tag[16], words[WORDS_MAX];
};

/* The other end, of one input; the connections follow each other. */
static struct peer {
	const uint8_t *at, *end;
	const char *caps;
	int good; /* answers left */
} peer;

struct stream {
	struct buf *said;
	size_t taken;
	bool greeted, tls, compressed, idling;
	struct command commands[COMMANDS_MAX];
	size_t count;
	char last[16]; /* tag */
	bool go;       /* the last command waits for a `+` */
	size_t skip;   /* bytes of a literal that are still to come */
	struct buf *line;
	bool inside; /* of a command: behind a literal */
	struct stream_stats stats;
};

/* ---- what a good server says ---- */

static const struct {
	const char *when, *say;
} good[] = {
	{ "CAPABILITY", "* CAPABILITY $C\r\n$T OK done\r\n" },
	{ "STARTTLS", "$T OK go\r\n" },
	{ "LOGIN", "$T OK [CAPABILITY $C] in\r\n" },
	{ "AUTHENTICATE", "$T OK [CAPABILITY $C] in\r\n" },
	{ "ENABLE", "* ENABLED QRESYNC CONDSTORE\r\n$T OK done\r\n" },
	{ "NAMESPACE", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n$T OK done\r\n" },
	{ "ID (", "* ID (\"name\" \"Good\" \"version\" \"1\")\r\n$T OK done\r\n" },
	{ "LIST",
	  "* LIST (\\HasNoChildren) \"/\" \"site/p\"\r\n* STATUS \"site/p\" (MESSAGES 3 UIDNEXT 10 "
	  "UIDVALIDITY 77 HIGHESTMODSEQ 900 MAILBOXID (F1))\r\n"
	  "* LIST (\\HasNoChildren) \"/\" \"site/p/Done\"\r\n$T OK done\r\n" },
	{ "LSUB", "* LSUB () \"/\" \"site/p\"\r\n$T OK done\r\n" },
	{ "STATUS", "* STATUS \"site/p\" (MESSAGES 3 UIDNEXT 10 UIDVALIDITY 77 HIGHESTMODSEQ 900 "
		    "MAILBOXID (F1))\r\n$T OK done\r\n" },
	{ "SELECT",
	  "* FLAGS (\\Seen \\Flagged $Done)\r\n* OK [PERMANENTFLAGS (\\Seen \\Flagged \\Deleted \\*)] ok\r\n"
	  "* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n* OK [UIDNEXT 10] ok\r\n"
	  "* OK [HIGHESTMODSEQ 900] ok\r\n* OK [MAILBOXID (F1)] ok\r\n$T OK [READ-WRITE] ok\r\n" },
	{ "APPEND", "$T OK [APPENDUID 77 10:11] done\r\n" },
	{ "REPLACE", "* OK [APPENDUID 77 10] done\r\n* 1 EXPUNGE\r\n$T OK done\r\n" },
	{ "UID FETCH",
	  "* 1 FETCH (UID 7 FLAGS (\\Seen $Done) MODSEQ (800) INTERNALDATE \"01-Jan-2024 10:00:00 "
	  "+0000\" RFC822.SIZE 30 SAVEDATE \"01-Jan-2024 10:00:00 +0000\" BODY[] {30}\r\n"
	  "Message-ID: <a@x>\r\n\r\nhello\r\n\r\n BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: "
	  "<a@x>\")\r\n"
	  "* 2 FETCH (UID 8 FLAGS () MODSEQ (801) INTERNALDATE \"01-Jan-2024 10:00:00 +0000\" "
	  "RFC822.SIZE 1 BODY[] \"x\")\r\n"
	  "* 3 FETCH (UID 9 FLAGS (\\Flagged) MODSEQ (802) RFC822.SIZE 0 BODY[] \"\")\r\n"
	  "$T OK done\r\n" },
	{ "UID SEARCH", "* SEARCH 7 8 9\r\n$T OK done\r\n" },
	{ "UID STORE", "* 1 FETCH (UID 7 FLAGS (\\Deleted) MODSEQ (901))\r\n$T OK done\r\n" },
	{ "UID EXPUNGE", "* 1 EXPUNGE\r\n$T OK done\r\n" },
	{ "UID MOVE", "* OK [COPYUID 78 7 1] ok\r\n* 1 EXPUNGE\r\n$T OK done\r\n" },
	{ "UID COPY", "$T OK [COPYUID 78 7 1] done\r\n" },
	{ "GETMETADATA", "* METADATA \"site/p\" (/shared/comment \"x\")\r\n$T OK done\r\n" },
	{ "NOTIFY",
	  "* STATUS \"site/p\" (MESSAGES 3 UIDNEXT 10 UIDVALIDITY 77)\r\n$T OK done\r\n" },
	{ "LOGOUT", "* BYE\r\n$T OK done\r\n" },
	{ "", "$T OK done\r\n" },
};

static const char *const cap_sets[] = {
	"IMAP4rev1",
	"IMAP4rev1 SASL-IR AUTH=PLAIN IDLE UIDPLUS LITERAL+ MULTIAPPEND NAMESPACE ID",
	"IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER "
	"AUTH=EXTERNAL STARTTLS IDLE UIDPLUS CONDSTORE QRESYNC ENABLE LITERAL+ MULTIAPPEND "
	"NAMESPACE "
	"ESEARCH SAVEDATE ID OBJECTID MOVE NOTIFY METADATA LIST-STATUS LIST-EXTENDED CATENATE "
	"BINARY "
	"COMPRESS=DEFLATE QUOTA UNSELECT ACL",
	"IMAP4rev1 AUTH=PLAIN AUTH=OAUTHBEARER LOGINDISABLED STARTTLS LITERAL- IDLE CONDSTORE "
	"ENABLE "
	"UIDPLUS MOVE LIST-STATUS NOTIFY",
	"IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN IDLE UIDPLUS",
	"IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=LOGIN LOGINDISABLED CONDSTORE ESEARCH UIDPLUS",
};

static void say_filled(struct stream *stream, const char *text, size_t n, const char *tag)
{
	for (size_t i = 0; i < n; i++) {
		bool marked = text[i] == '$' && i + 1 < n && strchr("TC", text[i + 1]);

		if (marked)
			buf_puts(stream->said, text[++i] == 'T' ? tag : peer.caps);
		else
			buf_putc(stream->said, text[i]);
	}
}

static void answer(struct stream *stream, const struct command *command)
{
	size_t i = 0;

	while (strncmp(command->words, good[i].when, strlen(good[i].when)) != 0)
		i++;
	say_filled(stream, good[i].say, strlen(good[i].say), command->tag);
}

/* IDLE stays until DONE; the last one may wait for its literal. */
static void answer_all(struct stream *stream)
{
	size_t kept = 0;

	if (!stream->greeted)
		say_filled(stream, "* OK [CAPABILITY $C] hi\r\n", 25, "");
	else if (!stream->count)
		say_filled(stream, "* 4 EXISTS\r\n", 12, "");
	stream->greeted = true;
	for (size_t i = 0; i < stream->count; i++) {
		const struct command *command = &stream->commands[i];
		bool last = i + 1 == stream->count;

		if (last && stream->go) {
			say_filled(stream, "+ go on\r\n", 9, "");
			stream->commands[kept++] = *command;
		} else if (!strcmp(command->words, "IDLE")) {
			say_filled(stream, "+ idling\r\n", 10, "");
			stream->idling = true;
		} else {
			answer(stream, command);
		}
	}
	stream->count = kept;
	stream->go = false;
}

/* False: the connection is closed. */
static bool say_next(struct stream *stream)
{
	const uint8_t *end = memchr(peer.at, SEPARATOR, (size_t)(peer.end - peer.at));
	const char *chunk = (const char *)peer.at;
	size_t n = (size_t)((end ? end : peer.end) - peer.at);
	bool is_good = !n || *chunk == '!';

	peer.at += n + (end ? 1 : 0);
	if (is_good && peer.good-- <= 0)
		return false;
	if (n)
		say_filled(stream, chunk + is_good, n - is_good, stream->last);
	if (is_good)
		answer_all(stream);
	stream->greeted = true;
	return true;
}

/* ---- what the client says ---- */

static void take_line(struct stream *stream, const char *line, size_t n)
{
	const char *open = memchr(line, '{', n) ? strrchr(line, '{') : NULL;
	const char *blank = memchr(line, ' ', n);
	bool literal = open && n > 4 && line[n - 3] == '}';
	struct command *command;

	if (!stream->inside && !strncmp(line, "DONE", 4)) {
		if (stream->idling)
			buf_printf(stream->said, "%s OK idled\r\n", stream->last);
		stream->idling = false;
	} else if (!stream->inside && blank && stream->count < COMMANDS_MAX) {
		command = &stream->commands[stream->count++];
		(void)snprintf(command->tag, sizeof command->tag, "%.*s", (int)(blank - line),
			       line);
		(void)snprintf(command->words, sizeof command->words, "%.*s",
			       (int)strcspn(blank + 1, "\r\n"), blank + 1);
		memcpy(stream->last, command->tag, sizeof stream->last);
		stream->go = !strncmp(command->words, "AUTHENTICATE", 12) &&
			     !strchr(command->words + 13, ' ');
	}
	stream->inside = literal;
	if (!literal)
		return;
	stream->skip = strtoul(open + 1, NULL, 10);
	stream->go = line[n - 4] != '+';
}

/* ---- stream.h ---- */

struct stream_stats stream_stats(const struct stream *stream)
{
	return stream->stats;
}

struct trusts *trusts_new(TALLOC_CTX *mem)
{
	return talloc_new(mem);
}

static struct fault *closed(struct stream *stream)
{
	return fault_new(stream, FAULT_UNREACHABLE, "closed");
}

struct fault *stream_open(TALLOC_CTX *mem, const struct stream_options *options,
			  struct stream **stream_r)
{
	struct stream *stream = MEM_NEW(mem, struct stream);

	stream->said = buf_new(stream);
	stream->line = buf_new(stream);
	stream->tls = options->tls;
	*stream_r = stream;
	return NULL;
}

struct fault *stream_start_tls(struct stream *stream, size_t unused_input)
{
	if (unused_input)
		return fault_new(stream, FAULT_PROTOCOL, "injected");
	stream->tls = true;
	return NULL;
}

bool stream_compress(struct stream *stream, const char *bytes, size_t n)
{
	char *kept = mem_bytes(stream, bytes, n);

	buf_add(stream->said, kept, n);
	stream->compressed = true;
	return true;
}

bool stream_is_compressed(const struct stream *stream)
{
	return stream->compressed;
}

void stream_rest(struct stream *stream)
{
	(void)stream;
}

void stream_deadline(struct stream *stream, int64_t ms)
{
	(void)stream;
	(void)ms;
}

static size_t take(struct stream *stream, char *bytes, size_t cap)
{
	size_t n = stream->said->len - stream->taken;

	n = n < cap ? n : cap;
	memcpy(bytes, stream->said->data + stream->taken, n);
	stream->taken += n;
	stream->stats.received_bytes += (int64_t)n;
	if (stream->taken == stream->said->len) {
		buf_clear(stream->said);
		stream->taken = 0;
	}
	return n;
}

struct fault *stream_read(struct stream *stream, char *bytes, size_t cap, size_t *n_r)
{
	size_t n;

	while (!(n = take(stream, bytes, cap)))
		if (!say_next(stream))
			return closed(stream);
	*n_r = n;
	return NULL;
}

struct fault *stream_read_ready(struct stream *stream, char *bytes, size_t cap, size_t *n_r)
{
	if (stream->said->len == stream->taken && stream->idling && peer.at < peer.end &&
	    !say_next(stream))
		return closed(stream);
	*n_r = take(stream, bytes, cap);
	return NULL;
}

struct fault *stream_write(struct stream *stream, const char *bytes, size_t n, struct buf *input,
			   size_t input_max)
{
	(void)input;
	(void)input_max;
	stream->stats.sent_bytes += (int64_t)n;
	for (size_t i = 0; i < n; i++) {
		if (stream->skip) {
			stream->skip--;
			continue;
		}
		buf_putc(stream->line, bytes[i]);
		if (bytes[i] != '\n')
			continue;
		take_line(stream, stream->line->data, stream->line->len);
		buf_clear(stream->line);
	}
	return NULL;
}

bool stream_has_input(struct stream *stream)
{
	return stream->said->len > stream->taken;
}

int stream_fd(const struct stream *stream)
{
	(void)stream;
	return 0;
}

bool stream_is_tls(const struct stream *stream)
{
	return stream->tls;
}

bool stream_is_loopback(const struct stream *stream)
{
	(void)stream;
	return false;
}

bool stream_is_safe(const struct stream *stream)
{
	return stream->tls;
}

/* ---- the operations ---- */

struct world {
	TALLOC_CTX *mem;
	struct endpoint *endpoint;
	const char *token, *addresses[3];
	size_t count; /* of addresses */
};

#define FOLDER "site/p"

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct fault *fault)
{
	must(!fault || (fault->kind < FAULT_KINDS && !strpbrk(fault->text, "\r\n")));
}

static void op_probe(struct world *world)
{
	struct endpoint_probe *probe = NULL;
	struct fault *fault = endpoint_probe(world->endpoint, world->mem, &probe);

	check(fault);
	must((fault == NULL) == (probe != NULL));
}

static void op_ensure(struct world *world)
{
	const struct endpoint_folder folder = { .top = "s\303\244te", .sub = "p" };
	char *address = NULL;
	bool created = false;
	struct fault *fault = endpoint_ensure(world->endpoint, world->mem, &folder,
					      world->token ? FOLDER : NULL, &address, &created);

	check(fault);
	must((fault == NULL) == (address != NULL));
}

static void op_notice(struct world *world)
{
	struct endpoint_notice *notice = NULL;
	struct fault *fault =
		endpoint_notice(world->endpoint, world->mem, FOLDER, world->token, &notice);

	check(fault);
	must((fault == NULL) == (notice != NULL));
	if (fault)
		return;
	world->token = notice->token;
	world->count = 0;
	for (size_t i = 0; i < notice->count && world->count < 3; i++)
		if (!notice->changes[i].removed)
			world->addresses[world->count++] = notice->changes[i].address;
}

static void op_fetch(struct world *world)
{
	const char *addresses[4] = { world->addresses[0], world->addresses[1],
				     world->addresses[2] };
	struct endpoint_item *items = NULL;
	size_t count = world->count;
	struct fault *fault;

	addresses[count++] = "0000000077.0000000007";
	fault = endpoint_fetch(world->endpoint, world->mem, FOLDER, addresses, count, &items);
	check(fault);
	for (size_t i = 0; !fault && i < count; i++) {
		check(items[i].fault);
		must(items[i].fault ||
		     (items[i].version && items[i].text && !items[i].text[items[i].len]));
	}
}

#define MANY 20 /* so that the mailbox is left for them */

static void expect_placed_or_fault(const struct endpoint_put *puts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check(puts[i].fault);
		must((puts[i].fault == NULL) == (puts[i].placed != NULL));
	}
}

/* Begun, and not ended before the next ones. */
static struct endpoint_putting *begin_many(struct world *world, struct endpoint_put *puts)
{
	struct endpoint_putting *putting = NULL;
	struct fault *fault;

	for (size_t i = 0; i < MANY; i++) {
		puts[i] = (struct endpoint_put){ .text = "Message-ID: <m@x>\r\n\r\nhi\r\n" };
		puts[i].len = strlen(puts[i].text);
	}
	fault = endpoint_put_begin(world->endpoint, world->mem, FOLDER, puts, MANY, &putting);
	check(fault);
	must((fault == NULL) == (putting != NULL));
	return putting;
}

static void op_put(struct world *world)
{
	struct endpoint_put many[MANY], puts[2] = { { .text = "Message-ID: <a@x>\r\n\r\nhi\r\n" },
					{ .text = "Message-ID: <b@x>\r\n\r\nhi\r\n",
					  .marks_add = "$Done" } };
	struct endpoint_putting *putting = NULL;
	struct fault *fault;

	for (size_t i = 0; i < 2; i++)
		puts[i].len = strlen(puts[i].text);
	if (world->count)
		puts[0].address = puts[0].if_version = world->addresses[0];
	else
		putting = begin_many(world, many);
	fault = endpoint_put(world->endpoint, world->mem, FOLDER, puts, 2);
	check(fault);
	if (!fault)
		expect_placed_or_fault(puts, 2);
	if (!putting)
		return;
	check(endpoint_put_end(world->endpoint, putting, world->mem));
	expect_placed_or_fault(many, MANY);
}

static void op_remove(struct world *world)
{
	struct endpoint_remove remove = { .address = "0000000077.0000000008" };
	struct fault *fault;

	if (world->count)
		remove.address = remove.if_version = world->addresses[world->count - 1];
	fault = endpoint_remove(world->endpoint, world->mem, FOLDER, &remove, 1);
	check(fault);
	check(fault ? NULL : remove.fault);
}

static void op_locate(struct world *world)
{
	static const struct endpoint_known known[] = { { "5a-1", NULL }, { "5a-2", NULL } };
	const struct endpoint_trace trace = { .object_id = "F1",
					      .folder = FOLDER,
					      .known = known,
					      .known_count = COUNT_OF(known),
					      .items = 2 };
	char *address = NULL;

	check(endpoint_locate(world->endpoint, world->mem, &trace, &address));
}

static void op_sweep(struct world *world)
{
	static const char *const names[] = { FOLDER, "site/q", "site/r", "site/\303\244 s" };
	struct endpoint_sweep folders[COUNT_OF(names)];

	for (size_t i = 0; i < COUNT_OF(names); i++)
		folders[i] = (struct endpoint_sweep){ .folder = names[i], .token = world->token };
	check(endpoint_sweep(world->endpoint, world->mem, folders, COUNT_OF(names)));
}

static void op_advance(struct world *world)
{
	char *token = NULL;

	if (world->token)
		check(endpoint_advance(world->endpoint, world->mem, FOLDER, world->token, &token));
}

static void op_listen(struct world *world)
{
	const struct endpoint_sweep folders[] = { { .folder = FOLDER, .token = world->token },
						  { .folder = "site/q" } };
	struct endpoint_ear ear = { .fd = -1 };
	struct fault *fault = endpoint_listen(world->endpoint, folders, COUNT_OF(folders), &ear);
	bool changed = fault || ear.changed;

	check(fault);
	must(fault || ear.count <= COUNT_OF(folders));
	for (int i = 0; i < 3 && !fault && ear.fd >= 0 && !changed; i++)
		check(fault = endpoint_heard(world->endpoint, &changed));
	check(endpoint_hush(world->endpoint));
}

/* The mailbox that answers come to. */
static void op_mail(struct world *world)
{
	static const char text[] = "Message-ID: <m@x>\r\n\r\nhi\r\n";
	const char *addresses[] = { "0000000077.0000000007", "0000000077.0000000008" };
	char *mailbox = NULL;
	struct fault *fault = endpoint_mailbox(world->endpoint, world->mem, "INBOX", &mailbox);

	check(fault);
	if (!fault)
		check(endpoint_shelve(world->endpoint, world->mem, mailbox, addresses, 2, "Taken"));
	check(endpoint_tell(world->endpoint, world->mem, "<m@x>", text, sizeof text - 1, true));
}

static void (*const operations[])(struct world *) = {
	op_probe, op_ensure, op_notice, op_fetch,  op_put,    op_advance, op_notice, op_mail,
	op_sweep, op_remove, op_ensure, op_listen, op_locate, op_advance, op_notice, op_fetch,
};

static struct endpoint *endpoint_of(TALLOC_CTX *mem, const uint8_t *options)
{
	uint8_t flags = options[OPTION_FLAGS];
	struct imap_account account = { .url = "imaps://h.example",
					.auth = options[OPTION_AUTH] % IMAP_AUTHS,
					.user = "ana",
					.authorize = flags & FLAG_AUTHORIZE ? "bob" : NULL,
					.done_folder = flags & FLAG_DONE ? "Done" : NULL,
					.stop_fd = -1 };

	if (flags & FLAG_STARTTLS)
		account.url = "imap://h.example";
	if (flags & FLAG_COMPRESS)
		account.compress_after = 1;
	account.trusts = trusts_new(mem);
	account.password = secret_new(mem, "s3cr3t", 6);
	return imap_new(mem, clock_system(mem), NULL, &account);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem;
	struct world world = { .token = NULL };

	if (size < OPTIONS)
		return 0;
	mem = MEM_CONTEXT(NULL);
	peer = (struct peer){ .at = data + OPTIONS,
			      .end = data + size,
			      .caps = cap_sets[data[OPTION_CAPS] % COUNT_OF(cap_sets)],
			      .good = GOOD_MAX };
	world.mem = mem;
	world.endpoint = endpoint_of(mem, data);
	for (size_t i = 0; i < COUNT_OF(operations); i++)
		operations[(i + data[OPTION_FIRST]) % COUNT_OF(operations)](&world);
	talloc_free(world.endpoint);
	talloc_free(mem);
	return 0;
}
