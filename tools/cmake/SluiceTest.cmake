# sluice_test(ring_test SOURCES a.c [LINKS sluice::x] [LABELS unit] [TIMEOUT 60]): one test program over the shim;
# ctest knows each of its cases. Its cases run alone, so they may not share files outside SLT_TMPDIR().
include(GoogleTest)

function(sluice_test name)
    cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    if(NOT ARG_LABELS)
        set(ARG_LABELS unit)
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE sluice::slt ${ARG_LINKS})
    # A busy machine may take more than the 5 s that cases have by default to be listed.
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_SERIAL})
endfunction()
