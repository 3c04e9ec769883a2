/* Owns synonyms: groups of equivalent words, set by administrators. */
#include <string.h>
#include "services/search/search.h"
#include "services/search/stems.h"
#include "services/search/store_synonyms.h"

/* Folds a word as the index does; it must be a single word. */
static sn_status fold_word(struct rpc_call *c, size_t group, char **word)
{
        struct lexemes lexemes = lexemes_of(c->arena, *word);

        if (lexemes.n != 1 || lexemes.items[0].kind != LEXEME_WORD) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, arena_printf(c->arena, "items[%zu].words", group),
                                "'%s' must be a single word of letters", *word);
        }
        *word = lexemes.items[0].text;
        return SN_OK;
}

static sn_status check_group(struct rpc_call *c, size_t i, Search__SynonymGroup *group)
{
        if (group->language[0] != '\0' && language_find(group->language) == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, arena_printf(c->arena, "items[%zu].language", i),
                                "there is no dictionary for this language; use the code of one that has, like en or de,"
                                " or leave it out");
        }
        if (group->n_words < 2) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, arena_printf(c->arena, "items[%zu].words", i),
                                "must have at least two words");
        }
        for (size_t k = 0; k < group->n_words; k++) {
                TRY(fold_word(c, i, &group->words[k]));
        }
        return SN_OK;
}

/* The forms in the group's language, or in all languages. */
static struct synonym_forms forms_of(struct arena *arena, const Search__SynonymGroup *group)
{
        size_t n = 0;
        const struct language *all = language_list(&n);
        struct synonym_forms forms = {.lexemes = ARENA_ARRAY(arena, char *, n * group->n_words)};
        char **stems = ARENA_ARRAY(arena, char *, group->n_words);

        for (size_t i = 0; i < n; i++) {
                if (group->language[0] != '\0' && strcmp(group->language, all[i].code) != 0) {
                        continue;
                }
                stems_of(arena, &all[i], group->words, group->n_words, stems);
                for (size_t k = 0; k < group->n_words; k++) {
                        if (stems[k] != NULL) {
                                forms.lexemes[forms.n++] = stem_sign(arena, &all[i], stems[k]);
                        }
                }
        }
        return forms;
}

static sn_status fill_answer(struct db_tx *tx, Search__Synonyms *out)
{
        SearchRows__Synonyms **rows = NULL;

        TRY(store_synonyms(tx, &out->n_items, &rows));
        out->items = ARENA_ARRAY(db_arena(tx), Search__SynonymGroup *, out->n_items);
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i] = ARENA_NEW(db_arena(tx), Search__SynonymGroup);
                search__synonym_group__init(out->items[i]);
                out->items[i]->language = rows[i]->language;
                out->items[i]->words = rows[i]->words;
                out->items[i]->n_words = rows[i]->n_words;
        }
        return SN_OK;
}

sn_status search_handle_list_synonyms(struct rpc_call *c, const Search__ListSynonymsRequest *in, Search__Synonyms *out)
{
        return DB_READ(c, tx, fill_answer(tx, out));
}

sn_status search_handle_set_synonyms(struct rpc_call *c, const Search__Synonyms *in, Search__Synonyms *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct synonym_forms *forms = ARENA_ARRAY(c->arena, struct synonym_forms, in->n_items);

        for (size_t i = 0; i < in->n_items; i++) {
                TRY(check_group(c, i, in->items[i]));
                forms[i] = forms_of(c->arena, in->items[i]);
        }
        TRY(db_begin(c, &tx));
        TRY(db_lock_one(tx, "synonyms", ""));
        TRY(store_set_synonyms(tx, in->items, forms, in->n_items));
        TRY(fill_answer(tx, out));
        return db_commit(c, NULL, &tx);
}

sn_status search_handle_delete_synonyms(struct rpc_call *c, const Search__DeleteSynonymsRequest *in,
                                        Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_set_synonyms(tx, NULL, NULL, 0));
}
