/* The bytes of src/admin/openapi.json, which the build puts into the program. */
#ifndef ADMIN_OPENAPI_DATA_H
#define ADMIN_OPENAPI_DATA_H

#include <stddef.h>

extern const unsigned char admin_openapi_json[];
extern const size_t admin_openapi_json_size;

#endif
