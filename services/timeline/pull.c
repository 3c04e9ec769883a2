/* Owns pulling the notes of the members whom a reader follows. */
#include "services/timeline/pull.h"

#include "services/follow/follow.rpc.h"

/* How many members one page of calls can name (note.proto, follow.proto). */
#define AUTHORS_MAX 5000

/* Members followed after a version; *version becomes that of the last one. */
static sn_status list_followed(struct rpc_call *c, const char *reader, bool without_muted, int64_t *version,
                               Follow__FollowedMembers *out)
{
        Follow__ListFollowedSinceRequest since = FOLLOW__LIST_FOLLOWED_SINCE_REQUEST__INIT;

        since.user_id = (char *)reader;
        since.after_version = *version;
        since.limit = AUTHORS_MAX;
        since.without_muted = without_muted;
        follow__followed_members__init(out);
        TRY(follow_list_followed_since(c, &since, out));
        *version = out->version;
        return SN_OK;
}

sn_status pull_followed(struct rpc_call *c, const char *reader, bool without_muted, const struct page_scan *scan,
                        struct refs *out, int64_t *version)
{
        Follow__FollowedMembers members;

        *out = (struct refs){0};
        *version = 0;
        do {
                Note__NoteRefs found = NOTE__NOTE_REFS__INIT;

                TRY(list_followed(c, reader, without_muted, version, &members));
                if (members.n_ids == 0) {
                        break;
                }
                TRY(refs_by_authors(c, members.ids, members.n_ids, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, true, scan,
                                    &found));
                *out = refs_merge(c->arena, out, &(struct refs){found.n_items, found.items}, scan);
        } while (members.n_ids == AUTHORS_MAX);
        return SN_OK;
}
