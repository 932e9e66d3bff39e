// Whether this build is under AddressSanitizer, which is to see each block's end: caches stay out of its way.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define KERATIN_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KERATIN_UNDER_ASAN 1
#endif
#endif

namespace keratin::inline v0::detail {

#if defined(KERATIN_UNDER_ASAN)
inline constexpr bool kUnderAsan = true;
#else
inline constexpr bool kUnderAsan = false;
#endif

}  // namespace keratin::inline v0::detail
