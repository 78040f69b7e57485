// SPDX-License-Identifier: Apache-2.0
// Several inputs of one shape become one; concatenation and dot product of two.
#ifndef NNET_MERGE_H_
#define NNET_MERGE_H_

#include "nnet_common.h"

namespace nnet {

struct merge_add {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) { return res_T(a + b); }
};
struct merge_subtract {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) { return res_T(a - b); }
};
struct merge_multiply {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) { return res_T(a * b); }
};
struct merge_maximum {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) { return a > b ? res_T(a) : res_T(b); }
};
struct merge_minimum {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) { return a < b ? res_T(a) : res_T(b); }
};
// Cut toward zero at the last bit of the sum.
struct merge_average {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) {
        typedef decltype(-(a + b)) sum_t;
        const typename fixed_of<1, 0, false>::type half = 0.5;
        const sum_t sum = a + b;
        sum_t magnitude = sum;
        if (sum < 0) {
            magnitude = -sum;
        }
        const sum_t halved = magnitude * half;
        return sum < 0 ? res_T(-halved) : res_T(halved);
    }
};

// The last step of a mean of N inputs, of which the others are summed up already; the quotient is cut towards zero.
template <unsigned N> struct merge_mean {
    template <class res_T, class A, class B> static res_T of(const A &a, const B &b) {
        const typename uint_of<16>::type count = N;
        return res_T((a + b) / count);
    }
};

// A number, or what a bit stands for: -1 or +1.
template <bool bit> struct number_of {
    template <class T> static const T &of(const T &x) { return x; }
};
template <> struct number_of<true> {
    template <class T> static typename fixed_of<2, 2, true>::type of(const T &x) {
        return typename fixed_of<2, 2, true>::type(x == 0 ? -1 : 1);
    }
};

// Element by element. CONFIG_T::at1(i) and at2(i) are the elements that output i reads.
template <class F, class a_T, class b_T, class res_T, class CONFIG_T>
void merge(const a_T a[CONFIG_T::n_in1], const b_T b[CONFIG_T::n_in2], res_T res[CONFIG_T::n_out]) {
    NNET_PIPELINE(CONFIG_T::reuse_factor)
    NNET_LOOP_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_out; i++) {
        NNET_UNROLL
        res[i] = F::template of<res_T>(number_of<CONFIG_T::bits1>::of(a[CONFIG_T::at1(i)]),
                                       number_of<CONFIG_T::bits2>::of(b[CONFIG_T::at2(i)]));
    }
}

NNET_BLOCK
template <class F, class a_T, class b_T, class res_T, class CONFIG_T>
void merge(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res) {
    if (CONFIG_T::in_step && a_T::size == b_T::size && a_T::size == res_T::size) {
        NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
        for (unsigned p = 0; p < CONFIG_T::n_out / res_T::size; p++) {
            NNET_PIPELINE(CONFIG_T::reuse_factor)
            const a_T x = a.read();
            const b_T y = b.read();
            res_T packet;
            NNET_AGGREGATE(packet)
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < res_T::size; c++) {
                NNET_UNROLL
                packet[c] = F::template of<typename res_T::value_type>(number_of<CONFIG_T::bits1>::of(x[c % a_T::size]),
                                                                       number_of<CONFIG_T::bits2>::of(y[c % b_T::size]));
            }
            res.write(packet);
        }
        return;
    }
    if (CONFIG_T::n_in1 == CONFIG_T::n_out && CONFIG_T::n_in2 == b_T::size && a_T::size == b_T::size && a_T::size == res_T::size) {
        const b_T y = b.read();
        NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
        for (unsigned p = 0; p < CONFIG_T::n_out / res_T::size; p++) {
            NNET_PIPELINE(CONFIG_T::reuse_factor)
            const a_T x = a.read();
            res_T packet;
            NNET_AGGREGATE(packet)
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < res_T::size; c++) {
                NNET_UNROLL
                packet[c] = F::template of<typename res_T::value_type>(number_of<CONFIG_T::bits1>::of(x[c % a_T::size]),
                                                                       number_of<CONFIG_T::bits2>::of(y[c % b_T::size]));
            }
            res.write(packet);
        }
        return;
    }
    typename a_T::value_type x[CONFIG_T::n_in1];
    typename b_T::value_type y[CONFIG_T::n_in2];
    typename res_T::value_type z[CONFIG_T::n_out];
    read_all<a_T, CONFIG_T::n_in1>(a, x);
    read_all<b_T, CONFIG_T::n_in2>(b, y);
    merge<F, typename a_T::value_type, typename b_T::value_type, typename res_T::value_type, CONFIG_T>(x, y, z);
    write_all<res_T, CONFIG_T::n_out>(z, res);
}

