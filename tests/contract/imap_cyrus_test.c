/* imap_cyrus_test.c - the contract on a real Cyrus.
 *
 * takes: 20
 * timeout: 400
 */
#include "config.h"

#define IMAP_KIT_FIRST CYRUS
#define IMAP_KIT_KINDS 1
#include "imap_sweep_kit.h"

/* The endpoint contract over a real Cyrus: with everything that it has, without each extension whose
 * absence leads another way through the server, and without any; what is only a matter of ours is taken
 * away from Dovecot alone (imap_contract_test.c). */

#define WITHOUT_CYRUS(X)                                                                           \
	X(CONDSTORE)                                                                               \
	X(LITERAL_PLUS)                                                                            \
	X(MOVE)                                                                                    \
	X(MULTIAPPEND)                                                                             \
	X(OBJECTID)                                                                                \
	X(QRESYNC)                                                                                 \
	X(UIDPLUS)
#define X(id)                                                                                      \
	Test(imap_cyrus_without, id)                                                               \
	{                                                                                          \
		contract_without(CYRUS, IMAP_CAP_##id);                                            \
	}
WITHOUT_CYRUS(X)
#undef X

Test(imap_cyrus, with_all)
{
	contract(CYRUS, 0, true, "with all");
}

Test(imap_cyrus, without_any)
{
	contract(CYRUS, UINT64_MAX, true, "without any");
}

Test(imap_cyrus, two_hundred_folders_by_one_command)
{
	try_many_folders(CYRUS);
}
