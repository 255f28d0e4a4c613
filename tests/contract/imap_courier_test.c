/* imap_courier_test.c - the contract on a real Courier.
 *
 * waits: yes
 * takes: 30
 * timeout: 400
 */
#include "config.h"

#define IMAP_KIT_FIRST COURIER
#define IMAP_KIT_KINDS 1
#include "imap_kit.h"

/* The endpoint contract over a real Courier, which has little, and without each of that, and without
 * any. */

#define WITHOUT_COURIER(X)                                                                         \
	X(NAMESPACE)                                                                               \
	X(UIDPLUS)
#define X(id)                                                                                      \
	Test(imap_courier_without, id)                                                             \
	{                                                                                          \
		contract_without(COURIER, IMAP_CAP_##id);                                          \
	}
WITHOUT_COURIER(X)
#undef X

Test(imap_courier, with_all)
{
	contract(COURIER, 0, true, "with all");
}

Test(imap_courier, without_any)
{
	contract(COURIER, UINT64_MAX, true, "without any");
}
