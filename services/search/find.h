/* What a search is about, for the files that find one type each. */
#ifndef SERVICES_SEARCH_FIND_H
#define SERVICES_SEARCH_FIND_H

#include "services/search/search.h"
#include "services/search/terms.h"

struct search {
        const Search__SearchRequest *in;
        const struct query *query;
        struct terms terms;
        const char *text;   /* the query as it was understood */
        const char *filter; /* of cursors */
        bool partial;
};

/* Its words alone, without filters and excluded terms, folded: what members and hashtags are compared with. ""
 * without any. */
const char *search_plain_text(struct arena *arena, const struct query *query);

/* A page of notes, from the request's cursor on. */
SN_CHECKED sn_status find_notes(struct rpc_call *c, struct search *search, Search__SearchPage *out);
/* Whether the note is among those that the search finds. */
SN_CHECKED sn_status find_whether(struct rpc_call *c, struct search *search, const char *id, bool *found);
/* At most limit members, appended to out, which has room for them. */
SN_CHECKED sn_status find_members(struct rpc_call *c, const struct search *search, size_t limit,
                                  Search__SearchPage *out);
SN_CHECKED sn_status find_hashtags(struct rpc_call *c, const struct search *search, size_t limit,
                                   Search__SearchPage *out);
/* Whether the reader may see a note with the lexeme, of the newest ones; n_notes: how many have it, about. */
SN_CHECKED sn_status find_may_see(struct rpc_call *c, const char *lexeme, int64_t n_notes, bool *may);
struct ranked;
/* Of these notes, which are among the ranked ones, those that the reader may see, and as they were indexed. */
SN_CHECKED sn_status find_show(struct rpc_call *c, const struct ranked *ranked, size_t n_ranked, char **ids, size_t n,
                               Note__Notes *out);
/* The query with other words in place of those that the shown notes have mistyped only; "" when there are none. */
const char *find_corrected(struct arena *arena, const struct search *search, const struct ranked *const *shown,
                           size_t n);
/* A new item at the end of out, with the type. */
Search__Found *find_append(struct rpc_call *c, Search__SearchPage *out, Search__FoundType type);
void find_explain(struct rpc_call *c, Search__Found *found, const char *name, const char *detail, int64_t value);
void find_start(const struct settings *settings);

#endif
