// Numbers behind math.inl, close_math.inl and wide_math.inl, printed by coefficients.py. Edit that, not this.
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

// 2^(i/16)
alignas(64) inline constexpr double kPowers[] = {
    0x1.0000000000000p+0, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0,
    0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0, 0x1.5ab07dd485429p+0,
    0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f090p+0,
    0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0, 0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0};

// what its rounding leaves
alignas(64) inline constexpr double kPowersRest[] = {0x0.0p+0,
                                                     0x1.8a62e4adc610bp-54,
                                                     -0x1.19041b9d78a76p-55,
                                                     0x1.9b07eb6c70573p-54,
                                                     0x1.6f46ad23182e4p-55,
                                                     0x1.ada0911f09ebcp-55,
                                                     0x1.d4397afec42e2p-56,
                                                     0x1.6324c054647adp-54,
                                                     -0x1.bdd3413b26456p-54,
                                                     -0x1.41577ee04992fp-55,
                                                     0x1.6e9f156864b27p-54,
                                                     0x1.c7c46b071f2bep-56,
                                                     0x1.7a1cd345dcc81p-54,
                                                     0x1.11065895048ddp-55,
                                                     0x1.2ed02d75b3707p-55,
                                                     -0x1.e9c23179c2893p-54};

// (e^r - 1 - r - r^2/2) / r^3 for |r| <= ln(2)/32, relative error 2^-63.9
inline constexpr double kExpCubic[] = {0x1.5555555555555p-3,  0x1.5555555555556p-5,  0x1.1111111111111p-7,
                                       0x1.6c16c16bdac03p-10, 0x1.a01a019fee5dep-13, 0x1.a01afae90656ap-16,
                                       0x1.71deefa1b3196p-19};

