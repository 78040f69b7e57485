// SPDX-License-Identifier: Apache-2.0
// Maximum and mean of windows and of whole images.
#ifndef NNET_POOLING_H_
#define NNET_POOLING_H_

#include "nnet_window.h"

namespace nnet {

struct pool_max {
    template <class data_T, class res_T, class CONFIG_T>
    static void of(const data_T patch[window<CONFIG_T>::size], const bool valid[window<CONFIG_T>::taps], res_T *res) {
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            data_T best = 0;
            bool any = false;
            NNET_LOOP_UNROLL
            for (unsigned t = 0; t < window<CONFIG_T>::taps; t++) {
                NNET_UNROLL
                const data_T x = patch[t * CONFIG_T::n_chan + c];
                if (valid[t] && (!any || x > best)) {
                    best = x;
                    any = true;
                }
            }
            res[c] = res_T(typename CONFIG_T::accum_t(best));
        }
    }
};

// The sum in accum_t, divided by a whole number: truncated toward zero at the last bit of accum_t.
struct pool_average {
    template <class data_T, class res_T, class CONFIG_T>
    static void of(const data_T patch[window<CONFIG_T>::size], const bool valid[window<CONFIG_T>::taps], res_T *res) {
        typedef typename CONFIG_T::accum_t accum_t;
        typename uint_of<16>::type count = 0;
        NNET_LOOP_UNROLL
        for (unsigned t = 0; t < window<CONFIG_T>::taps; t++) {
            NNET_UNROLL
            if (CONFIG_T::count_pad || valid[t]) {
                count += 1;
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            accum_t sum = 0;
            NNET_LOOP_UNROLL
            for (unsigned t = 0; t < window<CONFIG_T>::taps; t++) {
                NNET_UNROLL
                if (valid[t]) {
                    sum += accum_t(patch[t * CONFIG_T::n_chan + c]);
                }
            }
            res[c] = res_T(sum / count);
        }
    }
};

} // namespace nnet

#endif
