/* Owns which mentions are shown. */
#include "services/note/mentions.h"

#include <string.h>
#include "services/user/user.rpc.h"

enum { ASKED_MAX = 1000 }; /* user.proto, BatchGetAuthors */

/* The mentions of one note, as stored in the response. */
struct place {
        size_t *n;
        Note__Mention ***items;
};

static size_t find_places(Note__Note *const *notes, size_t n, struct place *places)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++) {
                Note__RenotedNote *of = notes[i]->renote_of;

                if (notes[i]->n_mentions > 0) {
                        places[found++] = (struct place){&notes[i]->n_mentions, &notes[i]->mentions};
                }
                if (of != NULL && of->n_mentions > 0) {
                        places[found++] = (struct place){&of->n_mentions, &of->mentions};
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
static void keep(struct arena *arena, const struct place *place, const bool *there)
{
        if (memchr(there, false, *place->n) == NULL) {
                return;
        }
        Note__Mention **kept = ARENA_ARRAY(arena, Note__Mention *, *place->n);
        size_t n = 0;

        for (size_t i = 0; i < *place->n; i++) {
                if (there[i]) {
                        kept[n++] = (*place->items)[i];
                }
        }
        *place->n = n;
        *place->items = kept;
}

sn_status mentions_hide_gone(struct rpc_call *c, Note__Note *const *notes, size_t n)
{
        struct place *places = ARENA_ARRAY(c->arena, struct place, 2 * n);
        size_t n_places = find_places(notes, n, places), n_ids = 0, at = 0;

        for (size_t i = 0; i < n_places; i++) {
                n_ids += *places[i].n;
        }
        char **ids = ARENA_ARRAY(c->arena, char *, n_ids);
        bool *there = ARENA_ARRAY(c->arena, bool, n_ids);

        for (size_t i = 0; i < n_places; i++) {
                for (size_t k = 0; k < *places[i].n; k++) {
                        ids[at++] = (*places[i].items)[k]->id;
                }
        }
        TRY(ask_who_is_there(c, ids, n_ids, there));
        for (size_t i = 0; i < n_places; i++) {
                size_t asked = *places[i].n;

                keep(c->arena, &places[i], there);
                there += asked;
        }
        return SN_OK;
}
