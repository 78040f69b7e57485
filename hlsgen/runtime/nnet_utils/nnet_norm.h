// SPDX-License-Identifier: Apache-2.0
// Layer normalisation over the last axis, and the look-up of vectors.
#ifndef NNET_NORM_H_
#define NNET_NORM_H_

#include "nnet_activation.h"

namespace nnet {

// Sums, mean and variance in accum_t; one over the root of the variance by a table over [0, 1).
struct layer_norm {
    template <class data_T, class res_T, class CONFIG_T> static void run(const data_T *data, res_T *res) {
        typedef typename CONFIG_T::accum_t accum_t;
        const unsigned n = CONFIG_T::n_channels;
        const accum_t inverse = 1.0 / CONFIG_T::n_channels;
        for (unsigned p = 0; p < CONFIG_T::n_in / n; p++) {
            const data_T *x = data + p * n;
            accum_t sum = 0;
            accum_t squares = 0;
            accum_t difference[n];
            NNET_PARTITION(difference)
            for (unsigned i = 0; i < n; i++) {
                sum += accum_t(x[i]);
            }
            const accum_t mean = sum * inverse;
            for (unsigned i = 0; i < n; i++) {
                difference[i] = accum_t(accum_t(x[i]) - mean);
                squares += accum_t(difference[i] * difference[i]);
            }
            const accum_t variance = squares * inverse;
            const auto root = CONFIG_T::table(clamp_index<CONFIG_T::table_size>(table_index<CONFIG_T::table_size, 1>(variance)));
            for (unsigned i = 0; i < n; i++) {
                res[p * n + i] = res_T((difference[i] * root) * CONFIG_T::factor(i) + CONFIG_T::offset(i));
            }
        }
    }
};

// A row of the table for each index; indices outside it fall on its ends.
struct embedding {
    template <class data_T, class res_T, class CONFIG_T> static void run(const data_T *data, res_T *res) {
        const unsigned n = CONFIG_T::n_units;
        for (unsigned p = 0; p < CONFIG_T::n_in; p++) {
            const typename fixed_of<32, 32, true>::type index = data[p];
            const unsigned row = clamp_index<CONFIG_T::n_rows>(index.to_int());
            for (unsigned u = 0; u < n; u++) {
                res[p * n + u] = res_T(CONFIG_T::row(row * n + u));
            }
        }
    }
};

} // namespace nnet

#endif
