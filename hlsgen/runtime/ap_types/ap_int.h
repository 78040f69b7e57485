// SPDX-License-Identifier: Apache-2.0
// The names of AMD's integer types, for simulation without AMD's headers.
#ifndef ESPALIER_AP_INT_H_
#define ESPALIER_AP_INT_H_

#include "espalier_fixed.h"

template <int W>
class ap_int : public espalier::number<W, W, true> {
  public:
    typedef espalier::number<W, W, true> base;
    constexpr ap_int() : base() {}
    template <class A> constexpr ap_int(const A &v) : base(v) {}
    ap_int(const ap_int &) = default;
    ap_int &operator=(const ap_int &) = default;
    template <class A> ap_int &operator=(const A &v) {
        base::operator=(base(v));
        return *this;
    }
};

template <int W>
class ap_uint : public espalier::number<W, W, false> {
  public:
    typedef espalier::number<W, W, false> base;
    constexpr ap_uint() : base() {}
    template <class A> constexpr ap_uint(const A &v) : base(v) {}
    ap_uint(const ap_uint &) = default;
    ap_uint &operator=(const ap_uint &) = default;
    template <class A> ap_uint &operator=(const A &v) {
        base::operator=(base(v));
        return *this;
    }
};

#endif