// e^(x^2) erfc(x) in d = x - centre, for 0 <= x < 7.5, relative error 2^-68: of each of 16 rows the centre,
// five coefficients with what their rounding leaves, twelve without. Four rows to an octave of 1 + 2 x; a row
// stands where the last two bits of the exponent and the first two of the mantissa say.
alignas(64) inline constexpr double kErfcRows[][16] = {
    {0x1.4000000000000p-1, 0x1.c000000000000p-1, 0x1.2000000000000p+0, 0x1.6000000000000p+0,
     0x1.c000000000000p+0, 0x1.2000000000000p+1, 0x1.6000000000000p+1, 0x1.a000000000000p+1,
     0x1.0000000000000p+2, 0x1.4000000000000p+2, 0x1.8000000000000p+2, 0x1.c000000000000p+2,
     0x1.0000000000000p-4, 0x1.8000000000000p-3, 0x1.4000000000000p-2, 0x1.c000000000000p-2},
    {0x1.1d16b5809eaf6p-1, 0x1.db747ee409ac5p-2, 0x1.9531e09b149b5p-2, 0x1.5f88f52f3c76bp-2,
     0x1.23cfc2f1dc7e0p-2, 0x1.d94446d627932p-3, 0x1.8c9eb68ff27d7p-3, 0x1.54a7a08d4bb45p-3,
     0x1.18932bf08e154p-3, 0x1.c57239e943d1ap-4, 0x1.7c0348489d721p-4, 0x1.46dc6bf900f68p-4,
     0x1.ddcd359cbe323p-1, 0x1.a36bbb7f3686dp-1, 0x1.73c189ceaedaep-1, 0x1.4c630ec387d55p-1},
    {0x1.043e5f49b4044p-55, -0x1.55a083acba9f3p-56, -0x1.aa513235e9c37p-58, -0x1.b7eb97a02d0e7p-57,
     0x1.3b1040eb318c2p-57, -0x1.a8198a8216449p-58, -0x1.bb4e763c64a35p-57, -0x1.6a0d91336bdc9p-61,
     0x1.0981aa12747cep-57, -0x1.0e682190858dbp-59, 0x1.ca9cebb9a1c44p-58, -0x1.9c3bae12ae446p-59,
     -0x1.6d89042ed16cdp-55, -0x1.c5a2bb61934d2p-56, -0x1.fc5f40f846538p-55, -0x1.ba4f1d9407040p-58},
    {-0x1.babd0e4f1a24dp-2, -0x1.4369f60195edcp-2, -0x1.e78b356770fbbp-3, -0x1.797a639d8129dp-3,
     -0x1.0c3d538446447p-3, -0x1.6a70d2bb37411p-4, -0x1.0305781330099p-4, -0x1.82a8522b868a1p-5,
     -0x1.094922737431ap-5, -0x1.5d843497d4f3ap-6, -0x1.ed7f66d9d09fep-7, -0x1.6e4b45246f91fp-7,
     -0x1.0300a1aa5dd3bp+0, -0x1.a47283b89efb1p-1, -0x1.5961f3e72624ep-1, -0x1.1ee43d1d3c930p-1},
    {0x1.6fb8456af671dp-56, -0x1.c2f23dbf743b5p-58, 0x1.ea9d55646e30ap-57, -0x1.df1e663e4e992p-58,
     -0x1.e70dd480391d8p-57, 0x1.ffe90c68e910dp-62, 0x1.10249835a458cp-59, 0x1.b91959fdd9704p-60,
     0x1.64e7afdf6e455p-61, 0x1.31a63df3a45bbp-60, 0x1.3cc783cb1db0dp-62, -0x1.89832a73ae06dp-61,
     0x1.89ba15df53469p-56, -0x1.628057acc978dp-55, 0x1.34d2a2da55656p-55, 0x1.845b0872a0645p-56},
    {0x1.2577420fcd07dp-2, 0x1.80ef8f454cf88p-3, 0x1.05e72521ca1b8p-3, 0x1.701342cbcea7bp-4,
     0x1.c8d0cef0f810dp-5, 0x1.0615670e25a7bp-5, 0x1.43b98bac83823p-6, 0x1.a7eddc9ee6425p-7,
     0x1.e9412fa33c74bp-8, 0x1.08cf82b79a11cp-8, 0x1.3c7764a81f462p-9, 0x1.96a3de47d5b16p-10,
     0x1.bd6d21677277bp-1, 0x1.549642cc98b7cp-1, 0x1.07d2ed9672ef5p-1, 0x1.9dbe680d7aaa0p-2},
    {-0x1.91b0164bcbd0ap-56, 0x1.1ee9faeb903f8p-58, -0x1.69bcc8cb9eba9p-60, -0x1.02a0fbe0e630cp-58,
     -0x1.949275827fc1dp-61, -0x1.80747bc5c08f1p-60, -0x1.aaa84afa5697fp-68, 0x1.c91721a457426p-61,
     0x1.4c120c8296f2cp-64, -0x1.2515f11b05fe7p-63, 0x1.675bca85971dcp-66, -0x1.9c29c629b1b9ep-64,
     0x1.1ec4cc8027ec0p-55, -0x1.e5496e2130388p-55, 0x1.c84523d7e7c1ap-56, 0x1.daa062691ec2dp-59},
    {-0x1.59c35c06f7ffep-3, -0x1.9d5868de0b581p-4, -0x1.01343a2c92265p-4, -0x1.4bcdb9d9083c2p-5,
     -0x1.6cb52fe48945fp-6, -0x1.6883f9919a17ap-7, -0x1.84e9ab30e6ab3p-8, -0x1.c24b49c47a2c4p-9,
     -0x1.b8b6382729f09p-10, -0x1.8abc198707c93p-11, -0x1.9106a7cd79e3bp-12, -0x1.bf5070ee19215p-13,
     -0x1.46c6f62982fffp-1, -0x1.db731eedadcb8p-2, -0x1.5e95623582f81p-2, -0x1.05d8c87862526p-2},
    {-0x1.647919c013471p-57, -0x1.da9ca528eb805p-58, 0x1.e9faaf7a36372p-59, -0x1.03a5a03797582p-59,
     -0x1.d5c33ebe64ffdp-62, 0x1.7b313842c3837p-61, -0x1.0c670f6117112p-62, 0x1.535abc4115e22p-64,
     0x1.0aee49f2c09a4p-64, 0x1.19eab31f6fd8fp-66, -0x1.3b7d699ecbb36p-66, 0x1.ee295e51d24fep-68,
     0x1.0f30e489b1cdbp-55, -0x1.f9504cb545292p-57, -0x1.afd8bfaf52f15p-56, -0x1.967576ecb8d4ap-56},
    {0x1.72d46a9b3f0fap-4, 0x1.9831c2c85003fp-5, 0x1.d4e711a2df97dp-6, 0x1.17eba60d31fcap-6,
     0x1.13648a11ffe73p-7, 0x1.da595561f7d33p-9, 0x1.c2c72fd72763ep-10, 0x1.d085857a17f33p-11,
     0x1.8457bbe09421ap-12, 0x1.219f2c3353402p-13, 0x1.f64cd9c07b6b2p-15, 0x1.e7af6eeff686ep-16,
     0x1.a900b204da47bp-2, 0x1.280377e6506cap-2, 0x1.a2172c7c2cf12p-3, 0x1.2b2f9058cfa5fp-3},
    {0x1.fbb8a50b1d093p-59, -0x1.6752d46639eb1p-69, 0x1.c97c64a229683p-62, 0x1.95bb7abc6bcb4p-60,
     0x1.88ada7a418936p-61, 0x1.7605c8884b863p-64, 0x1.a37b24b385c12p-67, -0x1.662f5b7a1b46bp-65,
     -0x1.5adfd98f27cecp-66, -0x1.e378dc484e96bp-70, 0x1.344686525a3e1p-69, -0x1.e2c32c0a46091p-73,
     0x1.6fb7db37979ffp-56, 0x1.0306ce846c7b6p-56, 0x1.516836807409bp-65, 0x1.0980a86c598d5p-57},
    {-0x1.6fce5df0ba11ap-5, -0x1.779dd2a3da23dp-6, -0x1.910a5d7c0a71fp-7, -0x1.bdf24bccac617p-8,
     -0x1.8bf716a8eabd4p-9, -0x1.2bd251bb2f023p-10, -0x1.f99e41ecb0901p-12, -0x1.d25ebba1c4910p-13,
     -0x1.4f2981c3be997p-14, -0x1.a2a81d24c9375p-16, -0x1.370d0641775ccp-17, -0x1.078bfe34def6ap-18,
     -0x1.f597e75bc6af8p-3, -0x1.4ff52d28655f5p-3, -0x1.c8693869c650bp-4, -0x1.3a3d67d4bb09cp-4},
    {0x1.552fe700068d8p-6, 0x1.452648d62b706p-7, 0x1.446c5166ccf50p-8, 0x1.51ab9ffce7487p-9,
     0x1.106bd5c04333dp-10, 0x1.6d7743d3b2808p-12, 0x1.131bb16125572p-13, 0x1.c882f0238146ep-15,
     0x1.1ba135ef1c73fp-16, 0x1.2a41152e3a4edp-18, 0x1.7d0e03edae946p-20, 0x1.1a6f6b7a039e9p-21,
     0x1.10e2a1dbfd618p-3, 0x1.60b0a4e35e8fap-4, 0x1.ce5e4f8f87f0bp-5, 0x1.3342d78308fa7p-5},
    {-0x1.2a7f4fb7adc64p-7, -0x1.0ab3832b9a75cp-8, -0x1.f38c6d0510616p-10, -0x1.e8ae68b41e94ep-11,
     -0x1.6838884abbb22p-12, -0x1.aed7ebc9a0865p-14, -0x1.2312b2596801fp-15, -0x1.b45d025fa2d51p-17,
     -0x1.d72747989ff33p-19, -0x1.a3193cf6fad14p-21, -0x1.cde4cecceb6ffp-23, -0x1.2c2db9dd6b928p-24,
     -0x1.14e0fe6c96332p-4, -0x1.5a29d8cca9b90p-5, -0x1.b70bfb6865ccap-6, -0x1.1a50e55b813a4p-6},
    {0x1.efd03c2d408fdp-9, 0x1.a0ef7ee62fc3dp-10, 0x1.6fd9a57ac0b98p-11, 0x1.535f57fdf98ebp-12,
     0x1.cb4c687e51f7dp-14, 0x1.ec773cc9283f1p-16, 0x1.2bfb5b0eb9abfp-17, 0x1.97dd78d735922p-19,
     0x1.806c9118f705dp-21, 0x1.228a789f8b7e7p-23, 0x1.151346a025952p-25, 0x1.3c768d846f92bp-27,
     0x1.083b99e898afep-5, 0x1.403cb8902ea65p-6, 0x1.89c470473808cp-7, 0x1.eb024aae096b6p-8},
    {-0x1.88ef99729e3e1p-10, -0x1.37fe70bafb180p-11, -0x1.041e38d545d31p-12, -0x1.c5fa6b09b59eep-14,
     -0x1.1b2912c4f883ap-15, -0x1.117a66607d1afp-17, -0x1.2da329c265ed2p-19, -0x1.753cab56b8f7dp-21,
     -0x1.345efa347706fp-23, -0x1.8dabba0665c24p-26, -0x1.491bb0be6e579p-28, -0x1.4affe4109c9ddp-30,
     -0x1.dd8cad89739f0p-7, -0x1.1903b15492a3dp-7, -0x1.4f92ec52e7b52p-8, -0x1.966bd0562aafcp-9},
    {0x1.2a6ab02dbe8fcp-11, 0x1.c0b37c205f5c2p-13, 0x1.62743c044f9a5p-14, 0x1.254ed1ea86117p-15,
     0x1.5273f33c24f7fp-17, 0x1.27af428990a2ap-19, 0x1.2856fab0104c9p-21, 0x1.4ec091fdb9bb6p-23,
     0x1.e6bd5bbff67d3p-26, 0x1.0cc74e3cad38cp-28, 0x1.832019e57ea59p-31, 0x1.57884c0b5c10cp-33,
     0x1.9ad571ea50f06p-8, 0x1.d63a331a00f69p-9, 0x1.11112f7b69372p-9, 0x1.41aef748f3015p-10},
    {-0x1.b3e632ef6f0b6p-13, -0x1.370a7155561f5p-14, -0x1.d2b3006d4988fp-16, -0x1.6f0627342c821p-17,
     -0x1.88fb3f48c8d91p-19, -0x1.37b9ad1295063p-21, -0x1.1ccf9f77ee222p-23, -0x1.268c3ee311304p-25,
     -0x1.7a30b664a21b2p-28, -0x1.66f7ff80678b0p-31, -0x1.c312e36263a44p-34, -0x1.61d8d5ea1531fp-36,
     -0x1.51f8bba3e6d40p-9, -0x1.78aff2d59d4d9p-10, -0x1.aa0bfb847785fp-11, -0x1.e8cde05f7e3bcp-12},
    {0x1.3313a105ca45cp-14, 0x1.a0d3e43d29491p-16, 0x1.2997db0c06916p-17, 0x1.bdb7372b4be7fp-19,
     0x1.bc1035ed7ca45p-21, 0x1.40e794ff68978p-23, 0x1.0c160316cac25p-25, 0x1.fcf8b42993ddfp-28,
     0x1.2178829eaab0fp-30, 0x1.d9d9fbf92379ap-34, 0x1.04601c840c437p-36, 0x1.69c67003fc67dp-39,
     0x1.0ad91d61a9a65p-10, 0x1.21f122e78d9e4p-11, 0x1.3fb5aa7511bf9p-12, 0x1.65a09901cc13dp-13},
    {-0x1.a260946a10706p-16, -0x1.0e97aa7e7ba6cp-17, -0x1.705e465af93ebp-19, -0x1.0725a3bf5ca26p-20,
     -0x1.e90d00140b3d1p-23, -0x1.42f6944ae9609p-25, -0x1.eebe8641b0870p-28, -0x1.b01de077f3ccfp-30,
     -0x1.b48a50a9cda12p-33, -0x1.3521ccf7ae44cp-36, -0x1.29d81a6d6230ep-39, -0x1.6f287bb000d2ep-42,
     -0x1.95b3738d4d189p-12, -0x1.ae28dd5ed4e84p-13, -0x1.cee1cc057baf1p-14, -0x1.f951fae5212d9p-15},
    {0x1.143a88141d6d6p-17, 0x1.55124e0743920p-19, 0x1.bb6588e8f3b48p-21, 0x1.2ea03251ba758p-22,
     0x1.06e8f27bbe3c3p-24, 0x1.3e30819dd2276p-27, 0x1.bfff626bde3a6p-30, 0x1.68cd932da5a3ap-32,
     0x1.44cb2b593e076p-35, 0x1.8f0e8be950dadp-39, 0x1.51c8bc37e0e30p-42, 0x1.72045c50dc09ap-45,
     0x1.29b96135bea87p-13, 0x1.345146d30d898p-14, 0x1.440d9f79768e6p-15, 0x1.598d2b2b6fc51p-16},
    {-0x1.646f55ba3bfb0p-19, -0x1.a4864893f7412p-21, -0x1.054ac76668309p-22, -0x1.551dc6a9cf5e3p-24,
     -0x1.191b414a2ebd0p-26, -0x1.37b764f45d991p-29, -0x1.936cf00671423p-32, -0x1.2baad0ea9ad86p-34,
     -0x1.edd204de60eefp-38, -0x1.05b1d1fac16d2p-41, -0x1.83bbf43e23fd0p-45, -0x1.786dda09e1421p-48,
     -0x1.a7a217a375e2ep-15, -0x1.acca2f5a59777p-16, -0x1.b880f56a0d5bfp-17, -0x1.cb2661f815304p-18},
    {0x1.bc6da20f59387p-21, 0x1.f5fc3732ceef5p-23, 0x1.2ab5d5bb37ffap-24, 0x1.759e1ae5fca09p-26,
     0x1.20d86808366c8p-28, 0x1.26f8d160ec6d0p-31, 0x1.6074847941cc2p-34, 0x1.e4c2188707bc7p-37,
     0x1.65821de41b3dbp-40, 0x1.4a981acf62d6dp-44, 0x1.b02cc943c546ep-48, 0x1.760f104215c28p-51,
     0x1.23a4ed06deb42p-16, 0x1.20c1332e31c7ep-17, 0x1.222e4a8a4174ep-18, 0x1.27e316fd553bdp-19}};

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
