/* Owns batch reads through a memo by id. */
#include "cache/by_id.h"

#include "cache/message.h"

#define ID_BYTES 16

sn_status by_id_start(struct by_id *b, size_t max_bytes)
{
        b->memo = memo_new(b->name, max_bytes);
        return b->memo != NULL ? SN_OK : SN_INTERNAL;
}

void by_id_stop(struct by_id *b)
{
        memo_free(b->memo);
        b->memo = NULL;
}

/* The places that the memo did not fill, with their tickets. */
struct missing {
        size_t n;
        size_t *places;
        uint64_t *tickets;
        char **ids;
};

static void remember(struct by_id *b, const char *id, const ProtobufCMessage *row, uint64_t ticket)
{
        struct memo_message *message = memo_message_new(row);
        uint8_t key[ID_BYTES];

        if (message != NULL && uuid_to_bytes(id, key)) {
                memo_put(b->memo, key, sizeof(key), ticket, message);
        }
        memo_unref(message);
}

/* That there is no row is remembered like a row: to ask for what is not there costs the same as for what is. */
static void keep_absent(struct memo_object *object)
{
        (void)object;
}

static struct memo_message absent = {.object = {.references = 1, .free = keep_absent}};

static void remember_absent(struct by_id *b, const struct missing *missing, ProtobufCMessage *const *out)
{
        for (size_t i = 0; i < missing->n; i++) {
                uint8_t key[ID_BYTES];

                if (out[missing->places[i]] == NULL && uuid_to_bytes(missing->ids[i], key)) {
                        memo_put(b->memo, key, sizeof(key), missing->tickets[i], &absent);
                }
        }
}

/* An id may have been asked for twice. */
static void place_row(struct by_id *b, ProtobufCMessage *row, const struct missing *missing, ProtobufCMessage **out)
{
        const char *id = b->id_of(row);
        bool kept = false;

        for (size_t i = 0; i < missing->n; i++) {
                if (!uuid_equal(id, missing->ids[i])) {
                        continue;
                }
                out[missing->places[i]] = row;
                if (!kept) {
                        remember(b, id, row, missing->tickets[i]);
                        kept = true;
                }
        }
}

static sn_status load_missing(struct rpc_call *c, struct by_id *b, const struct missing *missing,
                              ProtobufCMessage **out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        ProtobufCMessage **rows = NULL;
        size_t n_rows = 0;

        TRY(db_read(c, &tx));
        TRY(b->load(tx, missing->ids, missing->n, &n_rows, &rows));
        for (size_t i = 0; i < n_rows; i++) {
                place_row(b, rows[i], missing, out);
        }
        remember_absent(b, missing, out);
        return SN_OK;
}

sn_status by_id_get(struct rpc_call *c, struct by_id *b, enum read_from from, char *const *ids, size_t n,
                    ProtobufCMessage **out)
{
        struct missing missing = {.places = ARENA_ARRAY(c->arena, size_t, n),
                                  .tickets = ARENA_ARRAY(c->arena, uint64_t, n),
                                  .ids = ARENA_ARRAY(c->arena, char *, n)};

        for (size_t i = 0; i < n; i++) {
                const struct memo_message *message = NULL;
                uint8_t key[ID_BYTES];

                out[i] = NULL;
                if (!uuid_to_bytes(ids[i], key)) {
                        continue;
                }
                message = memo_get(b->memo, c->arena, key, sizeof(key), &missing.tickets[missing.n]);
                if (message != NULL && from != READ_FROM_DATABASE) {
                        out[i] = message->message;
                } else {
                        missing.ids[missing.n] = ids[i];
                        missing.places[missing.n++] = i;
                }
        }
        return missing.n == 0 || from == READ_FROM_MEMORY ? SN_OK : load_missing(c, b, &missing, out);
}

struct dropped {
        struct by_id *b;
        uint8_t key[ID_BYTES];
};

static void drop(void *context)
{
        struct dropped *d = context;

        memo_drop(d->b->memo, d->key, sizeof(d->key));
}

void by_id_changed(struct by_id *b, struct db_tx *tx, const char *id)
{
        struct dropped *d = ARENA_NEW(db_arena(tx), struct dropped);

        d->b = b;
        if (uuid_to_bytes(id, d->key)) {
                db_on_end(tx, drop, d);
        }
}
