// Numbers behind math.inl and wide_math.inl, printed by coefficients.py. Edit that, not this.
#pragma once

#include "keratin/simd/constant.h"

namespace keratin::inline v0::simd::coefficients {

// ln 2 in three parts; n times the first is exact for |n| < 2^15.
inline constexpr double kLn2[] = {0x1.62e42fefa0000p-1, 0x1.cf79abc9e3b3ap-40, -0x1.ff0342542fc33p-94};
inline constexpr double kLog2E = 0x1.71547652b82fep+0;
inline constexpr Constant kLn2Pair{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};        // ln 2
inline constexpr Constant kTwoOverSqrtPi{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56};  // 2 / sqrt(pi)
// From here on both scaled complementary error functions centre their variable t = (z - 4) / (z + 4).
inline constexpr double kErfcCentre = 4;

// (e^r - 1 - r) / r^2 for |r| <= ln(2)/2, relative error 2^-58.2
inline constexpr double kExp[] = {0x1.0000000000000p-1,  0x1.5555555555557p-3,  0x1.5555555555556p-5,
                                  0x1.11111111100bep-7,  0x1.6c16c16c162c3p-10, 0x1.a01a01abf85abp-13,
                                  0x1.a01a01a6e1e2ap-16, 0x1.71de01fdbf9cap-19, 0x1.27e4db46cddd1p-22,
                                  0x1.af4e554377204p-26, 0x1.1f7340dbc337ep-29};

// (ln((1 + s)/(1 - s)) - 2 s) / s^3 in z = s^2, for s <= 3 - 2 sqrt(2), relative error 2^-58.2
inline constexpr double kLog[] = {0x1.5555555555555p-1, 0x1.9999999999a3ap-2, 0x1.2492492476765p-2,
                                  0x1.c71c7201f1f41p-3, 0x1.745cf8c4cfebep-3, 0x1.3b1c42e222badp-3,
                                  0x1.0fbd2bde02b13p-3, 0x1.0c1261fd9bdd6p-3};

// erf(z)/z - 1 in w = z^2, for z <= 1, relative error of erf 2^-62.6
inline constexpr double kErf[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b30p-4,
                                  -0x1.b82ce31284e00p-6,  0x1.565bcd0dbaa38p-8,   -0x1.c02db3dac435fp-11,
                                  0x1.f9a321d5b8e1ep-14,  -0x1.f4d1e3183f7aep-17, 0x1.b9df224ca4b97p-20,
                                  -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27,  -0x1.389d4f2641625p-30,
                                  0x1.05ffd737fb32ep-34};

// (1 + 2 z) e^(z^2) erfc(z) in t, for 1/2 <= z <= 28, relative error 2^-60.4
inline constexpr double kErfc[] = {
    0x1.3ba5916e9fd7fp+0,   -0x1.1df1ad154a28ep-3,  0x1.f7f5df66fd76dp-7,   0x1.16ecefcfa52b5p-4,
    -0x1.9ddb23c3e8e00p-4,  0x1.7fee004e14c37p-4,   -0x1.0fb06dfe4e4f9p-4,  0x1.3079edf61e7a1p-5,
    -0x1.09623883f080cp-6,  0x1.49c672aa08182p-8,   -0x1.8d4a9b1376eaep-11, -0x1.a1df44d0d357ap-13,
    0x1.3be055036ec36p-13,  -0x1.9954dbbbdf343p-16, -0x1.788966f85ff88p-17, 0x1.7ef4d531cf830p-18,
    0x1.3abf792a3125dp-22,  -0x1.b7f86449a0aa8p-21, 0x1.43dc50b7baccdp-24,  0x1.bb7be885c5a0bp-24,
    -0x1.3c396538d8d44p-26, -0x1.4ba5c49bc26a7p-27, 0x1.0eff5654f9fd0p-29};

// 1/(k + 1)!, the series of (e^r - 1)/r; what follows fits in a double
inline constexpr Constant kExpWide[] = {{0x1.0000000000000p+0, 0x0.0p+0},
                                        {0x1.0000000000000p-1, 0x0.0p+0},
                                        {0x1.5555555555555p-3, 0x1.5555555555555p-57},
                                        {0x1.5555555555555p-5, 0x1.5555555555555p-59},
                                        {0x1.1111111111111p-7, 0x1.1111111111111p-63},
                                        {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65},
                                        {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73},
                                        {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
                                        {0x1.71de3a556c734p-19, -0x1.c154f8ddc6c00p-73},
                                        {0x1.27e4fb7789f5cp-22, 0x1.cbbc05b4fa99ap-76},
                                        {0x1.ae64567f544e4p-26, -0x1.c062e06d1f209p-80},
                                        {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83}};

// its continuation, to 2^-110 for |r| <= ln(2)/2
inline constexpr double kExpWideTail[] = {
    0x1.6124613a86d09p-33, 0x1.93974a8c07c9dp-37, 0x1.ae7f3e733b81fp-41, 0x1.ae7f3e733b81fp-45,
    0x1.952c77030ad4ap-49, 0x1.6827863b97d97p-53, 0x1.2f49b46814157p-57, 0x1.e542ba4020225p-62,
    0x1.71b8ef6dcf572p-66, 0x1.0ce396db7f853p-70, 0x1.761b41316381ap-75, 0x1.f2cf01972f578p-80};

// erf(z)/z in w = z^2, for z <= 1, relative error 2^-118.7
inline constexpr Constant kErfWide[] = {
    {0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56},   {-0x1.812746b0379e7p-2, 0x1.ee12e49cab701p-57},
    {0x1.ce2f21a042be2p-4, -0x1.2871bc5e008acp-58},  {-0x1.b82ce31288b51p-6, 0x1.1015978ea37e6p-61},
    {0x1.565bcd0e6a53fp-8, -0x1.a73e085e27a64p-64},  {-0x1.c02db40040b86p-11, 0x1.d9a49ea6f359ap-65},
    {0x1.f9a326f9b89b7p-14, 0x1.e99f25d0170b1p-68},  {-0x1.f4d25c3e0c2ebp-17, -0x1.78c0b7015a988p-71},
    {0x1.b9e6c9dc651a2p-20, 0x1.cb46ef826f817p-74},  {-0x1.5f742ec43e718p-23, 0x1.a0d7b1bd648d4p-77},
    {0x1.fcc5720624b7cp-27, -0x1.2903bf09dea24p-83}, {-0x1.51d7181c5c2c4p-30, -0x1.b0ba6acc97128p-84},
    {0x1.9e6ad5e52e7c7p-34, 0x1.1facac8e003a2p-88},  {-0x1.d8453caafe832p-38, -0x1.9eb467da072e1p-92},
    {0x1.f683adafd4d97p-42, 0x1.df0ca85dcd6dcp-96},  {-0x1.f56efa35d2313p-46, 0x1.09a51efd7aa23p-100}};

// its continuation
inline constexpr double kErfWideTail[] = {0x1.d70a5be2738c8p-50, -0x1.a1f54edde4c1dp-54,
                                          0x1.5f08933572614p-58, -0x1.1583f94440c75p-62,
                                          0x1.88c9cc77295edp-67, -0x1.821ee726fb70bp-72};

// (1 + 2 z) e^(z^2) erfc(z) in t, for 1 <= z <= 28, relative error 2^-77.0
inline constexpr Constant kErfcWide[] = {
    {0x1.3ba5916e9fd7fp+0, -0x1.aa9c41acfcd25p-55},   {-0x1.1df1ad154a28ep-3, -0x1.24375d9afbd6ep-57},
    {0x1.f7f5df66fd7bfp-7, 0x1.8818f7448779fp-61},    {0x1.16ecefcfa5396p-4, -0x1.581a68fac8e91p-58},
    {-0x1.9ddb23c3e911ep-4, 0x1.1138eae55a100p-59},   {0x1.7fee004e1253bp-4, -0x1.83da5c1a6576cp-59},
    {-0x1.0fb06dfe487a7p-4, -0x1.3b1ed3619c22ep-58},  {0x1.3079edf682e00p-5, 0x1.e935a328b8d7dp-60},
    {-0x1.09623885572e4p-6, -0x1.80e746b3992d2p-60},  {0x1.49c67285fe08cp-8, -0x1.3e015c6ff1939p-64},
    {-0x1.8d4a997fb2574p-11, -0x1.7b6d03f3cd049p-69}, {-0x1.a1df251101ba7p-13, -0x1.268d5d6d1d44dp-67},
    {0x1.3be0314624fdap-13, -0x1.71e6ea908abefp-70},  {-0x1.99595fb42ae29p-16, 0x1.4f5d6f03e67f8p-74},
    {-0x1.788123ebbf2e3p-17, 0x1.deaf14228524ap-75},  {0x1.7f2b245600b2ap-18, -0x1.437de2f818c56p-72}};

// its continuation
inline constexpr double kErfcWideTail[] = {
    0x1.38384f381b866p-22,  -0x1.bb56d5dcb4c13p-21, 0x1.541f4a1b83fddp-24, 0x1.ddda460b9eb84p-24,
    -0x1.7ee9516e680b7p-26, -0x1.0f0068e0b92a6p-26, 0x1.2bfcd08c5a0a4p-28, 0x1.4a464b55c521bp-29,
    -0x1.be426f081c2e2p-31, -0x1.52ac64ce3515ep-32, 0x1.24f18ee01a564p-33};

}  // namespace keratin::inline v0::simd::coefficients
