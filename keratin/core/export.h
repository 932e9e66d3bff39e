// KERATIN_API: what the shared library shows; everything else stays hidden.
#pragma once

#if defined(__GNUC__)
#define KERATIN_API __attribute__((visibility("default")))
#else
#define KERATIN_API
#endif
