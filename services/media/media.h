/* What the files of media_service share. */
#ifndef SERVICES_MEDIA_MEDIA_H
#define SERVICES_MEDIA_MEDIA_H

#include "bus/bus.h"
#include "services/media/media.service.h"
#include "services/services.h"

#endif
