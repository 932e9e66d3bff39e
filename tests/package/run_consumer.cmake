# Builds tests/package/consumer in WORK with the compiler CXX and runs what it made.
# MODE find_package: installs the build tree BUILD into a prefix of its own first.
# MODE add_subdirectory: compiles the library's sources inside the consumer.
cmake_policy(VERSION 3.25)
set(source ${CMAKE_CURRENT_LIST_DIR}/consumer)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(arguments -G Ninja -S ${source} -B ${WORK}/build -D CMAKE_CXX_COMPILER=${CXX} -D CONSUMER_MODE=${MODE})
find_program(CCACHE ccache)
if(CCACHE)
  list(APPEND arguments -D CMAKE_CXX_COMPILER_LAUNCHER=${CCACHE})
endif()

if(MODE STREQUAL "find_package")
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  # Moved once installed: nothing in it may point at where it was made.
  file(RENAME ${WORK}/prefix ${WORK}/moved)
  list(APPEND arguments -D CMAKE_PREFIX_PATH=${WORK}/moved)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} ${arguments} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build COMMAND_ERROR_IS_FATAL ANY)

# A caller's -ffast-math sets flush-to-zero for the whole process and bends what is compiled with it: the
# library's numbers must not change.
execute_process(COMMAND ${WORK}/build/consumer OUTPUT_VARIABLE plain COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/build/consumer_fast_math OUTPUT_VARIABLE fast COMMAND_ERROR_IS_FATAL ANY)
message(STATUS "consumer prints\n${plain}")
if(NOT plain STREQUAL fast)
  message(FATAL_ERROR "the consumer built with -ffast-math prints other bits:\n${fast}")
endif()
