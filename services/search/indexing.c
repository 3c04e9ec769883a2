/* Owns turning notes and members into rows of the index. */
#include "services/search/indexing.h"

#include "base/text.h"
#include "base/uuid.h"
#include "services/search/stems.h"

static void add_media(struct arena *arena, struct lexemes *lexemes, const Note__Note *note)
{
        static const char *const signs[] = {[MEDIA__KIND__KIND_IMAGE] = ":has:image",
                                            [MEDIA__KIND__KIND_VIDEO] = ":has:video",
                                            [MEDIA__KIND__KIND_AUDIO] = ":has:audio"};

        for (size_t i = 0; i < note->n_media; i++) {
                size_t kind = (size_t)note->media[i]->kind;

                lexemes_add_sign(arena, lexemes, ":has:media");
                if (kind < sizeof(signs) / sizeof(signs[0]) && signs[kind] != NULL) {
                        lexemes_add_sign(arena, lexemes, signs[kind]);
                }
        }
}

static void add_signs(struct arena *arena, struct lexemes *lexemes, const Note__IndexedNote *in, const char *language)
{
        const Note__Note *note = in->note;

        lexemes_add_sign(arena, lexemes, ":all");
        lexemes_add_sign(arena, lexemes, ":pairs"); /* previous releases do not write it: store_rebuild.c */
        lexemes_add_sign(arena, lexemes, arena_printf(arena, ":from:%s", note->author->id));
        for (size_t i = 0; i < note->n_mentions; i++) {
                lexemes_add_sign(arena, lexemes, arena_printf(arena, ":mentions:%s", note->mentions[i]->id));
        }
        for (size_t i = 0; i < note->n_hashtags; i++) {
                lexemes_add_sign(arena, lexemes,
                                 arena_printf(arena, "#%s", text_casefold_nfkc(arena, note->hashtags[i])));
        }
        if (note->parent_id[0] != '\0') {
                lexemes_add_sign(arena, lexemes, ":is:comment");
        }
        if (in->parent_author_id[0] != '\0') {
                lexemes_add_sign(arena, lexemes, arena_printf(arena, ":to:%s", in->parent_author_id));
        }
        add_media(arena, lexemes, note);
        if (language[0] != '\0') {
                lexemes_add_sign(arena, lexemes, arena_printf(arena, ":lang:%s", language));
        }
}

static void analyse_note(struct arena *arena, const Note__IndexedNote *in, struct indexed_note *out)
{
        struct lexemes lexemes = lexemes_of(arena, in->note->text);
        const char *code = language_guess(in->note->text);
        const struct language *language = language_of_stems(in->note->text, code);

        *out = (struct indexed_note){.note = in, .length = lexemes.n_words};
        if (language != NULL) {
                stems_add(arena, language, &lexemes);
        }
        stems_add_pairs(arena, &lexemes);
        add_signs(arena, &lexemes, in, code);
        out->vector = lexemes_vector(arena, &lexemes);
}

struct indexed_note *indexing_analyse(struct arena *arena, const Note__IndexedNotes *notes)
{
        struct indexed_note *rows = ARENA_ARRAY(arena, struct indexed_note, notes->n_items);

        for (size_t i = 0; i < notes->n_items; i++) {
                analyse_note(arena, notes->items[i], &rows[i]);
        }
        return rows;
}

static bool is_among(const char *id, const Note__IndexedNotes *notes)
{
        for (size_t i = 0; i < notes->n_items; i++) {
                if (uuid_equal(notes->items[i]->note->id, id)) {
                        return true;
                }
        }
        return false;
}

char **indexing_missing(struct arena *arena, char **ids, size_t n_ids, const Note__IndexedNotes *notes, size_t *n)
{
        char **missing = ARENA_ARRAY(arena, char *, n_ids);

        *n = 0;
        for (size_t i = 0; i < n_ids; i++) {
                if (!is_among(ids[i], notes)) {
                        missing[(*n)++] = ids[i];
                }
        }
        return missing;
}

const User__IndexedUser *indexing_find_member(const User__IndexedUsers *users, const char *id)
{
        for (size_t i = 0; i < users->n_items; i++) {
                if (uuid_equal(users->items[i]->id, id)) {
                        return users->items[i];
                }
        }
        return NULL;
}

sn_status indexing_member(struct db_tx *tx, const User__IndexedUser *user)
{
        struct arena *arena = db_arena(tx);
        const char *key = lexeme_fold(arena, user->username);

        return store_index_member(tx, user, key,
                                  arena_printf(arena, "%s %s", key, lexeme_fold(arena, user->display_name)));
}
