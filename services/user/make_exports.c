/* Makes the requested exports, one part at a time, each committed with the start of the next. So a stop, a crash or
 * an unreachable service costs no more than the current part, and no more than that is in memory. */
#include "services/user/user.h"

#include <string.h>
#include "base/clock.h"
#include "mail/mail.h"
#include "rpc/rpc.h"
#include "services/user/exports.h"
#include "services/user/mails.h"
#include "services/user/store_exports.h"

enum {
        PART_BYTES = 512 * 1024, /* a part is filled up to this size, */
        PART_US = 300000,        /* and for at most this long */
        TEXT_MAX = 16 << 20,     /* of the longest possible portion */
};

struct making {
        UserRows__ExportTask task;
        struct export_part at; /* what is read next, */
        size_t place, places;  /* and its number of how many */
        struct buf text;
};

static void making_free(struct making *m)
{
        buf_free(&m->text);
}

static bool find_place(struct making *m)
{
        struct export_part part;
        bool found = false;

        for (m->places = 0; export_part_at(m->places, &part); m->places++) {
                if (strcmp(part.service->name, m->task.service) == 0 && strcmp(part.kind->kind, m->task.kind) == 0) {
                        m->at = part;
                        m->place = m->places;
                        found = true;
                }
        }
        return found;
}

static sn_status read_portion(struct rpc_call *c, const struct making *m, export_portion *out)
{
        const struct rpc_service *contract = m->at.service->contract;
        export_request in = SONET__EXPORT__READ_EXPORT_REQUEST__INIT;

        in.member_id = m->task.user_id;
        in.kind = (char *)m->at.kind->kind;
        in.after = m->task.after;
        for (size_t i = 0; i < contract->n_methods; i++) {
                if (strcmp(contract->methods[i].name, "ReadExport") == 0) {
                        return rpc_invoke(c, &contract->methods[i], &in.base, &out->base);
                }
        }
        return rpc_fail(c, SN_INTERNAL, NULL, "the %s service has no ReadExport method", contract->name);
}

/* Continues after the last item, or with the next kind. */
static void advance_portion(struct making *m, const export_portion *portion)
{
        m->task.items += (int64_t)portion->n_items;
        m->task.after = portion->more ? portion->items[portion->n_items - 1]->position : "";
        if (!portion->more && export_part_at(++m->place, &m->at)) {
                m->task.service = (char *)m->at.service->name;
                m->task.kind = (char *)m->at.kind->kind;
        }
}

static bool is_done(const struct making *m)
{
        return m->place >= m->places;
}

static sn_status fill_part(struct rpc_call *c, struct making *m)
{
        int64_t until_us = clock_monotonic_us() + PART_US;

        do {
                export_portion portion = SONET__EXPORT__READ_EXPORT_RESPONSE__INIT;

                TRY(read_portion(c, m, &portion));
                export_write_items(&m->text, &m->at, &portion, m->task.items == 0);
                advance_portion(m, &portion);
        } while (!is_done(m) && m->text.len < PART_BYTES && clock_monotonic_us() < until_us);
        if (is_done(m)) {
                export_write_end(&m->text);
        }
        return m->text.overflow ? rpc_fail(c, SN_INTERNAL, NULL, "a part of an archive is too large") : SN_OK;
}

static sn_status mail_link_to(struct db_tx *tx, const UserRows__ExportTask *task, int64_t expires_s)
{
        struct mail_recipient member;

        TRY(mail_recipient_of(tx, task->user_id, &member));
        return mail_enqueue(
            tx, &(struct mail){.template = &mail_export_ready,
                               .to = member.email,
                               .language = member.language,
                               .owner_id = task->user_id,
                               .life_ms = exports_days() * INT64_C(86400000),
                               MAIL_VALUES(mail_text("name", member.username), mail_text("network", mail_network()),
                                           mail_link("link", export_link(db_arena(tx), task->id, expires_s)),
                                           mail_number("days", exports_days()))});
}

static sn_status store_part(struct rpc_call *c, struct making *m)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t expires_s = 0;
        bool added = false;

        TRY(db_begin(c, &tx));
        TRY(store_add_export_part(tx, &m->task, (int64_t)(m->place * 100 / m->places),
                                  m->text.len > 0 ? m->text.data : "", m->text.len, &added));
        if (added && is_done(m)) {
                TRY(store_finish_export(tx, m->task.id, exports_days(), &expires_s));
                TRY(mail_link_to(tx, &m->task, expires_s));
        }
        return db_commit(c, NULL, &tx);
}

/* At the first kind: also if the program that started it knew kinds that this one does not. */
static sn_status begin_export(struct rpc_call *c, struct making *m)
{
        if (find_place(m)) {
                return SN_OK;
        }
        if (m->task.parts > 0) {
                TRY(DB_WRITE(c, tx, store_restart_export(tx, m->task.id)));
        }
        (void)export_part_at(0, &m->at);
        m->place = 0;
        m->task.service = (char *)m->at.service->name;
        m->task.kind = (char *)m->at.kind->kind;
        m->task.after = "";
        m->task.parts = m->task.items = 0;
        export_write_start(&m->text, m->task.user_id, m->task.created_ms);
        return SN_OK;
}

static sn_status make_some(struct rpc_call *c, bool *more)
{
        CLEANUP(making_free) struct making m = {.task = USER_ROWS__EXPORT_TASK__INIT};

        buf_init(&m.text, TEXT_MAX);
        TRY(DB_WRITE(c, tx, store_next_export(tx, &m.task)));
        *more = m.task.id[0] != '\0';
        if (!*more) {
                return DB_WRITE(c, tx, store_drop_expired_export(tx, more));
        }
        TRY(begin_export(c, &m));
        TRY(fill_part(c, &m));
        return store_part(c, &m);
}

const struct service_job user_make_exports = {.name = "make_exports", .every_s = 30, .run = make_some};
