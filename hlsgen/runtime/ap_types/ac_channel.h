// SPDX-License-Identifier: Apache-2.0
// A first-in first-out channel with the interface of ac_channel, for simulation without the vendor's headers.
#ifndef ESPALIER_AC_CHANNEL_H_
#define ESPALIER_AC_CHANNEL_H_

#include "espalier_channel.h"

template <class T> class ac_channel : public espalier::channel<T> {
  public:
    bool available(unsigned n) const { return this->size() >= n; }
};

#endif
