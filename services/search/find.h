/* The state of a search, shared by the files that find one type each. */
#ifndef SERVICES_SEARCH_FIND_H
#define SERVICES_SEARCH_FIND_H

#include "services/search/search.h"
#include "services/search/terms.h"

struct search {
        const Search__SearchRequest *in;
        const struct query *query;
        struct terms terms;
        const char *text;   /* the query as understood (query_print) */
        const char *filter; /* that cursors are bound to */
        bool partial;
};

/* The folded words of a query, without filters and excluded terms, which are compared with members and hashtags; "" if
 * there are none. */
const char *search_plain_text(struct arena *arena, const struct query *query);

/* A page of notes from the request's cursor. */
SN_CHECKED sn_status find_notes(struct rpc_call *c, struct search *search, Search__SearchPage *out);
/* Whether the search finds the note. */
SN_CHECKED sn_status find_whether(struct rpc_call *c, struct search *search, const char *id, bool *found);
/* At most limit members, appended to out, which has room for them. */
SN_CHECKED sn_status find_members(struct rpc_call *c, const struct search *search, size_t limit,
                                  Search__SearchPage *out);
SN_CHECKED sn_status find_hashtags(struct rpc_call *c, const struct search *search, size_t limit,
                                   Search__SearchPage *out);
/* Whether the reader may see one of the newest notes with the lexeme. n_notes: about how many notes have it. */
SN_CHECKED sn_status find_may_see(struct rpc_call *c, const char *lexeme, int64_t n_notes, bool *may);
struct ranked;
/* Loads those of the notes, which are among the ranked ones, that the reader may see and that have not changed since
 * they were indexed. */
SN_CHECKED sn_status find_show(struct rpc_call *c, const struct ranked *ranked, size_t n_ranked, char **ids, size_t n,
                               Note__Notes *out);
/* The query with corrected words, if the shown notes match only with typing mistakes; otherwise "". */
const char *find_corrected(struct arena *arena, const struct search *search, const struct ranked *const *shown,
                           size_t n);
/* Appends a new item of this type to out. */
Search__Found *find_append(struct rpc_call *c, Search__SearchPage *out, Search__FoundType type);
void find_explain(struct rpc_call *c, Search__Found *found, const char *name, const char *detail, int64_t value);
void find_start(const struct settings *settings);

#endif
