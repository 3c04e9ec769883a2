/* Reads a note's words once, which are sorted, and then looks up in them each word searched for. */
#include "services/search/match.h"

#include <string.h>

enum { POSITION_MASK = 0x3FFF };

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

/* A note's words, in the order of their bytes. */
struct entries {
        struct entry *items;
        size_t n;
};

/* Those of a note that match a word: from `from` to before `to`. */
struct range {
        size_t from, to;
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

static struct entries read_entries(struct arena *arena, const ProtobufCBinaryData *vector)
{
        struct reading r = read_vector(vector);
        size_t most = vector->len / 3, room = r.left < most ? r.left : most; /* the shortest has three bytes */
        struct entries entries = {.items = ARENA_ARRAY(arena, struct entry, room)};

        while (entries.n < room && next_entry(&r, &entries.items[entries.n])) {
                entries.n++;
        }
        return entries;
}

/* As PostgreSQL orders the words of a tsvector. */
static bool is_before(const struct entry *entry, const char *text, size_t len)
{
        int order = memcmp(entry->text, text, entry->len < len ? entry->len : len);

        return order != 0 ? order < 0 : entry->len < len;
}

static bool starts_so(const struct entry *entry, const char *text, size_t len)
{
        return entry->len >= len && memcmp(entry->text, text, len) == 0;
}

/* start: the text may be only the beginning of the note's word. */
static struct range find_entries(const struct entries *in, const char *text, bool start)
{
        size_t len = strlen(text), from = 0, to = in->n, end;

        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (is_before(&in->items[middle], text, len)) {
                        from = middle + 1;
                } else {
                        to = middle;
                }
        }
        for (end = from;
             end < in->n && starts_so(&in->items[end], text, len) && (start || in->items[end].len == len);) {
                end++;
        }
        return (struct range){from, end};
}

static double match_word(const struct entries *in, const struct alternative *a)
{
        struct range range = find_entries(in, a->lexeme, a->start);
        double value = 0;

        for (size_t i = range.from; i < range.to; i++) {
                value += frequency_of(in->items[i].n);
        }
        return value;
}

/* ---- Phrases, and synonyms in one language ---- */

/* Positions are sorted. */
static bool entry_stands_at(const struct entry *entry, uint32_t place)
{
        size_t from = 0, to = entry->n;

        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (read_position(entry, middle) < place) {
                        from = middle + 1;
                } else {
                        to = middle;
                }
        }
        return from < entry->n && read_position(entry, from) == place;
}

static bool stands_at(const struct entries *in, struct range range, uint32_t place)
{
        for (size_t i = range.from; i < range.to; i++) {
                if (entry_stands_at(&in->items[i], place)) {
                        return true;
                }
        }
        return false;
}

/* Keeps those of the phrase's possible beginnings at which its i-th word matches. */
static size_t keep_places(const struct entries *in, struct range range, size_t i, uint32_t *places, size_t n)
{
        size_t kept = 0;

        for (size_t k = 0; k < n; k++) {
                if (stands_at(in, range, places[k] + (uint32_t)i)) {
                        places[kept++] = places[k];
                }
        }
        return kept;
}

static bool has_phrase(const struct entries *in, const struct phrase *phrase)
{
        enum { PLACES_MAX = 256 };
        uint32_t places[PLACES_MAX];
        struct range range = find_entries(in, phrase->words[0], phrase->starts[0]);
        size_t n = 0;

        for (size_t i = range.from; i < range.to; i++) {
                for (size_t k = 0; k < in->items[i].n && n < PLACES_MAX; k++) {
                        places[n++] = read_position(&in->items[i], k);
                }
        }
        for (size_t i = 1; i < phrase->n && n > 0; i++) {
                n = keep_places(in, find_entries(in, phrase->words[i], phrase->starts[i]), i, places, n);
        }
        return n > 0;
}

static bool has_sign(const struct entries *in, const char *sign)
{
        struct range range = find_entries(in, sign, false);

        return range.from < range.to;
}

static double match_alternative(const struct entries *in, const struct alternative *a)
{
        if (a->phrase != NULL) {
                return has_phrase(in, a->phrase) ? OF_A_PHRASE : 0;
        }
        return a->language == NULL || has_sign(in, a->language) ? match_word(in, a) : 0;
}

int64_t *match_words(struct arena *arena, const struct terms *terms, const ProtobufCBinaryData *vector)
{
        int64_t *millionths = ARENA_ARRAY(arena, int64_t, terms->n_alternatives);
        struct arena_mark mark = arena_mark(arena);
        struct entries entries = read_entries(arena, vector);

        for (size_t i = 0; i < terms->n_alternatives; i++) {
                millionths[i] = (int64_t)(match_alternative(&entries, &terms->alternatives[i]) * 1000000);
        }
        arena_reset(arena, mark);
        return millionths;
}
