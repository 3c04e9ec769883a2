/* The path of a field in nested messages, kept on the stack while they are walked and formatted only when there is
 * an error. */
#ifndef RPC_FIELD_PATH_H
#define RPC_FIELD_PATH_H

#include <stddef.h>
#include "base/arena.h"

struct field_path {
        const struct field_path *parent; /* NULL: a field of the message itself */
        const char *name;
        long index; /* of a list element; negative: not in a list */
};

/* "items[3].author.id", in the arena. */
const char *field_path_text(struct arena *arena, const struct field_path *path);

#endif
