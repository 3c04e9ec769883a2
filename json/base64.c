/* Base64 without tables that are shared: it is used for few and short fields. */
#include "json/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_length(size_t len)
{
        return (len + 2) / 3 * 4;
}

void base64_encode(const uint8_t *bytes, size_t len, char *out)
{
        for (size_t i = 0; i < len; i += 3) {
                uint32_t b = (uint32_t)bytes[i] << 16;
                b |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
                b |= i + 2 < len ? (uint32_t)bytes[i + 2] : 0;
                *out++ = alphabet[b >> 18];
                *out++ = alphabet[b >> 12 & 63];
                *out++ = i + 1 < len ? alphabet[b >> 6 & 63] : '=';
                *out++ = i + 2 < len ? alphabet[b & 63] : '=';
        }
}

static int digit_of(char c)
{
        if (c >= 'A' && c <= 'Z') {
                return c - 'A';
        }
        if (c >= 'a' && c <= 'z') {
                return c - 'a' + 26;
        }
        if (c >= '0' && c <= '9') {
                return c - '0' + 52;
        }
        return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
        if (len > 0 && len % 4 == 0) { /* padding is only right when it fills the last group */
                len -= text[len - 1] == '=';
                len -= len % 4 == 3 && text[len - 1] == '=';
        }
        uint32_t bits = 0;
        size_t n = 0;
        for (size_t i = 0; i < len; i++) {
                int digit = digit_of(text[i]);
                if (digit < 0) {
                        return false;
                }
                bits = bits << 6 | (uint32_t)digit;
                if (i % 4 != 0) {
                        out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
                }
        }
        uint32_t stray = len % 4 == 2 ? bits & 15 : len % 4 == 3 ? bits & 3 : 0;
        *out_len = n;
        return len % 4 != 1 && stray == 0;
}
