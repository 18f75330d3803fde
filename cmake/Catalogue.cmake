# The files of catalogue/ become arrays of bytes in the program, declared in
# src/models/catalogue_data.h.

function(weir_embed_catalogue source_out)
    set(source "${CMAKE_BINARY_DIR}/generated/models/catalogue_data.c")
    set(files "${CMAKE_SOURCE_DIR}/catalogue/models.csv"
              "${CMAKE_SOURCE_DIR}/catalogue/models_tiers.csv")
    set(script "${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake")
    add_custom_command(
        OUTPUT "${source}"
        COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${source}" "-DFILES=${files}" -DPREFIX=catalogue
                "-DHEADER=models/catalogue_data.h" -P "${script}"
        DEPENDS ${files} "${script}"
        VERBATIM)
    set(${source_out} "${source}" PARENT_SCOPE)
endfunction()
