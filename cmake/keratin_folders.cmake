# keratin_add_folder, keratin_add_test and keratin_add_program: how the project's targets are made.

# keratin_add_folder(NAME DEPENDS folders... LINK libraries...): one object library a folder,
# keratin_<NAME>, from its .cc files, and one test program, keratin_<NAME>_test, from its *_test.cc.
# A test links only its own folder and those above it, so that a wrong include fails to link.
function(keratin_add_folder name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(NOT sources)
    return()
  endif()

  set(object keratin_${name})
  add_library(${object} OBJECT ${sources})
  set_target_properties(${object} PROPERTIES POSITION_INDEPENDENT_CODE ON
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_definitions(${object} PRIVATE KERATIN_BUILDING)
  set(closure ${object})
  foreach(dependency IN LISTS ARG_DEPENDS)
    if(TARGET keratin_${dependency})
      get_target_property(libraries keratin_${dependency} INTERFACE_LINK_LIBRARIES)
      list(APPEND ARG_LINK ${libraries})
      list(APPEND closure keratin_${dependency})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES ARG_LINK)
  target_link_libraries(${object} PUBLIC keratin_options ${ARG_LINK})
  set_property(GLOBAL APPEND PROPERTY KERATIN_FOLDERS ${object})

  if(KERATIN_BUILD_TESTS AND tests)
    keratin_add_test(${object}_test SOURCES ${tests} LINK ${closure} keratin_mpfr)
  endif()
endfunction()

# keratin_add_test(NAME SOURCES files... LINK libraries...): a GoogleTest program, each test known to ctest.
# Tests with Thread, Parallel or Concurrent in their name carry the label `threads` (ThreadSanitizer runs
# those), tests with Golden the label `golden`.
function(keratin_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE keratin_options ${ARG_LINK} GTest::gmock_main)
  target_compile_definitions(${name} PRIVATE
    KERATIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Tests are two fifths of what a build takes, and each runs once: the time that -O3 adds there it never saves.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  set(threads "*Thread*:*Parallel*:*Concurrent*")
  set(golden "*Golden*")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600
                       TEST_FILTER "*-${threads}:${golden}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 LABELS threads
                       TEST_FILTER "${threads}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 LABELS golden
                       TEST_FILTER "${golden}-${threads}")
endfunction()

# keratin_add_program(NAME [INSTALL] LINK libraries...): bin/<NAME> from every .cc of this folder (or of
# FOLDER below it) that is no test; nothing where there is none yet. The target is <NAME>-program, since
# `keratin` names the library.
function(keratin_add_program name)
  cmake_parse_arguments(ARG "INSTALL" "FOLDER" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_FOLDER}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(NOT sources)
    return()
  endif()
  set(program ${name}-program)
  add_executable(${program} ${sources})
  set_target_properties(${program} PROPERTIES OUTPUT_NAME ${name})
  target_link_libraries(${program} PRIVATE keratin_options ${ARG_LINK})
  target_compile_definitions(${program} PRIVATE
    KERATIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(ARG_INSTALL AND KERATIN_INSTALL)
    set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()
