/* The SQL of synonyms. */
#ifndef SERVICES_SEARCH_STORE_SYNONYMS_H
#define SERVICES_SEARCH_STORE_SYNONYMS_H

#include "services/search/store.h"

SN_CHECKED sn_status store_synonyms(struct db_tx *tx, size_t *n, SearchRows__Synonyms ***rows);
/* The stems of a group's words. */
struct synonym_forms {
        char **lexemes;
        size_t n;
};

/* Replaces all synonyms. forms: one per group. */
SN_CHECKED sn_status store_set_synonyms(struct db_tx *tx, Search__SynonymGroup *const *groups,
                                        const struct synonym_forms *forms, size_t n);

#endif
