// The kernels of every sixth definition of the list, from the fourth on.
#define KERATIN_FAMILY 3
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "keratin/activations/kernels.inl"
#include <hwy/foreach_target.h>

#include "keratin/activations/kernels.inl"
