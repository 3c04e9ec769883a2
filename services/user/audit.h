/* The audit log: who changed what, when, from where, before and after, for every change relevant to security or
 * administration. Log-ins have their own history (store_logins.c). Entries can only be added and read, and are
 * chained by hashes (schema/0010_audit_log.sql). */
#ifndef SERVICES_USER_AUDIT_H
#define SERVICES_USER_AUDIT_H

#include "db/db.h"

struct audit_entry {
        const char *action;     /* "user.suspended" */
        const char *subject_id; /* the member concerned; NULL: the actor */
        /* What changed: alternating names and values, NULL-terminated; AUDIT_VALUES builds such a list. Never
         * secrets. */
        const char *const *before, *const *after;
};
#define AUDIT_VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Adds an entry in this transaction, with the call's actor, session, address and user agent. One line for callers:
 *
 *   TRY(AUDIT(tx, .action = "user.role_changed", .subject_id = id, .before = AUDIT_VALUES("role", "member"),
 *             .after = AUDIT_VALUES("role", role)));
 *
 * Its position in the chain is assigned at COMMIT: audited transactions commit one after the other. */
SN_CHECKED sn_status audit(struct db_tx *tx, const struct audit_entry *entry);
#define AUDIT(tx, ...) audit((tx), &(struct audit_entry){__VA_ARGS__})

#define AUDIT_HASH_BYTES 32

/* An entry and its link, as stored. */
struct audit_row {
        int64_t position; /* 1, 2, 3 …; 0: it has no link */
        bool present;     /* the entry exists: neither erased nor deleted */
        bool erased;      /* if not: whether a later entry says that it was erased */
        const char *id, *action, *at_us;
        const char *actor_id, *subject_id, *session_id, *address, *client, *before, *after, *salt; /* NULL for NULL */
        const char *link_action, *link_at_us;
        const uint8_t *content_hash, *hash; /* NULL: not of AUDIT_HASH_BYTES */
};

/* Links after a position with their entries, in order. */
SN_CHECKED sn_status audit_read(struct rpc_call *c, int64_t after, size_t limit, size_t *n, struct audit_row **rows);
/* The newest existing entries, newest first. */
SN_CHECKED sn_status audit_read_newest(struct rpc_call *c, size_t limit, size_t *n, struct audit_row **rows);
/* Entries without a link: they bypassed the chain. */
SN_CHECKED sn_status audit_count_unlinked(struct rpc_call *c, int64_t *n);

/* State of verifying the chain, link by link. */
struct audit_check {
        int64_t position; /* of the last valid link */
        uint8_t hash[AUDIT_HASH_BYTES];
        int64_t erased; /* entries erased with their members */
};
/* NULL if the row continues what was verified before; otherwise what is wrong with it. */
const char *audit_check_next(struct audit_check *check, const struct audit_row *row);

#endif
