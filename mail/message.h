/* Formats a mail (RFC 5322, MIME): ASCII headers, a text and an HTML part. */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "mail/template.h"

struct mail_address {
        const char *name; /* "" for none */
        const char *address;
};

struct mail_message {
        const char *id; /* UUID: for the Message-ID, and the boundary between the parts */
        int64_t created_ms;
        struct mail_address from;
        const char *to;
        const struct mail_rendered *content;
        const char *unsubscribe_url; /* NULL for none */
};

/* Whether an address can be used in a header and an SMTP command: printable ASCII with one '@', without spaces,
 * quotes, angle brackets and the like, at most 254 bytes. */
bool mail_address_fits(const char *address);
/* "Name <address>", or an address alone. In the arena. False if it is neither. */
bool mail_address_parse(struct arena *arena, const char *text, struct mail_address *out);
/* Appends the message, in lines ending with CRLF of at most 76 characters except for addresses. The texts cannot
 * inject headers. */
void mail_message_append(struct buf *out, const struct mail_message *message);

/* Text as quoted-printable (RFC 2045, 6.7); its lines end with LF. */
void mail_append_quoted_printable(struct buf *out, const char *text);
/* A header value on one line: as it is, or in encoded words (RFC 2047) if it is long or not ASCII. */
void mail_append_header_text(struct buf *out, const char *text);

#endif
