# Each tests/unit/x/y_test.c is a program of its own and a test "x/y" of ctest. tests/support/*.c
# is a library that they all may use; includes of tests' own headers start at tests/.

pkg_check_modules(weir_test_packages REQUIRED IMPORTED_TARGET cmocka libbrotlienc)

add_library(weir_test_support INTERFACE)
target_include_directories(weir_test_support INTERFACE "${CMAKE_SOURCE_DIR}/tests")
target_link_libraries(weir_test_support INTERFACE weir_core PkgConfig::weir_test_packages)

file(GLOB support_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/support/*.c")
if(support_sources)
    add_library(test_support STATIC ${support_sources})
    target_link_libraries(test_support PUBLIC weir_test_support)
else()
    add_library(test_support ALIAS weir_test_support)
endif()

file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/*_test.c")
foreach(source IN LISTS test_sources)
    file(RELATIVE_PATH name "${CMAKE_SOURCE_DIR}/tests/unit" "${source}")
    string(REGEX REPLACE "_test\\.c$" "" name "${name}")
    string(REPLACE "/" "_" target "unit_${name}")
    add_executable(${target} "${source}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                                               "${CMAKE_BINARY_DIR}/tests/unit")
    target_link_libraries(${target} PRIVATE test_support)
    add_test(NAME "${name}" COMMAND ${target} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties("${name}" PROPERTIES TIMEOUT 120)
endforeach()
