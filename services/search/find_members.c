/* Finds members by their names, except those with a block between them and the reader. */
#include "services/search/find.h"

#include <string.h>
#include "services/page.h"
#include "services/search/store.h"
#include "services/user/user.rpc.h"

enum { MEMBERS_MAX = 200 };

static sn_status show_members(struct rpc_call *c, char **ids, size_t n, User__Authors *authors,
                              Follow__Relations *relations)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        Follow__GetRelationsRequest asked = FOLLOW__GET_RELATIONS_REQUEST__INIT;

        in.ids = asked.user_ids = ids;
        in.n_ids = asked.n_user_ids = n;
        asked.viewer_id = (char *)c->actor;
        TRY(user_batch_get_authors(c, &in, authors));
        TRY(follow_get_relations(c, &asked, relations));
        if (authors->n_items != n || relations->n_items != n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "user or follow service answered with the wrong number of items");
        }
        return SN_OK;
}

static void append_member(struct rpc_call *c, const struct search *search, User__Author *author, int64_t score,
                          Search__SearchPage *out)
{
        Search__Found *found = find_append(c, out, SEARCH__FOUND_TYPE__FOUND_TYPE_USER);

        found->item_case = SEARCH__FOUND__ITEM_USER;
        found->user = author;
        found->score = score;
        if (search->in->explain) {
                int64_t username = score / 1000000 * 1000000;

                find_explain(c, found, "username", "", username);
                find_explain(c, found, "names", "", score - username);
        }
}

sn_status find_members(struct rpc_call *c, const struct search *search, size_t limit, Search__SearchPage *out)
{
        const char *text = search_plain_text(c->arena, search->query);
        SearchRows__Member **rows = NULL;
        User__Authors authors = USER__AUTHORS__INIT;
        Follow__Relations relations = FOLLOW__RELATIONS__INIT;
        size_t n = 0, shown = 0;

        text += text[0] == '@';
        if (text[0] == '\0') {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, store_find_members(tx, text, MEMBERS_MAX, &n, &rows)));
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                ids[i] = rows[i]->user_id;
        }
        TRY(show_members(c, ids, n, &authors, &relations));
        for (size_t i = 0; i < n && shown < limit; i++) {
                if (authors.items[i]->id[0] != '\0' && page_admits_unblocked(NULL, relations.items[i])) {
                        append_member(c, search, authors.items[i], rows[i]->score, out);
                        shown++;
                }
        }
        return SN_OK;
}
