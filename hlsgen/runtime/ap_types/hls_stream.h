// SPDX-License-Identifier: Apache-2.0
// A first-in first-out channel with the interface of AMD's hls::stream, for simulation without AMD's headers.
#ifndef ESPALIER_HLS_STREAM_H_
#define ESPALIER_HLS_STREAM_H_

#include "espalier_channel.h"

namespace hls {

template <class T, int DEPTH = 0> class stream : public espalier::channel<T> {
  public:
    stream() {}
    explicit stream(const char *name) : espalier::channel<T>(name) {}
};

} // namespace hls

#endif
