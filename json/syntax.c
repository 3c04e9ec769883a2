/* jansson parses the text. Before that, one pass limits the depth, since jansson recurses; and if jansson rejects
 * valid JSON (a duplicate key, a number too large, NUL), a walk up to the position finds the field, which jansson
 * does not report. */
#include "json/syntax.h"

#include <string.h>

#include "base/buf.h"

/* An open object or array on the path to a position in the text. */
struct level {
        bool array;
        size_t index;     /* of the element, in an array */
        struct str key;   /* as written in the text, in an object */
        bool expects_key; /* the next string is one */
};

struct walk {
        struct level levels[JSON_MAX_DEPTH + 1];
        size_t depth;
};

/* The end of the string that starts at text[at] (after its quote), or stop. */
static size_t skip_string(struct str text, size_t at, size_t stop)
{
        while (at < stop && text.ptr[at] != '"') {
                at += text.ptr[at] == '\\' ? 2 : 1;
        }
        return at < stop ? at : stop;
}

static void walk_mark(struct walk *w, char c)
{
        struct level *top = w->depth == 0 ? NULL : &w->levels[w->depth - 1];
        if (c == '{' || c == '[') {
                w->levels[w->depth++] = (struct level){.array = c == '[', .expects_key = c == '{'};
        } else if (top != NULL && (c == '}' || c == ']')) {
                w->depth--;
        } else if (top != NULL && c == ',') {
                top->index++;
                top->expects_key = !top->array;
        }
}

/* Follows the text up to stop. False if it is nested too deeply; *stopped is where. It makes no assumptions: the
 * text may not be JSON. */
static bool walk_text(struct walk *w, struct str text, size_t stop, size_t *stopped)
{
        w->depth = 0;
        for (size_t i = 0; i < stop; i++) {
                char c = text.ptr[i];
                if (c == '"') {
                        size_t end = skip_string(text, i + 1, stop);
                        struct level *top = w->depth == 0 ? NULL : &w->levels[w->depth - 1];
                        if (top != NULL && top->expects_key) {
                                top->key = (struct str){text.ptr + i + 1, end - i - 1};
                                top->expects_key = false;
                        }
                        i = end;
                } else if ((c == '{' || c == '[') && w->depth == JSON_MAX_DEPTH) {
                        *stopped = i;
                        return false;
                } else {
                        walk_mark(w, c);
                }
        }
        return true;
}

static void tree_free_p(json_t **tree)
{
        json_decref(*tree);
}

/* A decoded key: "te\u0078t" is "text". Truncated if long; shown undecoded if it is malformed. */
static void append_key(struct buf *path, struct str key)
{
        enum { SHOWN_BYTES = 64 };
        CLEANUP(buf_free) struct buf quoted;
        buf_init(&quoted, key.len + 2);
        buf_append_char(&quoted, '"');
        buf_append(&quoted, key.ptr, key.len);
        buf_append_char(&quoted, '"');
        CLEANUP(tree_free_p) json_t *text = json_loadb(quoted.data, quoted.len, JSON_DECODE_ANY, NULL);
        if (text != NULL && json_is_string(text)) {
                key = (struct str){json_string_value(text), json_string_length(text)};
        }
        buf_append(path, key.ptr, key.len < SHOWN_BYTES ? key.len : SHOWN_BYTES);
}

/* "author.items[3]"; NULL at the top. */
static const char *walk_field(const struct walk *w, struct arena *arena)
{
        struct buf path;
        buf_init(&path, 1000);
        for (size_t i = 0; i < w->depth; i++) {
                const struct level *level = &w->levels[i];
                if (level->array) {
                        buf_printf(&path, "[%zu]", level->index);
                } else if (level->key.len > 0) {
                        buf_append_c(&path, path.len > 0 ? "." : "");
                        append_key(&path, level->key);
                }
        }
        const char *field = path.len == 0 ? NULL : arena_strndup(arena, path.data, path.len);
        buf_free(&path);
        return field;
}

static const char *field_at(struct rpc_call *c, struct str text, size_t position)
{
        struct walk w;
        size_t stopped;
        if (position > text.len || !walk_text(&w, text, position, &stopped)) {
                return NULL;
        }
        return walk_field(&w, c->arena);
}

static sn_status check_depth(struct rpc_call *c, struct str text)
{
        struct walk w;
        size_t stopped;
        if (walk_text(&w, text, text.len, &stopped)) {
                return SN_OK;
        }
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", walk_field(&w, c->arena),
                             "The body is nested deeper than %d levels.", JSON_MAX_DEPTH);
}

static sn_status fail_syntax(struct rpc_call *c, struct str text, const json_error_t *error)
{
        const char *why = NULL;
        switch (json_error_code(error)) {
        case json_error_duplicate_key:
                why = "This field appears twice.";
                break;
        case json_error_numeric_overflow:
                why = "The number is too large.";
                break;
        case json_error_null_character:
        case json_error_null_byte_in_key:
                why = "NUL characters are not allowed.";
                break;
        case json_error_invalid_utf8:
                why = "This is not valid UTF-8.";
                break;
        case json_error_out_of_memory:
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "The server is out of memory for this body.");
        default:
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_json", NULL,
                                     "The body is not valid JSON: %s (line %d, column %d).", error->text, error->line,
                                     error->column);
        }
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "validation_failed", field_at(c, text, (size_t)error->position),
                             "%s (line %d, column %d)", why, error->line, error->column);
}

sn_status json_parse(struct rpc_call *c, struct str text, json_t **root)
{
        if (str_trim(text).len == 0) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_json", NULL,
                                     "The body is empty; expected a JSON object (line 1, column 0).");
        }
        TRY(check_depth(c, text));
        json_error_t error;
        json_t *parsed = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (parsed == NULL) {
                return fail_syntax(c, text, &error);
        }
        *root = parsed;
        return SN_OK;
}
