// SPDX-License-Identifier: Apache-2.0
// A word of an AXI4 stream with its side channels, by AMD's names, for simulation without AMD's headers.
#ifndef ESPALIER_AP_AXI_SDATA_H_
#define ESPALIER_AP_AXI_SDATA_H_

#include "ap_int.h"

namespace hls {

template <class T, int USER, int ID, int DEST> struct axis {
    static_assert(USER == 0 && ID == 0 && DEST == 0, "only data, keep, strb and last are known in simulation");
    T data;
    ap_uint<static_cast<int>(sizeof(T))> keep;
    ap_uint<static_cast<int>(sizeof(T))> strb;
    ap_uint<1> last;
};

} // namespace hls

#endif
