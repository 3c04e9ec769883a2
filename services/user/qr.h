/* QR codes (ISO/IEC 18004) as SVG images. */
#ifndef SERVICES_USER_QR_H
#define SERVICES_USER_QR_H

#include "base/call.h"

/* The text as an SVG document of black squares on white, with the required margin of four modules. SN_INTERNAL if it
 * does not fit into a QR code (about 2,300 bytes). */
SN_CHECKED sn_status qr_svg(struct rpc_call *c, const char *text, char **svg);

#endif
