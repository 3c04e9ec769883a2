/* Owns polling in tests. */
#include "services/test_poller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const void *field(const void *message, const char *name)
{
        const ProtobufCMessage *m = message;

        return (const char *)m + protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name)->offset;
}

const char *poller_text(const void *message, const char *name)
{
        return *(const char *const *)field(message, name);
}

bool poller_has(const struct poller *p, const char *id)
{
        for (size_t i = 0; i < p->n; i++) {
                if (strcmp(p->found[i], id) == 0) {
                        return true;
                }
        }
        return false;
}

size_t poller_once(struct poller *p)
{
        const char *after = p->after[0] != '\0' ? p->after : NULL;
        const void *page =
            test_ask(p->list->reader, p->list->method,
                     &(struct test_args){.id = p->list->id, .text = p->list->text, .after = after, .limit = p->limit});
        size_t n = *(const size_t *)((const char *)page + protobuf_c_message_descriptor_get_field_by_name(
                                                              ((const ProtobufCMessage *)page)->descriptor, "items")
                                                              ->quantifier_offset);
        const void *const *items = *(const void *const *const *)field(page, "items");

        assert_true(n <= p->limit && p->n + n <= FOUND_MAX);
        for (size_t i = 0; i < n; i++) {
                if (poller_has(p, poller_text(items[i], "id"))) {
                        fail_msg("%s gives %s twice", p->list->name, poller_text(items[i], "id"));
                }
                (void)snprintf(p->found[p->n++], UUID_SIZE, "%s", poller_text(items[i], "id"));
        }
        if (poller_text(page, "prev_cursor")[0] != '\0') {
                (void)snprintf(p->after, sizeof(p->after), "%s", poller_text(page, "prev_cursor"));
        }
        test_release();
        return n;
}

struct poller poller_new(const struct list *list, uint32_t limit)
{
        struct poller p = {.list = list, .limit = limit, .found = calloc(FOUND_MAX, UUID_SIZE)};

        (void)poller_once(&p);
        return p;
}

void poller_all(struct poller *p)
{
        while (poller_once(p) > 0) {
        }
}

void poller_expect(struct poller *p, const char *id, const char *what)
{
        if (!poller_has(p, id)) {
                fail_msg("%s lacks the %s item, read by %u", p->list->name, what, p->limit);
        }
        free(p->found);
}
