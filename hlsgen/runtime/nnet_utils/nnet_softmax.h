// SPDX-License-Identifier: Apache-2.0
// Softmax by tables.
#ifndef NNET_SOFTMAX_H_
#define NNET_SOFTMAX_H_

#include "nnet_activation.h"

namespace nnet {

// The largest power of two below n.
constexpr unsigned tree_split(unsigned n, unsigned p = 1) { return 2 * p < n ? tree_split(n, 2 * p) : p; }

// A balanced tree of operators; every node is brought to T.
template <class T, unsigned N, class OP> struct tree {
    static T run(const T *x) {
        NNET_INLINE
        return OP::of(tree<T, tree_split(N), OP>::run(x), tree<T, N - tree_split(N), OP>::run(x + tree_split(N)));
    }
};
template <class T, class OP> struct tree<T, 1, OP> {
    static T run(const T *x) {
        NNET_INLINE
        return x[0];
    }
};

template <class T> struct tree_add {
    static T of(const T &a, const T &b) { return T(a + b); }
};
template <class T> struct tree_max {
    static T of(const T &a, const T &b) { return a > b ? a : b; }
};

template <class CONFIG_T> struct softmax_tables {
    typedef typename CONFIG_T::accum_t accum_t;
    static const unsigned n = CONFIG_T::n_channels;
    static accum_t exponential(unsigned word) { return accum_t(CONFIG_T::exp_table(word)); }
    template <class res_T> static void normalise(const accum_t e[n], res_T res[n]) {
        const typename CONFIG_T::inv_inp_t sum = tree<accum_t, n, tree_add<accum_t>>::run(e);
        const typename CONFIG_T::inv_table_t inverse =
            CONFIG_T::inv_table(top_bits<address_bits(CONFIG_T::inv_table_size)>(sum));
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < n; i++) {
            NNET_UNROLL
            res[i] = res_T(e[i] * inverse);
        }
    }
};

// Differences to the largest input, so that no exponential overflows.
struct softmax_stable {
    template <class data_T, class res_T, class CONFIG_T> static void of(const data_T *x, res_T *res) {
        typedef typename CONFIG_T::accum_t accum_t;
        const unsigned n = CONFIG_T::n_channels;
        accum_t e[n];
        NNET_PARTITION(e)
        const data_T largest = tree<data_T, n, tree_max<data_T>>::run(x);
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < n; i++) {
            NNET_UNROLL
            const typename CONFIG_T::inp_norm_t below = largest - x[i];
            e[i] = softmax_tables<CONFIG_T>::exponential(top_bits<address_bits(CONFIG_T::exp_table_size)>(below));
        }
        softmax_tables<CONFIG_T>::normalise(e, res);
    }
};

struct softmax_latency {
    template <class data_T, class res_T, class CONFIG_T> static void of(const data_T *x, res_T *res) {
        typedef typename CONFIG_T::accum_t accum_t;
        const unsigned n = CONFIG_T::n_channels;
        accum_t e[n];
        NNET_PARTITION(e)
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < n; i++) {
            NNET_UNROLL
            e[i] = softmax_tables<CONFIG_T>::exponential(top_bits<address_bits(CONFIG_T::exp_table_size)>(x[i]));
        }
        softmax_tables<CONFIG_T>::normalise(e, res);
    }
};

// One over the sum of the exponentials of all differences, for each output.
struct softmax_legacy {
    template <class data_T, class res_T, class CONFIG_T> static void of(const data_T *x, res_T *res) {
        typedef typename CONFIG_T::table_t table_t;
        const unsigned n = CONFIG_T::n_channels;
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < n; i++) {
            NNET_UNROLL
            table_t sum = 0;
            NNET_LOOP_UNROLL
            for (unsigned j = 0; j < n; j++) {
                NNET_UNROLL
                if (i == j) {
                    sum = table_t(sum + typename uint_of<1>::type(1));
                } else {
                    const int index = table_index<CONFIG_T::exp_table_size, 16>(x[j] - x[i]);
                    const int half = static_cast<int>(CONFIG_T::exp_table_size / 2);
                    sum = table_t(sum + CONFIG_T::exp_table(clamp_index<CONFIG_T::exp_table_size>(index + half)));
                }
            }
            const int word = table_index<CONFIG_T::inv_table_size, 64>(sum);
            res[i] = res_T(CONFIG_T::inv_table(clamp_index<CONFIG_T::inv_table_size>(word)));
        }
    }
};

// 1 at the first largest input, 0 elsewhere.
struct softmax_argmax {
    template <class data_T, class res_T, class CONFIG_T> static void of(const data_T *x, res_T *res) {
        const unsigned n = CONFIG_T::n_channels;
        data_T largest = x[0];
        unsigned where = 0;
        NNET_LOOP_UNROLL
        for (unsigned i = 1; i < n; i++) {
            NNET_UNROLL
            if (x[i] > largest) {
                largest = x[i];
                where = i;
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < n; i++) {
            NNET_UNROLL
            res[i] = i == where ? res_T(1) : res_T(0);
        }
    }
};

struct softmax {
    template <class data_T, class res_T, class CONFIG_T> static void run(const data_T *data, res_T *res) {
        NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
        for (unsigned p = 0; p < CONFIG_T::n_in / CONFIG_T::n_channels; p++) {
            NNET_PIPELINE(CONFIG_T::reuse_factor)
            CONFIG_T::implementation::template of<data_T, res_T, CONFIG_T>(data + p * CONFIG_T::n_channels,
                                                                           res + p * CONFIG_T::n_channels);
        }
    }
};

} // namespace nnet

#endif
