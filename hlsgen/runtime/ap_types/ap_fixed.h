// SPDX-License-Identifier: Apache-2.0
// The names of AMD's fixed-point types, for simulation without AMD's headers.
#ifndef ESPALIER_AP_FIXED_H_
#define ESPALIER_AP_FIXED_H_

#include "ap_int.h"

enum ap_q_mode { AP_TRN, AP_TRN_ZERO, AP_RND, AP_RND_ZERO, AP_RND_INF, AP_RND_MIN_INF, AP_RND_CONV };
enum ap_o_mode { AP_WRAP, AP_SAT, AP_SAT_ZERO, AP_SAT_SYM };

// N, the number of saturation bits, is accepted and has no meaning in the modes above.
template <int W, int I, ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP, int N = 0>
class ap_fixed : public espalier::number<W, I, true, static_cast<espalier::rounding>(Q), static_cast<espalier::overflow>(O)> {
  public:
    typedef espalier::number<W, I, true, static_cast<espalier::rounding>(Q), static_cast<espalier::overflow>(O)> base;
    constexpr ap_fixed() : base() {}
    template <class A> constexpr ap_fixed(const A &v) : base(v) {}
    ap_fixed(const ap_fixed &) = default;
    ap_fixed &operator=(const ap_fixed &) = default;
    template <class A> ap_fixed &operator=(const A &v) {
        base::operator=(base(v));
        return *this;
    }
};

template <int W, int I, ap_q_mode Q = AP_TRN, ap_o_mode O = AP_WRAP, int N = 0>
class ap_ufixed : public espalier::number<W, I, false, static_cast<espalier::rounding>(Q), static_cast<espalier::overflow>(O)> {
  public:
    typedef espalier::number<W, I, false, static_cast<espalier::rounding>(Q), static_cast<espalier::overflow>(O)> base;
    constexpr ap_ufixed() : base() {}
    template <class A> constexpr ap_ufixed(const A &v) : base(v) {}
    ap_ufixed(const ap_ufixed &) = default;
    ap_ufixed &operator=(const ap_ufixed &) = default;
    template <class A> ap_ufixed &operator=(const A &v) {
        base::operator=(base(v));
        return *this;
    }
};

#endif
