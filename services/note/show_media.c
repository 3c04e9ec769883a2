/* Owns a note's media. */
#include "services/note/show_media.h"

#include <string.h>

/* ids NULL: only the number of media. */
static size_t collect(struct shown_media **notes, size_t n, char **ids, char **viewers)
{
        size_t n_ids = 0;

        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < notes[i]->stored->n_media_ids; k++) {
                        if (ids != NULL) {
                                ids[n_ids] = notes[i]->stored->media_ids[k];
                                viewers[n_ids] = notes[i]->viewer;
                        }
                        n_ids++;
                }
        }
        return n_ids;
}

static void divide(struct rpc_call *c, struct shown_media **notes, size_t n, Media__Media **found)
{
        for (size_t i = 0; i < n; i++) {
                struct shown_media *note = notes[i];

                note->items = ARENA_ARRAY(c->arena, Media__Media *, note->stored->n_media_ids);
                for (size_t k = 0; k < note->stored->n_media_ids; k++, found++) {
                        if ((*found)->id[0] != '\0') {
                                note->items[note->n++] = *found;
                        }
                }
        }
}

sn_status show_media(struct rpc_call *c, struct shown_media **notes, size_t n)
{
        Media__BatchDescribeRequest in = MEDIA__BATCH_DESCRIBE_REQUEST__INIT;
        Media__Descriptions out = MEDIA__DESCRIPTIONS__INIT;

        in.n_ids = collect(notes, n, NULL, NULL);
        if (in.n_ids == 0) {
                return SN_OK;
        }
        in.ids = ARENA_ARRAY(c->arena, char *, in.n_ids);
        in.viewer_ids = ARENA_ARRAY(c->arena, char *, in.n_ids);
        in.n_viewer_ids = collect(notes, n, in.ids, in.viewer_ids);
        TRY(media_batch_describe(c, &in, &out));
        if (out.n_items != in.n_ids) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the media service answered with the wrong number of media");
        }
        divide(c, notes, n, out.items);
        return SN_OK;
}
