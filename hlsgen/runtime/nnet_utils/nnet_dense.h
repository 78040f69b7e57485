// SPDX-License-Identifier: Apache-2.0
// A matrix times a vector, plus a bias, in four kinds of hardware.
//
// Every kernel starts an accumulator at the bias, brings each exact product to the accumulator's type and adds it.
#ifndef NNET_DENSE_H_
#define NNET_DENSE_H_

#include "nnet_common.h"

namespace nnet {

// What an accumulator becomes on leaving the layer.
struct finish_cast {
    template <class res_T, class CONFIG_T, class acc_T> static res_T of(const acc_T &acc) { return res_T(acc); }
};

// Of products of one-bit numbers, where the accumulator counts the pairs that agree.
struct finish_agreements {
    template <class res_T, class CONFIG_T, class acc_T> static res_T of(const acc_T &acc) {
        const int width = address_bits(CONFIG_T::n_in) + 2;
        const int n = static_cast<int>(CONFIG_T::n_in);
        const typename fixed_of<40, 40, true>::type agree = acc; // whole numbers only
        const typename fixed_of<width, width, true>::type sign = (agree + agree) - typename fixed_of<32, 32, true>::type(n);
        return res_T(sign);
    }
};

// All multipliers at once; weights (n_in, n_out). With a reuse factor the tool shares multipliers by itself.
template <class data_T, class res_T, class CONFIG_T> struct dense_latency {
    static const bool pipelined = true; // takes a new vector every reuse_factor cycles

    static void run(const data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out],
                    const typename CONFIG_T::weight_t weights[CONFIG_T::n_weights],
                    const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
        typedef typename CONFIG_T::accum_t accum_t;
        NNET_PIPELINE(CONFIG_T::reuse_factor)
        NNET_PARTITION(weights)
        NNET_PARTITION(biases)
        NNET_MULTIPLIERS(CONFIG_T::multiplier_limit)
        accum_t acc[CONFIG_T::n_out];
        NNET_PARTITION(acc)
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            acc[o] = accum_t(biases[o]);
        }
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
            NNET_UNROLL
            NNET_LOOP_UNROLL
            for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
                NNET_UNROLL
                acc[o] += accum_t(CONFIG_T::product::of(data[i], weights[i * CONFIG_T::n_out + o]));
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            res[o] = CONFIG_T::finish::template of<res_T, CONFIG_T>(acc[o]);
        }
    }
};

// block_factor multipliers, each used in reuse_factor cycles; weights (n_out, n_in), multiplier m owning the
// reuse_factor consecutive ones from m * reuse_factor on. One memory word holds what all multipliers need in a cycle.
// Only the n_live multipliers that CONFIG_T::live() names exist; the others had nothing but zeros, and the memory is
// packed without them.
template <class data_T, class res_T, class CONFIG_T> struct dense_resource {
    static const unsigned rf = CONFIG_T::reuse_factor;
    static const unsigned n_in = CONFIG_T::n_in;
    static const unsigned n_out = CONFIG_T::n_out;
    static const bool within = rf <= n_in;                       // a multiplier serves one output only
    static const unsigned per_output = within ? n_in / rf : 1;   // multipliers of one output
    static const unsigned outputs = within ? 1 : rf / n_in;      // outputs of one multiplier
    static const bool pipelined = false;                         // its own loop is

    static void run(const data_T data[n_in], res_T res[n_out], const typename CONFIG_T::weight_t weights[CONFIG_T::n_weights],
                    const typename CONFIG_T::bias_t biases[n_out]) {
        typedef typename CONFIG_T::accum_t accum_t;
        const unsigned block_factor = CONFIG_T::n_live;
        NNET_RESHAPE_BLOCK(weights, block_factor)
        if (rf > 1) {
            NNET_ROM(weights)
        }
        NNET_PARTITION(biases)
        accum_t acc[n_out];
        NNET_PARTITION(acc)
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < n_out; o++) {
            NNET_UNROLL
            acc[o] = accum_t(biases[o]);
        }
        unsigned column = 0; // input of the cycle, where a multiplier serves several outputs
        unsigned row = 0;    // and which of these outputs
        NNET_LOOP_REWIND(1)
        for (unsigned cycle = 0; cycle < rf; cycle++) {
            NNET_REWIND(1)
            NNET_LOOP_UNROLL
            for (unsigned m = 0; m < block_factor; m++) {
                NNET_UNROLL
                const unsigned multiplier = CONFIG_T::live(m);
                const unsigned o = within ? multiplier / per_output : multiplier * outputs + row;
                const unsigned i = within ? (multiplier % per_output) * rf + cycle : column;
                acc[o] += accum_t(CONFIG_T::product::of(data[i], weights[m * rf + cycle]));
            }
            column++;
            if (column == n_in) {
                column = 0;
                row++;
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < n_out; o++) {
            NNET_UNROLL
            res[o] = CONFIG_T::finish::template of<res_T, CONFIG_T>(acc[o]);
        }
    }
};

