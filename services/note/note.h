/* note_service, as services/services.c lists it. */
#ifndef SERVICES_NOTE_NOTE_H
#define SERVICES_NOTE_NOTE_H

#include "services/services.h"

extern const struct service_definition note_service;

#endif
