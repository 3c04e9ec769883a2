/* Owns primary and complementary suppression. */
#include "services/analytics/suppress.h"

static void count_hidden(const int64_t *people, size_t n, const bool *hidden, size_t *groups, int64_t *sum)
{
        *groups = 0;
        *sum = 0;
        for (size_t i = 0; i < n; i++) {
                *groups += hidden[i] ? 1 : 0;
                *sum += hidden[i] ? people[i] : 0;
        }
}

/* n when all are hidden. */
static size_t smallest_shown(const int64_t *people, size_t n, const bool *hidden)
{
        size_t found = n;

        for (size_t i = 0; i < n; i++) {
                if (!hidden[i] && people[i] > 0 && (found == n || people[i] < people[found])) {
                        found = i;
                }
        }
        return found;
}

void suppress_small(const int64_t *people, size_t n, int64_t min, bool *hidden)
{
        size_t groups = 0, next = 0;
        int64_t sum = 0;

        for (size_t i = 0; i < n; i++) {
                hidden[i] = people[i] > 0 && people[i] < min;
        }
        count_hidden(people, n, hidden, &groups, &sum);
        while (groups > 0 && (groups < 2 || sum < min) && (next = smallest_shown(people, n, hidden)) < n) {
                hidden[next] = true;
                count_hidden(people, n, hidden, &groups, &sum);
        }
}
