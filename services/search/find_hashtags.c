/* Finds hashtags with a prefix that are used in a note visible to the reader. */
#include "services/search/find.h"

#include <string.h>
#include "services/page.h"
#include "services/search/rank.h"
#include "services/search/store.h"

enum { HASHTAGS_MAX = 100, NOTES_OF_EACH = 20, FEW = 5000 };

sn_status find_may_see(struct rpc_call *c, const char *lexeme, int64_t n_notes, bool *may)
{
        struct candidates_asked asked = {.query = terms_quote(c->arena, lexeme, ""),
                                         .few = n_notes < FEW,
                                         .viewer = c->actor,
                                         .above = "",
                                         .before = "",
                                         .below = "",
                                         .room = NOTES_OF_EACH};
        SearchRows__Candidate **rows = NULL;
        struct ranked ranked[NOTES_OF_EACH];
        char *ids[NOTES_OF_EACH];
        Note__Notes notes = NOTE__NOTES__INIT;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_candidates(tx, &asked, &n, &rows)));
        for (size_t i = 0; i < n; i++) {
                ids[i] = rows[i]->note_id;
                ranked[i] = (struct ranked){.id = ids[i], .edited_ms = rank_time_ms(rows[i]->edited_at)};
        }
        TRY(n > 0 ? find_show(c, ranked, n, ids, n, &notes) : SN_OK);
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
                return SN_OK; /* hashtags contain no spaces */
        }
        TRY(DB_READ(c, tx, store_find_hashtags(tx, arena_printf(c->arena, "#%s", text), HASHTAGS_MAX, &n, &rows)));
        for (size_t i = 0; i < n && shown < limit; i++) {
                bool may = false;

                TRY(find_may_see(c, rows[i]->word, rows[i]->open, &may));
                if (may) {
                        Search__Found *found = find_append(c, out, SEARCH__FOUND_TYPE__FOUND_TYPE_HASHTAG);

                        found->item_case = SEARCH__FOUND__ITEM_HASHTAG;
                        found->hashtag = rows[i]->word + 1;
                        shown++;
                }
        }
        return SN_OK;
}
