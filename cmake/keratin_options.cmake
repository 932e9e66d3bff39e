# Compiler options that every target of the project shares: the interface target keratin_options.
add_library(keratin_options INTERFACE)
target_compile_features(keratin_options INTERFACE cxx_std_20)
target_include_directories(keratin_options INTERFACE ${PROJECT_SOURCE_DIR})
# -ffp-contract=off: fused multiply-adds are written where they are meant, so that every
# instruction set and compiler gives the same bits.
target_compile_options(keratin_options INTERFACE -Wall -Wextra -Wpedantic -ffp-contract=off
                       -fno-math-errno -fno-trapping-math)
# g++ 12 warns of its own inlined std::string and of JSON values moved from, wrongly (GCC bugs 105329, 105562).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(keratin_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(KERATIN_WERROR)
  target_compile_options(keratin_options INTERFACE -Werror)
endif()

# Highway compiles each kernel for EMU128 (plain C++), SSE4, AVX2 and AVX-512; the rest add nothing here.
set(_keratin_disabled "HWY_SSSE3|HWY_AVX3_DL")
if(KERATIN_ISA_LIMIT STREQUAL "scalar")
  target_compile_definitions(keratin_options INTERFACE HWY_COMPILE_ONLY_EMU128)
elseif(KERATIN_ISA_LIMIT STREQUAL "sse4")
  set(_keratin_disabled "${_keratin_disabled}|HWY_AVX2|HWY_AVX3")
elseif(KERATIN_ISA_LIMIT STREQUAL "avx2")
  set(_keratin_disabled "${_keratin_disabled}|HWY_AVX3")
elseif(NOT KERATIN_ISA_LIMIT STREQUAL "")
  message(FATAL_ERROR "KERATIN_ISA_LIMIT is \"${KERATIN_ISA_LIMIT}\"; it takes scalar, sse4, avx2 or nothing.")
endif()
target_compile_definitions(keratin_options INTERFACE "HWY_DISABLED_TARGETS=(${_keratin_disabled})")

if(KERATIN_SANITIZE)
  target_compile_options(keratin_options INTERFACE -fsanitize=${KERATIN_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(keratin_options INTERFACE -fsanitize=${KERATIN_SANITIZE})
endif()
