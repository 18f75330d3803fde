# The description of the admin API becomes an array of bytes in the program, declared in
# src/admin/openapi_data.h.

function(weir_embed_openapi source_out)
    set(source "${CMAKE_BINARY_DIR}/generated/admin/openapi_data.c")
    set(file "${CMAKE_SOURCE_DIR}/src/admin/openapi.json")
    set(script "${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake")
    add_custom_command(
        OUTPUT "${source}"
        COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${source}" "-DFILES=${file}" -DPREFIX=admin
                "-DHEADER=admin/openapi_data.h" -P "${script}"
        DEPENDS "${file}" "${script}"
        VERBATIM)
    set(${source_out} "${source}" PARENT_SCOPE)
endfunction()
