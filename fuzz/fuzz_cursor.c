/* Cursors: for all inputs, only cursors created for this list and member are accepted, with their original meaning. The
 * first byte selects whether the rest is a cursor, or a position and edits to its genuine cursor. */
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
        sn_status status = cursor_decode(c, "", "cursor", text, &found);
        check(found.at.sort_key == 0 && found.at.id[0] == '\0' && found.n_seen == 0);
        check(status == (text[0] == '\0' ? SN_OK : SN_INVALID_ARGUMENT));
}

/* The last byte of the ID is also the number of items seen. */
static struct cursor cursor_of(const uint8_t data[POSITION_BYTES])
{
        struct cursor cursor = {.n_seen = data[POSITION_BYTES - 1] % (CURSOR_SEEN_MAX + 1)};
        memcpy(&cursor.at.sort_key, data, sizeof(cursor.at.sort_key));
        uuid_from_bytes(data + 8, cursor.at.id);
        for (size_t i = 0; i < cursor.n_seen; i++) {
                cursor.seen[i] = ((uint64_t)cursor.at.sort_key * i) >> (64 - CURSOR_PRINT_BITS);
        }
        return cursor;
}

static void check_same(const struct cursor *a, const struct cursor *b)
{
        check(a->at.sort_key == b->at.sort_key);
        check(strcmp(a->at.id, b->at.id) == 0 || strspn(b->at.id, "0-") == UUID_SIZE - 1);
        check(a->n_seen == b->n_seen && memcmp(a->seen, b->seen, a->n_seen * sizeof(a->seen[0])) == 0);
}

static void edited(struct rpc_call *c, const uint8_t *data, size_t len)
{
        if (len < POSITION_BYTES) {
                return;
        }
        struct cursor sent = cursor_of(data), found;
        char *genuine = cursor_encode(c, "filter", &sent), *text = arena_strdup(c->arena, genuine);
        size_t chars = strlen(text);
        for (size_t i = POSITION_BYTES; i + 1 < len; i += 2) {
                text[data[i] % chars] = (char)data[i + 1];
        }

        sn_status status = cursor_decode(c, "filter", "cursor", text, &found);
        check((status == SN_OK) == (strcmp(text, genuine) == 0 || text[0] == '\0'));
        if (status == SN_OK && text[0] != '\0') {
                check_same(&found, &sent);
                check(cursor_decode(c, "other", "cursor", text, &found) == SN_INVALID_ARGUMENT);
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
