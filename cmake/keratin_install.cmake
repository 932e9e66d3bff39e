# What `cmake --install` puts into a prefix: the library, its public headers and its CMake package.
include(CMakePackageConfigHelpers)
set(KERATIN_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/keratin)

install(TARGETS keratin EXPORT keratin-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT keratin-targets NAMESPACE keratin:: DESTINATION ${KERATIN_PACKAGE_DIR})

# The closure is taken when installing, so that editing a header never configures the build again.
install(CODE "set(KERATIN_SOURCE_DIR \"${PROJECT_SOURCE_DIR}\")
set(KERATIN_INCLUDE_DIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}\")")
install(SCRIPT ${PROJECT_SOURCE_DIR}/cmake/keratin_install_headers.cmake)

# A static library leaves its dependencies to whoever links it.
get_target_property(keratin_type keratin TYPE)
if(keratin_type STREQUAL "STATIC_LIBRARY")
  set(KERATIN_STATIC ON)
else()
  set(KERATIN_STATIC OFF)
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/keratin-config.cmake.in
                              ${PROJECT_BINARY_DIR}/keratin-config.cmake
                              INSTALL_DESTINATION ${KERATIN_PACKAGE_DIR})
# Before 1.0 a minor version may change the interface, as SOVERSION says too.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/keratin-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/keratin-config.cmake ${PROJECT_BINARY_DIR}/keratin-config-version.cmake
        DESTINATION ${KERATIN_PACKAGE_DIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/keratin)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/keratin)
