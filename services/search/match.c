/* Matches in a single pass over a note's words, each of which is looked up among the words searched for. */
#include "services/search/match.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 64, POSITION_MASK = 0x3FFF };

/* As in ts_rank: the limit of the sum of 1/n². */
#define LIMIT_OF_SUM 1.64493406685
/* Stems have no positions, and count as a single one of weight D. */
#define WITHOUT_POSITION (0.8 / LIMIT_OF_SUM)
#define OF_A_PHRASE      1.0

/* A word of a vector. */
struct entry {
        const char *text;
        size_t len, n; /* n: number of positions */
        const uint8_t *positions;
};

struct reading {
        const uint8_t *at, *end;
        uint32_t left;
};

/* A word that is searched for as a whole. */
struct wanted {
        const char *text;
        size_t len, alternative;
};

struct matcher {
        const struct terms *terms;
        struct wanted *wanted; /* sorted by length, then by bytes */
        size_t n;
};

/* ---- The format: the number of words, and for each its bytes, the number of its positions, and the positions ---- */

static uint32_t read_number(const uint8_t *at, size_t bytes)
{
        uint32_t value = 0;

        for (size_t i = 0; i < bytes; i++) {
                value = value << 8 | at[i];
        }
        return value;
}

static struct reading read_vector(const ProtobufCBinaryData *vector)
{
        if (vector->len < 4) {
                return (struct reading){0};
        }
        return (struct reading){vector->data + 4, vector->data + vector->len, read_number(vector->data, 4)};
}

static bool next_entry(struct reading *r, struct entry *out)
{
        const uint8_t *zero = r->left > 0 ? memchr(r->at, '\0', (size_t)(r->end - r->at)) : NULL;

        if (zero == NULL || r->end - zero < 3) {
                return false;
        }
        *out = (struct entry){(const char *)r->at, (size_t)(zero - r->at), read_number(zero + 1, 2), zero + 3};
        if ((size_t)(r->end - out->positions) < 2 * out->n) {
                return false;
        }
        r->at = out->positions + 2 * out->n;
        r->left--;
        return true;
}

static uint32_t read_position(const struct entry *entry, size_t i)
{
        return read_number(entry->positions + 2 * i, 2) & POSITION_MASK;
}

static double frequency_of(size_t n)
{
        double sum = 0;

        for (size_t i = 1; i <= n; i++) {
                sum += 1 / ((double)i * (double)i);
        }
        return n == 0 ? WITHOUT_POSITION : sum / LIMIT_OF_SUM;
}

/* ---- Words ---- */

static int compare_texts(const char *a, size_t a_len, const char *b, size_t b_len)
{
        return a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
}

static int compare_wanted(const void *a, const void *b)
{
        const struct wanted *x = a, *y = b;

        return compare_texts(x->text, x->len, y->text, y->len);
}

const struct matcher *matcher_new(struct arena *arena, const struct terms *terms)
{
        struct matcher *m = ARENA_NEW(arena, struct matcher);

        m->terms = terms;
        m->wanted = ARENA_ARRAY(arena, struct wanted, terms->n_alternatives);
        for (size_t i = 0; i < terms->n_alternatives; i++) {
                const struct alternative *a = &terms->alternatives[i];

                if (a->lexeme != NULL && !a->start) {
                        m->wanted[m->n++] = (struct wanted){a->lexeme, strlen(a->lexeme), i};
                }
        }
        qsort(m->wanted, m->n, sizeof(*m->wanted), compare_wanted);
        return m;
}

/* The index of the first wanted word that is not less than the entry. */
static size_t find_wanted(const struct matcher *m, const struct entry *entry)
{
        size_t from = 0, to = m->n;

        while (from < to) {
                size_t middle = from + (to - from) / 2;
                const struct wanted *w = &m->wanted[middle];

                if (compare_texts(w->text, w->len, entry->text, entry->len) < 0) {
                        from = middle + 1;
                } else {
                        to = middle;
                }
        }
        return from;
}