// Every weight is zero.
template <class data_T, class res_T, class CONFIG_T> struct dense_bias {
    static const bool pipelined = true;

    static void run(const data_T *, res_T res[CONFIG_T::n_out],
                    const typename CONFIG_T::weight_t *,
                    const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
        typedef typename CONFIG_T::accum_t accum_t;
        NNET_PARTITION(biases)
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            res[o] = CONFIG_T::finish::template of<res_T, CONFIG_T>(accum_t(biases[o]));
        }
    }
};

// Weights by their coordinates, zeros left out; n_weights is a multiple of the reuse factor.
template <class data_T, class res_T, class CONFIG_T> struct dense_compressed {
    static const unsigned rf = CONFIG_T::reuse_factor;
    static const bool pipelined = false;

    static void run(const data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out],
                    const typename CONFIG_T::weight_t weights[CONFIG_T::n_weights],
                    const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
        typedef typename CONFIG_T::accum_t accum_t;
        const unsigned block_factor = CONFIG_T::n_weights / CONFIG_T::reuse_factor;
        NNET_RESHAPE_BLOCK(weights, block_factor)
        if (rf > 1) {
            NNET_ROM(weights)
        }
        NNET_PARTITION(biases)
        accum_t acc[CONFIG_T::n_out];
        NNET_PARTITION(acc)
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            acc[o] = accum_t(biases[o]);
        }
        NNET_LOOP_PIPELINE(1)
        for (unsigned cycle = 0; cycle < rf; cycle++) {
            NNET_PIPELINE(1)
            NNET_LOOP_UNROLL
            for (unsigned m = 0; m < block_factor; m++) {
                NNET_UNROLL
                const unsigned k = m * rf + cycle;
                acc[CONFIG_T::column(k)] += accum_t(CONFIG_T::product::of(data[CONFIG_T::row(k)], weights[k]));
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            res[o] = CONFIG_T::finish::template of<res_T, CONFIG_T>(acc[o]);
        }
    }
};

#ifdef ESPALIER_FIXED_H_
// In simulation many sums are those of integers: a type of its own for each of thousands takes compilers minutes.
template <bool many> struct adders {
    template <class S, unsigned n_in, unsigned n_out, class data_T> static void run(const data_T *data, typename S::sum_t *sum) {
        S::run(data, sum);
    }
};
template <> struct adders<true> {
    template <class S, unsigned n_in, unsigned n_out, class data_T> static void run(const data_T *data, typename S::sum_t *sum) {
        espalier::wide_t x[n_in];
        espalier::wide_t total[n_out];
        for (unsigned i = 0; i < n_in; i++) {
            x[i] = static_cast<espalier::wide_t>(data[i].raw());
        }
        S::run(x, total);
        for (unsigned o = 0; o < n_out; o++) {
            sum[o].set_raw(total[o]);
        }
    }
};
#endif

// Shifts and additions only, as written out for this layer (CONFIG_T::sums), in types that hold every sum.
template <class data_T, class res_T, class CONFIG_T> struct dense_adders {
    static const bool pipelined = true;

    static void run(const data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out],
                    const typename CONFIG_T::weight_t *,
                    const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
        typedef typename CONFIG_T::accum_t accum_t;
        NNET_PIPELINE(1)
        NNET_PARTITION(biases)
        typename CONFIG_T::sums::sum_t sum[CONFIG_T::n_out];
        NNET_PARTITION(sum)
#ifdef ESPALIER_FIXED_H_
        adders<CONFIG_T::sums::many>::template run<typename CONFIG_T::sums, CONFIG_T::n_in, CONFIG_T::n_out>(data, sum);
#else
        CONFIG_T::sums::run(data, sum);
#endif
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            const accum_t acc = accum_t(accum_t(biases[o]) + sum[o]);
            res[o] = CONFIG_T::finish::template of<res_T, CONFIG_T>(acc);
        }
    }
};

template <class data_T, class res_T, class CONFIG_T>
void dense(const data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out],
           const typename CONFIG_T::weight_t weights[CONFIG_T::n_weights],
           const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
    NNET_INLINE
    CONFIG_T::template kernel<data_T, res_T, CONFIG_T>::run(data, res, weights, biases);
}

template <class data_T, class res_T, class CONFIG_T>
void dense(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::weight_t weights[CONFIG_T::n_weights],
           const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
    in_T in[CONFIG_T::n_in];
    NNET_PARTITION(in)
    out_T out[CONFIG_T::n_out];
    NNET_PARTITION(out)
    read_all<data_T, CONFIG_T::n_in>(data, in);
    CONFIG_T::template kernel<in_T, out_T, CONFIG_T>::run(in, out, weights, biases);
    write_all<res_T, CONFIG_T::n_out>(out, res);
}

} // namespace nnet

#endif
