/* QR codes (ISO/IEC 18004) as pictures that need no other program. */
#ifndef SERVICES_USER_QR_H
#define SERVICES_USER_QR_H

#include "base/call.h"

/* The text as an SVG document of black squares on white, with the margin of four modules that readers need.
 * SN_INTERNAL when it does not fit into a QR code (some 2,300 bytes). */
SN_CHECKED sn_status qr_svg(struct rpc_call *c, const char *text, char **svg);

#endif
