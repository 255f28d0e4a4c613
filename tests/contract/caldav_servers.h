/* caldav_servers.h - what five servers do: found by tests/contract/caldav_probe_test.c on the real
 * ones, shown by doc/servers.md; tests hold the two against this table. */
#ifndef TASKFERRY_TESTS_CALDAV_SERVERS_H
#define TASKFERRY_TESTS_CALDAV_SERVERS_H

/* script of tests/servers, name, path behind the fixture's URL, traits in the order of the enum */
#define CALDAV_SERVERS(X)                                                                          \
	X(radicale, "Radicale 3.1.8", "",                                                          \
	  "create-guard=yes replace-guard=yes remove-guard=yes strong-etag=yes fine-etag=yes "     \
	  "keeps-bytes=no sync=yes sync-data=yes token-refused=yes pages=no ctag=yes "             \
	  "multiget=yes components=yes one-uid=yes one-uid-home=no move=yes managed=no "           \
	  "whole-put=yes privileges=yes keeps-open=no times=no keeps-lines=yes")                   \
	X(xandikos, "Xandikos 0.2.8", "",                                                          \
	  "create-guard=yes replace-guard=yes remove-guard=yes strong-etag=yes fine-etag=yes "     \
	  "keeps-bytes=no sync=yes sync-data=no token-refused=yes pages=no ctag=yes "              \
	  "multiget=yes components=no one-uid=yes one-uid-home=no move=no managed=no "             \
	  "whole-put=no privileges=yes keeps-open=yes times=no keeps-lines=yes")                   \
	X(cyrus, "Cyrus 3.6.1", "",                                                                \
	  "create-guard=yes replace-guard=yes remove-guard=yes strong-etag=yes fine-etag=yes "     \
	  "keeps-bytes=no sync=yes sync-data=yes token-refused=yes pages=yes ctag=yes "            \
	  "multiget=yes components=yes one-uid=yes one-uid-home=yes move=yes managed=yes "         \
	  "whole-put=no privileges=yes keeps-open=yes times=yes keeps-lines=yes "                  \
	  "item-max=2147483647")                                                                   \
	X(davical, "DAViCal 1.1.12", "",                                                           \
	  "create-guard=yes replace-guard=yes remove-guard=yes strong-etag=yes fine-etag=yes "     \
	  "keeps-bytes=yes sync=yes sync-data=no token-refused=no pages=no ctag=yes "              \
	  "multiget=yes components=yes one-uid=no one-uid-home=no move=yes managed=no "            \
	  "whole-put=no privileges=yes keeps-open=yes times=no keeps-lines=yes")                   \
	X(sogo, "SOGo 5.8.0", "SOGo/dav/ana/",                                                     \
	  "create-guard=no replace-guard=yes remove-guard=no strong-etag=yes fine-etag=yes "       \
	  "keeps-bytes=no sync=yes sync-data=yes token-refused=no pages=no ctag=no "               \
	  "multiget=no components=no one-uid=no one-uid-home=no move=no managed=no "               \
	  "whole-put=no privileges=yes keeps-open=no times=no keeps-lines=no")

#endif
