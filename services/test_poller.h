/* A reader of a list who has read its first page and then polls for newer items. */
#ifndef SERVICES_TEST_POLLER_H
#define SERVICES_TEST_POLLER_H

#include "services/test_support.h"

#define CURSOR_SIZE 2100
#define FOUND_MAX   4000

/* A list as requested by its reader. */
struct list {
        const char *name, *reader;
        const struct rpc_method *method;
        const char *id, *text;
};

struct poller {
        const struct list *list;
        uint32_t limit;
        char after[CURSOR_SIZE];
        char (*found)[UUID_SIZE];
        size_t n;
};

/* A text in a response. */
const char *poller_text(const void *message, const char *name);
struct poller poller_new(const struct list *list, uint32_t limit);
size_t poller_once(struct poller *p); /* returns the number of new items; fails the test if one is repeated */
void poller_all(struct poller *p);
bool poller_has(const struct poller *p, const char *id);
/* Fails the test unless the item was found, and frees what the poller has found. */
void poller_expect(struct poller *p, const char *id, const char *what);

#endif
