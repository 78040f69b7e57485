// SPDX-License-Identifier: Apache-2.0
// The names of the algorithmic C integer types, for simulation without the vendor's headers.
#ifndef ESPALIER_AC_INT_H_
#define ESPALIER_AC_INT_H_

#include "espalier_fixed.h"

template <int B, bool S> using ac_slice_t = espalier::number<B, B, S>;

template <int W, bool S = true>
class ac_int : public espalier::number<W, W, S> {
  public:
    typedef espalier::number<W, W, S> base;
    constexpr ac_int() : base() {}
    template <class A> constexpr ac_int(const A &v) : base(v) {}
    ac_int(const ac_int &) = default;
    ac_int &operator=(const ac_int &) = default;
    template <class A> ac_int &operator=(const A &v) {
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
