# Each tests/fuzz/NAME_fuzz.c is a libFuzzer program NAME_fuzz; tools/fuzz runs them all on the
# seeds of tests/fuzz/seeds/NAME/.

file(GLOB fuzz_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c")
foreach(source IN LISTS fuzz_sources)
    get_filename_component(target "${source}" NAME_WE)
    add_executable(${target} "${source}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                                               "${CMAKE_BINARY_DIR}/tests/fuzz")
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
    # LLVMFuzzerTestOneInput is called by the fuzzer's own main, which declares it nowhere.
    set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS -Wno-missing-prototypes)
    target_link_libraries(${target} PRIVATE weir_core)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
endforeach()
