// SPDX-License-Identifier: Apache-2.0
// Layers that move numbers without arithmetic: each output element is one input element, or zero.
#ifndef NNET_SHAPE_H_
#define NNET_SHAPE_H_

#include "nnet_common.h"

namespace nnet {

// CONFIG_T::source(i) is the input element of output element i, or n_in for zero.
struct move {
    template <class data_T, class res_T, class CONFIG_T> static void run(const data_T *data, res_T *res) {
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < CONFIG_T::n_out; i++) {
            NNET_UNROLL
            const unsigned from = CONFIG_T::source(i);
            res[i] = from < CONFIG_T::n_in ? res_T(data[from < CONFIG_T::n_in ? from : 0]) : res_T(0);
        }
    }
};

} // namespace nnet

#endif
