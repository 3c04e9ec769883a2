/* Owns where on a home timeline a note appears that several members renoted. note_service returns for each item the
 * next newer renote of the same note on the reader's home timeline; if that was read already, the item is left out.
 *
 * Renotes made since a reading started are above its first page, which the reader has not seen: they hide nothing
 * further down. Nor does a renote that is too new to be delivered. A reader asking for newer items sees every
 * renote, so there a note always gives way to the next one. */
#include "services/timeline/once.h"

#include <string.h>

void once_fetched(struct once *once, const struct page_scan *scan, const struct page_refs *refs)
{
        if (!once->started) {
                once->started = true;
                once->from = scan->beyond;
                once->began = scan->began;
                once->newer = scan->newer;
        }
        for (size_t i = 0; i < refs->n; i++) {
                once->fetched[once->n++ % ONCE_FETCHED_MAX] = uuid_start(refs->items[i].at.id);
        }
}

static bool was_fetched(const struct once *once, uint64_t start)
{
        size_t n = once->n < ONCE_FETCHED_MAX ? once->n : ONCE_FETCHED_MAX;

        for (size_t i = 0; i < n; i++) {
                if (once->fetched[i] == start) {
                        return true;
                }
        }
        return false;
}

static bool is_read(const struct once *once, const char *id)
{
        uint64_t start = uuid_start(id);
        bool above = once->began != 0 && strcmp(id, once->from.id) >= 0;

        return once->newer || (above ? start <= once->began : was_fetched(once, start));
}

bool once_is_here(const struct once *once, const char *next_renote_id)
{
        return next_renote_id[0] == '\0' || !is_read(once, next_renote_id);
}
