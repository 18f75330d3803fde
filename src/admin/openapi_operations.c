#include "admin/openapi_operations.h"

#include "admin/openapi_data.h"

unsigned openapi_show(struct operation *operation)
{
    /* What the buffer cannot hold is told by admin_handle(). */
    (void)buffer_append(operation->answer, slice_of(admin_openapi_json, admin_openapi_json_size));
    return 200;
}
