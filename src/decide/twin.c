#include "config.h"

#include "decide/twin.h"

enum twin twin_decide(int64_t known, int64_t found, bool later, bool gone)
{
	if (gone || found > known)
		return TWIN_TAKE;
	if (found > 0 && found < known)
		return TWIN_MERGE;
	return later ? TWIN_TAKE : TWIN_MERGE;
}