// Along one axis: n_outer times n_part1 elements of the one, then n_part2 of the other.
struct concatenate {
    template <class a_T, class b_T, class res_T, class CONFIG_T> static void run(const a_T *a, const b_T *b, res_T *res) {
        const unsigned row = CONFIG_T::n_part1 + CONFIG_T::n_part2;
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out / row; o++) {
            NNET_UNROLL
            NNET_LOOP_UNROLL
            for (unsigned i = 0; i < CONFIG_T::n_part1; i++) {
                NNET_UNROLL
                res[o * row + i] = res_T(number_of<CONFIG_T::bits1>::of(a[o * CONFIG_T::n_part1 + i]));
            }
            NNET_LOOP_UNROLL
            for (unsigned i = 0; i < CONFIG_T::n_part2; i++) {
                NNET_UNROLL
                res[o * row + CONFIG_T::n_part1 + i] = res_T(number_of<CONFIG_T::bits2>::of(b[o * CONFIG_T::n_part2 + i]));
            }
        }
    }
};

// Between streams along the last axis: the channels of both in one packet.
NNET_BLOCK
template <class a_T, class b_T, class res_T, class CONFIG_T>
void join_channels(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res) {
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < CONFIG_T::n_out / res_T::size; p++) {
        NNET_PIPELINE(1)
        const a_T x = a.read();
        const b_T y = b.read();
        res_T packet;
        NNET_AGGREGATE(packet)
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < a_T::size; c++) {
            NNET_UNROLL
            packet[c] = typename res_T::value_type(number_of<CONFIG_T::bits1>::of(x[c]));
        }
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < b_T::size; c++) {
            NNET_UNROLL
            packet[a_T::size + c] = typename res_T::value_type(number_of<CONFIG_T::bits2>::of(y[c]));
        }
        res.write(packet);
    }
}

// And along another axis: n_part1 numbers of the one, n_part2 of the other, and so on.
template <class data_T, class res_T, unsigned N, bool bits>
void pass_on(stream<data_T> &data, stream<res_T> &res) {
    NNET_INLINE
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < N / res_T::size; p++) {
        NNET_PIPELINE(1)
        const data_T x = data.read();
        res_T packet;
        NNET_AGGREGATE(packet)
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < res_T::size; c++) {
            NNET_UNROLL
            packet[c] = typename res_T::value_type(number_of<bits>::of(x[c]));
        }
        res.write(packet);
    }
}

NNET_BLOCK
template <class a_T, class b_T, class res_T, class CONFIG_T>
void join_rows(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res) {
    for (unsigned o = 0; o < CONFIG_T::n_out / (CONFIG_T::n_part1 + CONFIG_T::n_part2); o++) {
        pass_on<a_T, res_T, CONFIG_T::n_part1, CONFIG_T::bits1>(a, res);
        pass_on<b_T, res_T, CONFIG_T::n_part2, CONFIG_T::bits2>(b, res);
    }
}

// Sums of n_summed products of elements of both inputs: the first of output o are first1(o) and first2(o), product k
// reads step1(k) and step2(k) further on.
struct products {
    template <class a_T, class b_T, class res_T, class CONFIG_T> static void run(const a_T *a, const b_T *b, res_T *res) {
        typedef typename CONFIG_T::accum_t accum_t;
        NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_PIPELINE(CONFIG_T::reuse_factor)
            accum_t sum = 0;
            NNET_LOOP_UNROLL
            for (unsigned k = 0; k < CONFIG_T::n_summed; k++) {
                NNET_UNROLL
                sum += accum_t(number_of<CONFIG_T::bits1>::of(a[CONFIG_T::first1(o) + CONFIG_T::step1(k)]) *
                               number_of<CONFIG_T::bits2>::of(b[CONFIG_T::first2(o) + CONFIG_T::step2(k)]));
            }
            res[o] = res_T(sum);
        }
    }
};

template <class F, class a_T, class b_T, class res_T, class CONFIG_T>
void layer2(const a_T *a, const b_T *b, res_T *res) {
    NNET_INLINE
    F::template run<a_T, b_T, res_T, CONFIG_T>(a, b, res);
}

template <class F, class a_T, class b_T, class res_T, class CONFIG_T>
void layer2(stream<a_T> &a, stream<b_T> &b, stream<res_T> &res) {
    typedef typename a_T::value_type x_T;
    typedef typename b_T::value_type y_T;
    typedef typename res_T::value_type z_T;
    x_T x[CONFIG_T::n_in1];
    y_T y[CONFIG_T::n_in2];
    z_T z[CONFIG_T::n_out];
    read_all<a_T, CONFIG_T::n_in1>(a, x);
    read_all<b_T, CONFIG_T::n_in2>(b, y);
    F::template run<x_T, y_T, z_T, CONFIG_T>(x, y, z);
    write_all<res_T, CONFIG_T::n_out>(z, res);
}

} // namespace nnet

#endif
