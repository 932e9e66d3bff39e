// Every layer class.
#pragma once

#include "keratin/layers/activation.h"
#include "keratin/layers/alpha_dropout.h"
#include "keratin/layers/dense.h"
#include "keratin/layers/dropout.h"
#include "keratin/layers/elu.h"
#include "keratin/layers/flatten.h"
#include "keratin/layers/input.h"
#include "keratin/layers/leaky_relu.h"
#include "keratin/layers/prelu.h"
#include "keratin/layers/relu.h"
#include "keratin/layers/reshape.h"
#include "keratin/layers/softmax.h"
#include "keratin/layers/thresholded_relu.h"
