/* Owns which mentions are shown. */
#include "services/note/mentions.h"

#include <string.h>
#include "services/user/user.rpc.h"

enum { ASKED_MAX = 1000 }; /* user.proto, BatchGetAuthors */

/* The mentions of one note, as stored in the response. */
struct mention_list {
        size_t *n;
        Note__Mention ***items;
};

static size_t find_mention_lists(Note__Note *const *notes, size_t n, struct mention_list *lists)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++) {
                Note__RenotedNote *of = notes[i]->renote_of;

                if (notes[i]->n_mentions > 0) {
                        lists[found++] = (struct mention_list){&notes[i]->n_mentions, &notes[i]->mentions};
                }
                if (of != NULL && of->n_mentions > 0) {
                        lists[found++] = (struct mention_list){&of->n_mentions, &of->mentions};
                }
        }
        return found;
}

/* there[i] belongs to the i-th mention of all notes in sequence. */
static sn_status ask_who_is_there(struct rpc_call *c, char **ids, size_t n, bool *there)
{
        for (size_t from = 0; from < n; from += ASKED_MAX) {
                User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
                User__Authors out = USER__AUTHORS__INIT;

                in.ids = ids + from;
                in.n_ids = n - from < ASKED_MAX ? n - from : ASKED_MAX;
                TRY(user_batch_get_authors(c, &in, &out));
                if (out.n_items != in.n_ids) {
                        return rpc_fail(c, SN_INTERNAL, NULL,
                                        "the user service answered with the wrong number of authors");
                }
                for (size_t i = 0; i < in.n_ids; i++) {
                        there[from + i] = out.items[i]->id[0] != '\0';
                }
        }
        return SN_OK;
}

/* The stored note's list is shared, and must not be changed. Usually everybody is there. */
static void keep(struct arena *arena, const struct mention_list *list, const bool *there)
{
        if (memchr(there, false, *list->n) == NULL) {
                return;
        }
        Note__Mention **kept = ARENA_ARRAY(arena, Note__Mention *, *list->n);
        size_t n = 0;

        for (size_t i = 0; i < *list->n; i++) {
                if (there[i]) {
                        kept[n++] = (*list->items)[i];
                }
        }
        *list->n = n;
        *list->items = kept;
}

sn_status mentions_hide_gone(struct rpc_call *c, Note__Note *const *notes, size_t n)
{
        struct mention_list *lists = ARENA_ARRAY(c->arena, struct mention_list, 2 * n);
        size_t n_lists = find_mention_lists(notes, n, lists), n_ids = 0, at = 0;

        for (size_t i = 0; i < n_lists; i++) {
                n_ids += *lists[i].n;
        }
        char **ids = ARENA_ARRAY(c->arena, char *, n_ids);
        bool *there = ARENA_ARRAY(c->arena, bool, n_ids);

        for (size_t i = 0; i < n_lists; i++) {
                for (size_t k = 0; k < *lists[i].n; k++) {
                        ids[at++] = (*lists[i].items)[k]->id;
                }
        }
        TRY(ask_who_is_there(c, ids, n_ids, there));
        for (size_t i = 0; i < n_lists; i++) {
                size_t asked = *lists[i].n;

                keep(c->arena, &lists[i], there);
                there += asked;
        }
        return SN_OK;
}
