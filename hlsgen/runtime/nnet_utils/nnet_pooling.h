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
                    sum += patch[t * CONFIG_T::n_chan + c];
                }
            }
            res[c] = res_T(sum / count);
        }
    }
};

// Over whole axes: of each of n_before parts the n_positions that follow one another, each of n_chan numbers.
// F::take (first, x, state) for one after the other, then F::finish (state).
struct all_max {
    template <class data_T, class CONFIG_T> struct state { typedef data_T type; };
    template <class X, class S> static void take(bool first, const X &x, S &s) {
        if (first || x > s) {
            s = x;
        }
    }
    template <class res_T, class CONFIG_T, class S> static res_T finish(const S &s) {
        return res_T(typename CONFIG_T::accum_t(s));
    }
};

struct all_sum {
    template <class data_T, class CONFIG_T> struct state { typedef typename CONFIG_T::accum_t type; };
    template <class X, class S> static void take(bool first, const X &x, S &s) {
        s = first ? S(x) : S(s + x);
    }
    template <class res_T, class CONFIG_T, class S> static res_T finish(const S &s) { return res_T(s); }
};

// The quotient is cut towards zero at the last bit of accum_t.
struct all_average : all_sum {
    template <class res_T, class CONFIG_T, class S> static res_T finish(const S &s) {
        // by value: the constant has no address
        typedef typename uint_of<(CONFIG_T::n_positions > 65535 ? 32 : 16)>::type count_t;
        const count_t count = static_cast<unsigned>(CONFIG_T::n_positions);
        return res_T(s / count);
    }
};

template <class F, class data_T, class res_T, class CONFIG_T>
void pool_all(const data_T *data, res_T *res) {
    typename F::template state<data_T, CONFIG_T>::type state[CONFIG_T::n_chan];
    NNET_PARTITION(state)
    for (unsigned b = 0; b < CONFIG_T::n_before; b++) {
        NNET_LOOP_PIPELINE(1)
        for (unsigned p = 0; p < CONFIG_T::n_positions; p++) {
            NNET_PIPELINE(1)
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                NNET_UNROLL
                F::take(p == 0, data[(b * CONFIG_T::n_positions + p) * CONFIG_T::n_chan + c], state[c]);
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            res[b * CONFIG_T::n_chan + c] = F::template finish<res_T, CONFIG_T>(state[c]);
        }
    }
}

// Packets of n_chan numbers, as they come.
template <class F, class data_T, class res_T, class CONFIG_T>
void pool_all(stream<data_T> &data, stream<res_T> &res) {
    typename F::template state<typename data_T::value_type, CONFIG_T>::type state[CONFIG_T::n_chan];
    NNET_PARTITION(state)
    for (unsigned b = 0; b < CONFIG_T::n_before; b++) {
        NNET_LOOP_PIPELINE(1)
        for (unsigned p = 0; p < CONFIG_T::n_positions; p++) {
            NNET_PIPELINE(1)
            const data_T in = data.read();
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                NNET_UNROLL
                F::take(p == 0, in[c], state[c]);
            }
        }
        res_T packet;
        NNET_AGGREGATE(packet)
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            packet[c] = F::template finish<typename res_T::value_type, CONFIG_T>(state[c]);
        }
        res.write(packet);
    }
}

// The same as a layer on whole arrays.
template <class F> struct pool_whole {
    template <class data_T, class res_T, class CONFIG_T> static void run(const data_T *data, res_T *res) {
        pool_all<F, data_T, res_T, CONFIG_T>(data, res);
    }
};

} // namespace nnet

#endif
