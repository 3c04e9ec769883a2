/* Aggregation: which notifications are grouped. Each type has a rule: a stored row, or the default. Pure functions.
 *
 * In the list, members who do the same thing to the same object join one notification for the rule's window after it
 * began. From the `least`th actor on, pushes and mails wait for the end of the window and are merged. In a digest, at
 * least `least` notifications of the type become one line: per actor, or all together. */
#ifndef SERVICES_NOTIFICATION_AGGREGATION_H
#define SERVICES_NOTIFICATION_AGGREGATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "services/notification/types.h"

/* The most actors of one notification; the next actor begins a new one. */
#define GROUP_FULL 500

/* Same values as notification.v1.FoldBy. */
enum fold_by {
        FOLD_NOTHING = 1, /* one notification per actor */
        FOLD_OBJECT,      /* one per object, for all its actors */
        FOLD_ACTOR,       /* like FOLD_OBJECT, with one line per actor in digests */
        FOLD_TYPE         /* like FOLD_OBJECT, with one line for the whole type in digests */
};

struct aggregation_rule {
        enum fold_by fold_by;
        int64_t window_s; /* 0: open until it is read */
        int64_t least;    /* at least 2 */
        char **languages; /* of the texts, including English; none if the rule never makes a line */
        char **texts;
        size_t n_texts;
};

struct aggregation {
        struct aggregation_rule of[TYPE_COUNT];
};

extern const struct aggregation_rule aggregation_default;
/* aggregation NULL: no rows were loaded, so the defaults apply. */
const struct aggregation_rule *aggregation_rule_of(const struct aggregation *aggregation, enum notification_type type);
/* The text of a line that stands for several notifications, in the language or else in English. NULL if the rule makes
 * no lines. */
const char *aggregation_text(const struct aggregation_rule *rule, const char *language);
/* Whether the delivery for the actors-th actor waits for the end of the window. */
bool aggregation_waits(const struct aggregation_rule *rule, int64_t actors);

/* A notification in a digest. The latest actor is identified by a number. */
struct aggregation_item {
        enum notification_type type;
        int64_t actor;
        bool first; /* out: whether it begins a line */
        size_t n;   /* out: how many notifications the line stands for; 1 if it begins no line */
};
/* Groups items into lines. */
void aggregation_fold(const struct aggregation *aggregation, struct aggregation_item *items, size_t n);

/* An event that a member was notified of. Numbers identify members and objects. */
struct aggregation_event {
        int64_t user, object, actor, at_ms;
};
struct aggregation_outcome {
        int64_t notifications;
        int64_t deliveries; /* on a channel with immediate delivery */
        int64_t lines;      /* in one digest of everything per member */
};
/* What a rule would make of events, which are ordered by member, object and time. */
struct aggregation_outcome aggregation_simulate(struct arena *arena, const struct aggregation_rule *rule,
                                                const struct aggregation_event *events, size_t n);

#endif
