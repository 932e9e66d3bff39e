// Formulas rewritten so that nothing cancels, and their derivatives, as formulas.
#pragma once

#include <memory>

#include "tools/accuracy/formula.h"

namespace keratin::accuracy {

/// The same function with exp(u) - 1 as expm1(u), 1 + erf(u) as erfc(-u), 1 + tanh(u) as 2 logistic(2u),
/// log(1 + exp(u)) as softplus(u), a/(1 + exp(u)) as a logistic(-u), u - tanh(u) as tanh_rest(u),
/// u/(1 + abs(u)) as softsign(u), and u + sqrt(u^2 + b) as b/(sqrt(u^2 + b) - u) where u < 0.
std::unique_ptr<Formula> rewrite(const Formula& f);

/// The derivative with respect to x of what rewrite() returned; sech2 is tanh's, gauss(u) = 2/sqrt(pi)
/// exp(-u^2). std::invalid_argument for functions that it does not know.
std::unique_ptr<Formula> differentiate(const Formula& f);

}  // namespace keratin::accuracy
