# The ranks of the tokenizers are part of the program: the assembler puts the files into ranks.c.
# Symbols that only an assembler knows do not go through link-time optimisation.

set(ranks "${CMAKE_SOURCE_DIR}/src/models/tokens/ranks")
file(GLOB rank_files CONFIGURE_DEPENDS "${ranks}/*.zst")
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/models/tokens/ranks.c" PROPERTIES
    COMPILE_DEFINITIONS "WEIR_RANKS_FOLDER=\"${ranks}\""
    COMPILE_OPTIONS -fno-lto
    OBJECT_DEPENDS "${rank_files}")
