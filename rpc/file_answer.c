/* Owns parsing ranges and the precedence of conditions. */
#include "rpc/file_answer.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/contract.h"
#include "base/log.h"

/* Digits only; anything beyond int64 becomes the largest value, which no file reaches. */
static bool read_position(struct str text, int64_t *out)
{
        int64_t number = 0;
        for (size_t i = 0; i < text.len; i++) {
                int64_t digit = text.ptr[i] - '0';
                if (digit < 0 || digit > 9) {
                        return false;
                }
                number = number > (INT64_MAX - digit) / 10 ? INT64_MAX : number * 10 + digit;
        }
        *out = number;
        return text.len > 0;
}

enum range { RANGE_IGNORED, RANGE_REGION, RANGE_UNSATISFIABLE };

static enum range read_suffix(struct str last, int64_t size, int64_t *offset, int64_t *length)
{
        int64_t n;
        if (!read_position(last, &n)) {
                return RANGE_IGNORED;
        }
        *length = n < size ? n : size;
        *offset = size - *length;
        return n == 0 ? RANGE_UNSATISFIABLE : size == 0 ? RANGE_IGNORED : RANGE_REGION;
}

/* A single range, like "bytes=0-99", "bytes=100-" or "bytes=-5". Several ranges get the whole file (RFC 9110, 14.2),
 * and so do unknown units. */
static enum range read_range(const char *text, int64_t size, int64_t *offset, int64_t *length)
{
        struct str rest = str_trim(str_of(text)), unit, first;
        int64_t from, to = INT64_MAX;
        if (!str_next(&rest, '=', &unit) || !str_equal_nocase(unit, STR("bytes")) ||
            memchr(rest.ptr, '-', rest.len) == NULL || !str_next(&rest, '-', &first)) {
                return RANGE_IGNORED;
        }
        if (first.len == 0) {
                return read_suffix(rest, size, offset, length);
        }
        if (!read_position(first, &from) || (rest.len > 0 && !read_position(rest, &to)) || to < from) {
                return RANGE_IGNORED;
        }
        if (from >= size) {
                return RANGE_UNSATISFIABLE;
        }
        *offset = from;
        *length = (to < size ? to : size - 1) - from + 1;
        return RANGE_REGION;
}

/* Strong comparison (RFC 9110, 8.8.3.2), as If-Range requires; a date never matches, as it cannot distinguish
 * changes within a second. */
static bool is_tag(struct str text, const char *etag)
{
        size_t len = strlen(etag);
        return len > 0 && text.len == len + 2 && text.ptr[0] == '"' && text.ptr[len + 1] == '"' &&
               memcmp(text.ptr + 1, etag, len) == 0;
}

/* Weak comparison. */
static bool any_tag_matches(const char *list, const char *etag)
{
        struct str rest = str_of(list), one;
        while (str_next(&rest, ',', &one)) {
                one = str_trim(one);
                if (str_equal_c(one, "*")) {
                        return true;
                }
                if (str_starts(one, STR("W/"))) {
                        one = (struct str){one.ptr + 2, one.len - 2};
                }
                if (is_tag(one, etag)) {
                        return true;
                }
        }
        return false;
}

static bool wants_range(const File__Conditions *conditions, const char *etag)
{
        return conditions->range[0] != '\0' && !conditions->head &&
               (conditions->if_range[0] == '\0' || is_tag(str_trim(str_of(conditions->if_range)), etag));
}

void file_choose_region(const File__Conditions *conditions, File__Chunk *answer)
{
        answer->outcome = FILE__OUTCOME__OUTCOME_WHOLE;
        answer->offset = 0;
        answer->length = answer->size;
        if (conditions == NULL) {
                return;
        }
        if (conditions->if_none_match[0] != '\0' && any_tag_matches(conditions->if_none_match, answer->etag)) {
                answer->outcome = FILE__OUTCOME__OUTCOME_NOT_MODIFIED;
                answer->length = 0;
        } else if (wants_range(conditions, answer->etag)) {
                switch (read_range(conditions->range, answer->size, &answer->offset, &answer->length)) {
                case RANGE_REGION:
                        answer->outcome = FILE__OUTCOME__OUTCOME_PART;
                        break;
                case RANGE_UNSATISFIABLE:
                        answer->outcome = FILE__OUTCOME__OUTCOME_UNSATISFIABLE;
                        answer->offset = answer->length = 0;
                        break;
                case RANGE_IGNORED:
                        answer->offset = 0;
                        answer->length = answer->size;
                        break;
                }
        }
}

static const File__Conditions *conditions_of(const struct rpc_message *type, const ProtobufCMessage *in)
{
        const struct rpc_field *field = contract_conditions_field(type);
        return field == NULL ? NULL : *(File__Conditions *const *)((const char *)in + field->offset);
}

static bool size_of(const struct rpc_file *file, int64_t *size)
{
        struct stat is;

        if (file->far != NULL) {
                *size = file->far->size;
                return true;
        }
        bool regular = fstat(file->fd, &is) == 0 && S_ISREG(is.st_mode);
        *size = regular ? is.st_size : 0;
        return regular;
}

static sn_status fetch_region(struct rpc_call *c)
{
        struct rpc_file *file = c->file;

        file->is_pipe = true;
        return file->far->open(c, file->far->context, file->offset, file->length, &file->fd);
}

sn_status rpc_choose_region(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        const File__Conditions *conditions = conditions_of(c->method->in, in);
        File__Chunk *answer = (File__Chunk *)out;
        if (c->file == NULL || !size_of(c->file, &answer->size)) {
                log_event(LOG_LEVEL_ERROR, "a handler returned no file", LOG_STR("event.action", c->method->full_name));
                return SN_INTERNAL;
        }
        file_choose_region(conditions, answer);
        c->file->offset = answer->offset;
        c->file->length = answer->length;
        if (answer->length == 0 || (conditions != NULL && conditions->head)) {
                rpc_call_drop_file(c);
        }
        return c->file != NULL && c->file->far != NULL ? fetch_region(c) : SN_OK;
}
