/* Optimal string alignment (Damerau and Levenshtein), in three rows. */
#include "services/search/edits.h"

#include <string.h>
#include "base/str.h"

enum { WORD_MAX = 64 };

static size_t decode(const char *word, uint32_t points[WORD_MAX])
{
        size_t len = strlen(word), n = 0;

        for (size_t at = 0; at < len && n < WORD_MAX; n++) {
                at += utf8_decode(word + at, len - at, &points[n]);
        }
        return n;
}

size_t edits_forgiven(const char *word)
{
        size_t length = utf8_length(word, strlen(word));

        if (strpbrk(word, "0123456789_") != NULL || length < 4 || length > WORD_MAX - 2) {
                return 0;
        }
        return length < 8 ? 1 : 2;
}

static size_t smallest(size_t a, size_t b)
{
        return a < b ? a : b;
}

size_t edits_between(const char *a, const char *b, size_t most)
{
        uint32_t from[WORD_MAX], to[WORD_MAX];
        size_t rows[3][WORD_MAX + 1], n = decode(a, from), m = decode(b, to);

        if ((n > m ? n - m : m - n) > most) {
                return most + 1;
        }
        for (size_t k = 0; k <= m; k++) {
                rows[0][k] = k;
        }
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *two_up = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t k = 1; k <= m; k++) {
                        row[k] = smallest(smallest(up[k], row[k - 1]) + 1, up[k - 1] + (from[i - 1] != to[k - 1]));
                        if (i > 1 && k > 1 && from[i - 1] == to[k - 2] && from[i - 2] == to[k - 1]) {
                                row[k] = smallest(row[k], two_up[k - 2] + 1);
                        }
                }
        }
        return rows[n % 3][m] <= most ? rows[n % 3][m] : most + 1;
}
