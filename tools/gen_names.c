/* Names: protoc-c's C spelling of a dotted name, and the short one that SoNet uses for its own packages. */
#include "tools/gen.h"

#include <ctype.h>
#include <string.h>

static bool starts_new_word(const char *name, size_t i)
{
        return isupper((unsigned char)name[i]) && i > 0 && name[i - 1] != '.' && !isupper((unsigned char)name[i - 1]);
}

static char *convert(const char *dotted, int (*letter)(int))
{
        char *out = gen_alloc(strlen(dotted) * 2 + 1), *p = out;
        for (size_t i = 0; dotted[i] != '\0'; i++) {
                if (dotted[i] == '.') {
                        *p++ = '_';
                        *p++ = '_';
                        continue;
                }
                if (starts_new_word(dotted, i)) {
                        *p++ = '_';
                }
                *p++ = (char)letter((unsigned char)dotted[i]);
        }
        return out;
}

char *gen_lower(const char *dotted)
{
        return convert(dotted, tolower);
}

char *gen_upper(const char *dotted)
{
        return convert(dotted, toupper);
}

char *gen_camel(const char *dotted)
{
        char *out = gen_alloc(strlen(dotted) * 2 + 1), *p = out;
        bool capital = true;
        for (size_t i = 0; dotted[i] != '\0'; i++) {
                if (dotted[i] == '.') {
                        *p++ = '_';
                        *p++ = '_';
                        capital = true;
                } else if (dotted[i] == '_') {
                        capital = true;
                } else {
                        *p++ = (char)(capital ? toupper((unsigned char)dotted[i]) : dotted[i]);
                        capital = false;
                }
        }
        return out;
}

char *gen_member(const char *name)
{
        static const char *const keywords[] = {
            "auto",   "break",    "case",     "char",   "const",    "continue", "default",  "do",     "double",
            "else",   "enum",     "extern",   "float",  "for",      "goto",     "if",       "inline", "int",
            "long",   "register", "restrict", "return", "short",    "signed",   "sizeof",   "static", "struct",
            "switch", "typedef",  "typeof",   "union",  "unsigned", "void",     "volatile", "while"};
        char *lower = gen_lower(name);
        for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
                if (strcmp(lower, keywords[i]) == 0) {
                        return gen_printf("%s_", lower);
                }
        }
        return lower;
}

char *gen_struct_member(const char *field)
{
        static const char reserved[] =
            " and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast continue "
            "default "
            "delete do double dynamic_cast else enum explicit extern false float for friend goto if inline int long "
            "mutable namespace new not not_eq operator or or_eq private protected public register reinterpret_cast "
            "return short signed sizeof static static_cast struct switch template this throw true try typedef typeid "
            "typename union unsigned using virtual void volatile wchar_t while xor xor_eq ";
        char *lower = gen_printf("%s", field);
        for (char *p = lower; *p != '\0'; p++) {
                *p = (char)tolower((unsigned char)*p);
        }
        return strstr(reserved, gen_printf(" %s ", lower)) != NULL ? gen_printf("%s_", lower) : lower;
}

static bool is_version(const char *component, size_t len)
{
        if (len < 2 || component[0] != 'v') {
                return false;
        }
        return strspn(component + 1, "0123456789") >= len - 1;
}

const char *gen_package_name(const char *package)
{
        const char *end = package + strlen(package);
        while (end > package) {
                const char *start = end;
                while (start > package && start[-1] != '.') {
                        start--;
                }
                if (start == package || !is_version(start, (size_t)(end - start))) {
                        return gen_printf("%.*s", (int)(end - start), start);
                }
                end = start - 1;
        }
        return "";
}

char *gen_short(const char *full_name)
{
        if (strncmp(full_name, "sonet.", 6) != 0) {
                return gen_printf("%s", full_name);
        }
        const char *name = full_name + 6, *dot = strchr(name, '.');
        if (dot == NULL) {
                return gen_printf("%s", full_name); /* in the package `sonet` itself: already short */
        }
        const char *rest = dot + 1, *after = strchr(rest, '.');
        if (after != NULL && is_version(rest, (size_t)(after - rest))) {
                rest = after + 1;
        }
        return gen_printf("%.*s.%s", (int)(dot - name), name, rest);
}

char *gen_string(const char *text)
{
        if (text == NULL) {
                return gen_printf("NULL");
        }
        char *out = gen_alloc(strlen(text) * 4 + 3), *p = out;
        *p++ = '"';
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;
                if (c == '"' || c == '\\') {
                        *p++ = '\\';
                        *p++ = (char)c;
                } else if (c == '\n') {
                        *p++ = '\\';
                        *p++ = 'n';
                } else if (c < 0x20 || c == 0x7f) {
                        *p++ = '\\';
                        *p++ = (char)('0' + (c >> 6));
                        *p++ = (char)('0' + (c >> 3 & 7));
                        *p++ = (char)('0' + (c & 7));
                } else {
                        *p++ = (char)c;
                }
        }
        *p = '"';
        return out;
}
