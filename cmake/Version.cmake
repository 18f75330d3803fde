# The version is the first heading of CHANGELOG.md ("## 0.1.0" or "## 0.1.0 (unreleased)"), so that
# a tarball without git and a clone give the same program, with no time or path in it.

function(weir_read_version version_out numbers_out)
    set(changelog "${CMAKE_SOURCE_DIR}/CHANGELOG.md")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${changelog}")
    file(STRINGS "${changelog}" headings REGEX "^## +[0-9]")
    list(GET headings 0 first)
    if(NOT first MATCHES "^## +(([0-9]+\\.[0-9]+\\.[0-9]+)[-+.0-9A-Za-z]*)")
        message(FATAL_ERROR "${changelog}: the first heading \"${first}\" holds no version")
    endif()
    set(${version_out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    set(${numbers_out} "${CMAKE_MATCH_2}" PARENT_SCOPE)
endfunction()

# Written only when it changes, so that configuring again compiles nothing.
function(weir_write_version_header path)
    file(CONFIGURE OUTPUT "${path}" @ONLY CONTENT
"#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#define WEIR_VERSION \"@WEIR_VERSION@\"

#endif
")
endfunction()
