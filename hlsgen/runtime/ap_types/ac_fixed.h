// SPDX-License-Identifier: Apache-2.0
// The names of the algorithmic C fixed-point types, for simulation without the vendor's headers.
#ifndef ESPALIER_AC_FIXED_H_
#define ESPALIER_AC_FIXED_H_

#include "ac_int.h"

enum ac_q_mode { AC_TRN, AC_TRN_ZERO, AC_RND, AC_RND_ZERO, AC_RND_INF, AC_RND_MIN_INF, AC_RND_CONV };
enum ac_o_mode { AC_WRAP, AC_SAT, AC_SAT_ZERO, AC_SAT_SYM };

template <int W, int I, bool S = true, ac_q_mode Q = AC_TRN, ac_o_mode O = AC_WRAP>
class ac_fixed : public espalier::number<W, I, S, static_cast<espalier::rounding>(Q), static_cast<espalier::overflow>(O)> {
  public:
    typedef espalier::number<W, I, S, static_cast<espalier::rounding>(Q), static_cast<espalier::overflow>(O)> base;
    constexpr ac_fixed() : base() {}
    template <class A> constexpr ac_fixed(const A &v) : base(v) {}
    ac_fixed(const ac_fixed &) = default;
    ac_fixed &operator=(const ac_fixed &) = default;
    template <class A> ac_fixed &operator=(const A &v) {
        base::operator=(base(v));
        return *this;
    }
    template <int B> ac_slice_t<B, S> slc(int low) const {
        ac_slice_t<B, S> r;
        r.set_raw(static_cast<espalier::wide_t>(static_cast<espalier::uwide_t>(static_cast<espalier::wide_t>(this->raw())) >> low));
        return r;
    }
    template <class A> void set_slc(int low, const A &v) { this->range(low + A::width - 1, low) = v; }
};

#endif
