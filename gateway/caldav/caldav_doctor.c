#include "config.h"

#include "gateway/caldav/caldav_private.h"

/* What is known of the server, for `doctor`. */

void caldav_finding(struct endpoint_probe *probe, int level, const char *name, const char *result,
		    const char *meaning)
{
	struct endpoint_finding *finding;

	probe->findings =
		MEM_GROW(probe, probe->findings, struct endpoint_finding, probe->count + 1);
	finding = &probe->findings[probe->count++];
	finding->probe = name;
	finding->result = mem_strdup(probe, result);
	finding->meaning = meaning;
	finding->level = level;
}

static void find_trait(const struct caldav_traits *traits, enum caldav_trait trait,
		       struct endpoint_probe *probe)
{
	const struct caldav_trait_words *words = caldav_trait_words(trait);

	switch ((enum caldav_answer)traits->answer[trait]) {
	case CALDAV_YES:
		caldav_finding(probe, FINDING_INFO, words->label, "yes", words->yes);
		break;
	case CALDAV_NO:
		caldav_finding(probe, words->lack ? FINDING_WARNING : FINDING_INFO, words->label,
			       "no", words->no);
		break;
	case CALDAV_UNKNOWN:
		caldav_finding(probe, FINDING_INFO, words->label, "not known", words->unknown);
		break;
	}
}

static void find_size(const struct caldav_traits *traits, struct endpoint_probe *probe)
{
	const char *size = traits->item_max
				   ? mem_printf(probe, "%lld bytes", (long long)traits->item_max)
				   : "not told";

	caldav_finding(probe, FINDING_INFO, "size of an item", size,
		       traits->item_max ? "The server refuses what is longer."
					: "The server names no limit; one shows by a refusal.");
}

static void find_caps(const struct caldav_traits *traits, struct endpoint_caps *caps)
{
	caps->sync_token = traits->answer[CALDAV_TRAIT_SYNC] == CALDAV_YES;
	caps->ctag = traits->answer[CALDAV_TRAIT_CTAG] == CALDAV_YES;
	caps->strong_version = traits->answer[CALDAV_TRAIT_STRONG_ETAG] == CALDAV_YES;
	caps->create_guard = traits->answer[CALDAV_TRAIT_CREATE_GUARD] == CALDAV_YES;
	caps->replace_guard = traits->answer[CALDAV_TRAIT_REPLACE_GUARD] == CALDAV_YES;
	caps->keeps_bytes = traits->answer[CALDAV_TRAIT_KEEPS_BYTES] == CALDAV_YES;
	caps->modified_time = true; /* by multiget, or by GET */
}

void caldav_doctor_traits(const struct caldav *caldav, bool says_sync, struct endpoint_probe *probe)
{
	struct caldav_traits traits = caldav->traits;

	if (says_sync && traits.answer[CALDAV_TRAIT_SYNC] == CALDAV_UNKNOWN)
		traits.answer[CALDAV_TRAIT_SYNC] = CALDAV_YES;
	for (int i = 0; i < CALDAV_TRAITS; i++)
		find_trait(&traits, (enum caldav_trait)i, probe);
	find_size(&traits, probe);
	if (caldav->left)
		caldav_finding(probe, FINDING_WARNING, "folder left behind", caldav->left,
			       "It was made for trying and could not be removed; it may be deleted "
			       "by hand.");
	find_caps(&traits, &probe->caps);
}
