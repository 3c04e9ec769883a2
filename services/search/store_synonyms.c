/* Owns the SQL of synonyms. */
#include "services/search/store_synonyms.h"

DB_STATEMENT(SELECT_SYNONYMS, "search_service", &search_rows__synonyms__message,
             "select language, words from search_synonyms order by place");

sn_status store_synonyms(struct db_tx *tx, size_t *n, SearchRows__Synonyms ***rows)
{
        return db_list(tx, &SELECT_SYNONYMS, DB_NO_BINDS, n, rows);
}

DB_STATEMENT(DELETE_SYNONYMS, "search_service", NULL, "delete from search_synonyms");
DB_STATEMENT(INSERT_SYNONYMS, "search_service", NULL,
             "insert into search_synonyms (place, language, words, forms) values ($1, $2, $3::text[], $4::text[])");

sn_status store_set_synonyms(struct db_tx *tx, Search__SynonymGroup *const *groups, const struct synonym_forms *forms,
                             size_t n)
{
        TRY(db_exec(tx, &DELETE_SYNONYMS, DB_NO_BINDS, NULL));
        for (size_t i = 0; i < n; i++) {
                TRY(db_exec(tx, &INSERT_SYNONYMS,
                            DB_BINDS(bind_i64((int64_t)i), bind_text(groups[i]->language),
                                     bind_texts(groups[i]->words, groups[i]->n_words),
                                     bind_texts(forms[i].lexemes, forms[i].n)),
                            NULL));
        }
        return SN_OK;
}