static bool starts_so(const struct entry *entry, const char *text)
{
        size_t len = strlen(text);

        return entry->len >= len && memcmp(entry->text, text, len) == 0;
}

static void match_entry(const struct matcher *m, const struct entry *entry, double *values)
{
        for (size_t i = find_wanted(m, entry); i < m->n; i++) {
                const struct wanted *w = &m->wanted[i];

                if (compare_texts(w->text, w->len, entry->text, entry->len) != 0) {
                        break;
                }
                values[w->alternative] = frequency_of(entry->n);
        }
        for (size_t i = 0; i < m->terms->n_alternatives; i++) {
                const struct alternative *a = &m->terms->alternatives[i];

                if (a->start && starts_so(entry, a->lexeme)) {
                        values[i] += frequency_of(entry->n);
                }
        }
}

/* ---- Phrases, and synonyms in one language ---- */

/* Finds the note's words that may match a word of a phrase. */
static size_t find_entries(const ProtobufCBinaryData *vector, const char *text, bool start,
                           struct entry found[ENTRIES_MAX])
{
        struct reading r = read_vector(vector);
        struct entry entry;
        size_t n = 0;

        while (n < ENTRIES_MAX && next_entry(&r, &entry)) {
                if (starts_so(&entry, text) && (start || entry.len == strlen(text))) {
                        found[n++] = entry;
                }
        }
        return n;
}

static bool stands_at(const struct entry *entries, size_t n, uint32_t place)
{
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < entries[i].n; k++) {
                        if (read_position(&entries[i], k) == place) {
                                return true;
                        }
                }
        }
        return false;
}

/* Keeps those of the phrase's possible beginnings at which its i-th word matches. */
static size_t keep_places(const struct entry *entries, size_t n_entries, size_t i, uint32_t *places, size_t n)
{
        size_t kept = 0;

        for (size_t k = 0; k < n; k++) {
                if (stands_at(entries, n_entries, places[k] + (uint32_t)i)) {
                        places[kept++] = places[k];
                }
        }
        return kept;
}

static bool has_phrase(const struct phrase *phrase, const ProtobufCBinaryData *vector)
{
        enum { PLACES_MAX = 256 };
        struct entry entries[ENTRIES_MAX];
        uint32_t places[PLACES_MAX];
        size_t n_entries = find_entries(vector, phrase->words[0], phrase->starts[0], entries), n = 0;

        for (size_t i = 0; i < n_entries; i++) {
                for (size_t k = 0; k < entries[i].n && n < PLACES_MAX; k++) {
                        places[n++] = read_position(&entries[i], k);
                }
        }
        for (size_t i = 1; i < phrase->n && n > 0; i++) {
                n_entries = find_entries(vector, phrase->words[i], phrase->starts[i], entries);
                n = keep_places(entries, n_entries, i, places, n);
        }
        return n > 0;
}

static bool has_sign(const ProtobufCBinaryData *vector, const char *sign)
{
        struct entry found[ENTRIES_MAX];

        return find_entries(vector, sign, false, found) > 0;
}

int64_t *match_words(struct arena *arena, const struct matcher *matcher, const ProtobufCBinaryData *vector)
{
        const struct terms *terms = matcher->terms;
        double *values = ARENA_ARRAY(arena, double, terms->n_alternatives);
        int64_t *millionths = ARENA_ARRAY(arena, int64_t, terms->n_alternatives);
        struct reading r = read_vector(vector);
        struct entry entry;

        while (next_entry(&r, &entry)) {
                match_entry(matcher, &entry, values);
        }
        for (size_t i = 0; i < terms->n_alternatives; i++) {
                const struct alternative *a = &terms->alternatives[i];

                if (a->phrase != NULL) {
                        values[i] = has_phrase(a->phrase, vector) ? OF_A_PHRASE : 0;
                } else if (a->language != NULL && values[i] > 0 && !has_sign(vector, a->language)) {
                        values[i] = 0;
                }
                millionths[i] = (int64_t)(values[i] * 1000000);
        }
        return millionths;
}
