/* Spells the path of a field from the outermost message down. */
#include "rpc/field_path.h"

const char *field_path_text(struct arena *arena, const struct field_path *path)
{
        const char *before = path->parent == NULL ? "" : field_path_text(arena, path->parent);
        const char *dot = before[0] == '\0' ? "" : ".";
        if (path->index < 0) {
                return arena_printf(arena, "%s%s%s", before, dot, path->name);
        }
        return arena_printf(arena, "%s%s%s[%ld]", before, dot, path->name, path->index);
}
