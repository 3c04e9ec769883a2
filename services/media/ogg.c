/* Owns walking over the pages of an Ogg file. */
#include "services/media/ogg.h"

#include <string.h>

/* RFC 3533, section 6: offsets in the page header of the header type and of the number of segment lengths, which follow
 * the header. */
enum { HEAD_BYTES = 27, VERSION_AT = 4, TYPE_AT = 5, SEGMENTS_AT = 26, END_OF_STREAM = 4 };

/* The length of the page that begins here; 0 if it is truncated. */
static size_t page_len(const uint8_t *page, size_t left)
{
        if (left < HEAD_BYTES || left < HEAD_BYTES + (size_t)page[SEGMENTS_AT]) {
                return 0;
        }
        size_t len = HEAD_BYTES + (size_t)page[SEGMENTS_AT];

        for (size_t i = 0; i < page[SEGMENTS_AT]; i++) {
                len += page[HEAD_BYTES + i];
        }
        return len <= left ? len : 0;
}

bool ogg_is_whole(const uint8_t *bytes, size_t len)
{
        const uint8_t *end = bytes + len, *at = memmem(bytes, len, "OggS\0", VERSION_AT + 1);
        bool ended = false;

        while (at != NULL) {
                size_t page = page_len(at, (size_t)(end - at));

                if (page == 0) {
                        return false;
                }
                ended = (at[TYPE_AT] & END_OF_STREAM) != 0;
                at = memmem(at + page, (size_t)(end - at) - page, "OggS\0", VERSION_AT + 1);
        }
        return ended;
}
