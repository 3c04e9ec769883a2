/* Cursors: whatever the text, only what was signed for this list and member is taken, and it means what was signed. The
 * first byte says whether the rest is a text of its own, or a position with edits to make to its genuine cursor. */
#include <stdlib.h>
#include <string.h>

#include "auth/cursor.h"
#include "auth/keys.h"
#include "base/contract.h"

enum { POSITION_BYTES = 8 + 16 };

static const struct rpc_method method = {.full_name = "/sonet.note.v1.NoteService/ListComments"};

static void check(bool holds)
{
        if (!holds) {
                abort();
        }
}

static void text_of_its_own(struct rpc_call *c, const uint8_t *data, size_t len)
{
        struct cursor found;
        char *text = arena_strndup(c->arena, (const char *)data, len);
        sn_status status = cursor_decode(c, "", text, &found);
        check(found.sort_key == 0 && found.id[0] == '\0');
        check(status == (text[0] == '\0' ? SN_OK : SN_INVALID_ARGUMENT));
}

static void edited(struct rpc_call *c, const uint8_t *data, size_t len)
{
        if (len < POSITION_BYTES) {
                return;
        }
        struct cursor position, found;
        memcpy(&position.sort_key, data, sizeof(position.sort_key));
        uuid_from_bytes(data + 8, position.id);
        char *genuine = cursor_encode(c, "filter", &position), *text = arena_strdup(c->arena, genuine);
        size_t chars = strlen(text);
        for (size_t i = POSITION_BYTES; i + 1 < len; i += 2) {
                text[data[i] % chars] = (char)data[i + 1];
        }

        sn_status status = cursor_decode(c, "filter", text, &found);
        check((status == SN_OK) == (strcmp(text, genuine) == 0 || text[0] == '\0'));
        if (status == SN_OK && text[0] != '\0') {
                check(found.sort_key == position.sort_key);
                check(strcmp(found.id, position.id) == 0 || strspn(position.id, "0-") == UUID_SIZE - 1);
                check(cursor_decode(c, "other", text, &found) == SN_INVALID_ARGUMENT);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        static const uint8_t master[32] = "the key file of the fuzz targets";
        if (keys_generation() == 0) {
                keys_set_master(master);
        }
        if (len == 0) {
                return 0;
        }
        struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        c->method = &method;
        (data[0] % 2 == 0 ? text_of_its_own : edited)(c, data + 1, len - 1);
        rpc_call_free(c);
        return 0;
}
