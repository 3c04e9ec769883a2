/* Owns verifying the audit log's chain: computes the same hashes as schema/0010_audit_log.sql, so that altered
 * database functions are detected, too. */
#include "services/user/audit.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* A field as it is hashed: its length and its text, "-" for NULL. */
static void add_field(crypto_hash_sha256_state *state, const char *value)
{
        char length[24] = "-";

        if (value != NULL) {
                (void)snprintf(length, sizeof(length), "%zu:", strlen(value));
        }
        (void)crypto_hash_sha256_update(state, (const uint8_t *)length, strlen(length));
        if (value != NULL) {
                (void)crypto_hash_sha256_update(state, (const uint8_t *)value, strlen(value));
        }
        (void)crypto_hash_sha256_update(state, (const uint8_t *)",", 1);
}

static bool content_fits(const struct audit_row *row)
{
        const char *fields[] = {row->id,      row->at_us,  row->action, row->actor_id, row->subject_id, row->session_id,
                                row->address, row->client, row->before, row->after,    row->salt};
        crypto_hash_sha256_state state;
        uint8_t hash[AUDIT_HASH_BYTES];

        (void)crypto_hash_sha256_init(&state);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
                add_field(&state, fields[i]);
        }
        (void)crypto_hash_sha256_final(&state, hash);
        return memcmp(hash, row->content_hash, sizeof(hash)) == 0;
}

static void hash_link(const struct audit_check *before, const struct audit_row *row, uint8_t hash[AUDIT_HASH_BYTES])
{
        crypto_hash_sha256_state state;
        char position[24];

        (void)snprintf(position, sizeof(position), "%" PRId64, row->position);
        (void)crypto_hash_sha256_init(&state);
        if (before->position > 0) {
                (void)crypto_hash_sha256_update(&state, before->hash, AUDIT_HASH_BYTES);
        }
        add_field(&state, position);
        add_field(&state, row->id);
        add_field(&state, row->link_at_us);
        add_field(&state, row->link_action);
        (void)crypto_hash_sha256_update(&state, row->content_hash, AUDIT_HASH_BYTES);
        (void)crypto_hash_sha256_final(&state, hash);
}

const char *audit_check_next(struct audit_check *check, const struct audit_row *row)
{
        uint8_t hash[AUDIT_HASH_BYTES];

        if (row->position != check->position + 1) {
                return "earlier links are missing";
        }
        if (row->content_hash == NULL || row->hash == NULL) {
                return "its hashes were altered";
        }
        hash_link(check, row, hash);
        if (memcmp(hash, row->hash, sizeof(hash)) != 0) {
                return "it or an earlier link was altered or moved";
        }
        if (row->present && !content_fits(row)) {
                return "the entry was altered";
        }
        if (!row->present && !row->erased) {
                return "the entry was deleted";
        }
        check->erased += !row->present;
        check->position = row->position;
        memcpy(check->hash, hash, sizeof(hash));
        return NULL;
}
