/* Finds hashtags that begin with what was typed: each of which the reader may see a note. */
#include "services/search/find.h"

#include <string.h>
#include "services/page.h"
#include "services/search/store.h"

enum { HASHTAGS_MAX = 100, NOTES_OF_EACH = 20 };

sn_status find_may_see_hashtag(struct rpc_call *c, const char *tag, bool *may)
{
        Note__ListIdsByHashtagRequest in = NOTE__LIST_IDS_BY_HASHTAG_REQUEST__INIT;
        Note__NoteRefs refs = NOTE__NOTE_REFS__INIT;
        Note__BatchGetRequest asked = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes notes = NOTE__NOTES__INIT;

        in.tag = (char *)tag;
        in.viewer_id = asked.viewer_id = (char *)c->actor;
        in.limit = NOTES_OF_EACH;
        TRY(note_list_ids_by_hashtag(c, &in, &refs));
        asked.ids = ARENA_ARRAY(c->arena, char *, refs.n_items);
        for (size_t i = 0; i < refs.n_items; i++) {
                asked.ids[asked.n_ids++] = refs.items[i]->id;
        }
        TRY(note_batch_get(c, &asked, &notes));
        *may = notes.n_items > 0;
        return SN_OK;
}

sn_status find_hashtags(struct rpc_call *c, const struct search *search, size_t limit, Search__SearchPage *out)
{
        const char *text = search_plain_text(c->arena, search->query);
        SearchRows__Word **rows = NULL;
        size_t n = 0, shown = 0;

        text += text[0] == '#';
        if (text[0] == '\0' || strchr(text, ' ') != NULL) {
                return SN_OK; /* no hashtag has a space */
        }
        TRY(DB_READ(c, tx, store_find_hashtags(tx, arena_printf(c->arena, "#%s", text), HASHTAGS_MAX, &n, &rows)));
        for (size_t i = 0; i < n && shown < limit; i++) {
                bool may = false;

                TRY(find_may_see_hashtag(c, rows[i]->word + 1, &may));
                if (may) {
                        Search__Found *found = find_append(c, out, SEARCH__FOUND_TYPE__FOUND_TYPE_HASHTAG);

                        found->item_case = SEARCH__FOUND__ITEM_HASHTAG;
                        found->hashtag = rows[i]->word + 1;
                        shown++;
                }
        }
        return SN_OK;
}
