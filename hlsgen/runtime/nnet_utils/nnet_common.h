// SPDX-License-Identifier: Apache-2.0
// What all kernels share: packets of a stream, element-wise functions, products.
#ifndef NNET_COMMON_H_
#define NNET_COMMON_H_

#include "nnet_backend.h"

namespace nnet {

// One packet of a stream: all channels of one position.
template <class T, unsigned N> struct array {
    typedef T value_type;
    static const unsigned size = N;
    T data[N];
    T &operator[](unsigned i) { return data[i]; }
    const T &operator[](unsigned i) const { return data[i]; }
};

constexpr unsigned ceil_div(unsigned a, unsigned b) { return (a + b - 1) / b; }

constexpr double power_of_two(int k) { return k > 0 ? 2.0 * power_of_two(k - 1) : (k < 0 ? 0.5 * power_of_two(k + 1) : 1.0); }

// x * 2^K, which is a matter of wires only.
template <int K, class T>
inline auto scaled(const T &x) -> decltype(x * typename fixed_of<1, K + 1, false>::type()) {
    const typename fixed_of<1, K + 1, false>::type factor = power_of_two(K);
    return x * factor;
}

// A sum of whole numbers at its place: x * 2^-K.
template <int K, class T> inline auto placed(const T &x) -> decltype(scaled<-K>(x)) { return scaled<-K>(x); }

#ifdef ESPALIER_FIXED_H_
// The same of integers on one grid, for simulation.
template <int K> inline espalier::wide_t scaled(const espalier::wide_t &x) { return x * (static_cast<espalier::wide_t>(1) << K); }
template <int K> inline espalier::wide_t placed(const espalier::wide_t &x) { return x; }
#endif

// Address bits of a table of n words; one word and two words both take one bit.
constexpr int address_bits(unsigned n) { return n <= 2 ? 1 : 1 + address_bits((n + 1) / 2); }

template <class data_T, unsigned N>
void read_all(stream<data_T> &in, typename data_T::value_type (&out)[N]) {
    NNET_INLINE
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < N / data_T::size; p++) {
        NNET_PIPELINE(1)
        const data_T packet = in.read();
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < data_T::size; c++) {
            NNET_UNROLL
            out[p * data_T::size + c] = packet[c];
        }
    }
}

template <class res_T, unsigned N>
void write_all(const typename res_T::value_type (&in)[N], stream<res_T> &out) {
    NNET_INLINE
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < N / res_T::size; p++) {
        NNET_PIPELINE(1)
        res_T packet;
        NNET_AGGREGATE(packet)
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < res_T::size; c++) {
            NNET_UNROLL
            packet[c] = in[p * res_T::size + c];
        }
        out.write(packet);
    }
}

// Sends constants, once for each sample.
NNET_BLOCK
template <class res_T, unsigned N>
void send(const typename res_T::value_type (&in)[N], stream<res_T> &out) {
    write_all<res_T, N>(in, out);
}

// Takes a sample that no layer reads.
NNET_BLOCK
template <class data_T, unsigned N>
void drain(stream<data_T> &in) {
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < N / data_T::size; p++) {
        NNET_PIPELINE(1)
        in.read();
    }
}

// Copies a stream to several consumers.
NNET_BLOCK
template <class data_T, unsigned N>
void clone(stream<data_T> &in, stream<data_T> &a, stream<data_T> &b) {
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < N / data_T::size; p++) {
        NNET_PIPELINE(1)
        const data_T packet = in.read();
        a.write(packet);
        b.write(packet);
    }
}

// The same of an array, where the layers work side by side and each array may have one reader only.
template <class data_T, unsigned N>
void clone(const data_T *in, data_T *a, data_T *b) {
    NNET_PIPELINE(1)
    NNET_LOOP_UNROLL
    for (unsigned i = 0; i < N; i++) {
        NNET_UNROLL
        a[i] = in[i];
        b[i] = in[i];
    }
}

// Makes packets of another size, for example of one position after another those of a whole vector.
NNET_BLOCK
template <class data_T, class res_T, unsigned N>
void repack(stream<data_T> &in, stream<res_T> &out) {
    typename data_T::value_type buffer[N];
    NNET_PARTITION(buffer)
    read_all<data_T, N>(in, buffer);
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < N / res_T::size; p++) {
        NNET_PIPELINE(1)
        res_T packet;
        NNET_AGGREGATE(packet)
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < res_T::size; c++) {
            NNET_UNROLL
            packet[c] = typename res_T::value_type(buffer[p * res_T::size + c]);
        }
        out.write(packet);
    }
}

// An element-wise function over an array: F::of<res_T, CONFIG_T>(x, i) with i the index of the element.
template <class F, class data_T, class res_T, class CONFIG_T>
void map(const data_T *data, res_T *res) {
    NNET_PIPELINE(CONFIG_T::reuse_factor)
    NNET_LOOP_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        NNET_UNROLL
        res[i] = F::template of<res_T, CONFIG_T>(data[i], i);
    }
}

template <class F, class data_T, class res_T, class CONFIG_T>
void map(stream<data_T> &data, stream<res_T> &res) {
    NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
    for (unsigned p = 0; p < CONFIG_T::n_in / data_T::size; p++) {
        NNET_PIPELINE(CONFIG_T::reuse_factor)
        const data_T in = data.read();
        res_T out;
        NNET_AGGREGATE(out)
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < data_T::size; c++) {
            NNET_UNROLL
            out[c] = F::template of<typename res_T::value_type, CONFIG_T>(in[c], p * data_T::size + c);
        }
        res.write(out);
    }
}

// A layer on whole arrays, F::run<data_T, res_T, CONFIG_T>(data, res).
template <class F, class data_T, class res_T, class CONFIG_T>
void layer(const data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out]) {
    NNET_INLINE
    F::template run<data_T, res_T, CONFIG_T>(data, res);
}

// The same between streams: everything is read, worked on, and written.
template <class F, class data_T, class res_T, class CONFIG_T>
void layer(stream<data_T> &data, stream<res_T> &res) {
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
    in_T in[CONFIG_T::n_in];
    NNET_PARTITION(in)
    out_T out[CONFIG_T::n_out];
    NNET_PARTITION(out)
    read_all<data_T, CONFIG_T::n_in>(data, in);
    F::template run<in_T, out_T, CONFIG_T>(in, out);
    write_all<res_T, CONFIG_T::n_out>(out, res);
}

namespace product {

// Each answers with the exact product of a datum and a weight. One-bit numbers stand for -1 and +1.
struct mult {
    template <class X, class W> static auto of(const X &x, const W &w) -> decltype(x * w) { return x * w; }
};

struct both_binary {
    template <class X, class W> static typename uint_of<1>::type of(const X &x, const W &w) {
        return typename uint_of<1>::type(x == w ? 1 : 0);
    }
};

struct weight_binary {
    template <class X, class W> static auto of(const X &x, const W &w) -> decltype(-x) {
        decltype(-x) r = x;
        if (w == 0) {
            r = -x;
        }
        return r;
    }
};

struct data_binary {
    template <class X, class W> static auto of(const X &x, const W &w) -> decltype(-w) {
        return weight_binary::of(w, x);
    }
};

struct weight_ternary {
    template <class X, class W> static auto of(const X &x, const W &w) -> decltype(-x) {
        decltype(-x) r = 0;
        if (w > 0) {
            r = x;
        } else if (w < 0) {
            r = -x;
        }
        return r;
    }
};

// Powers of two, of whose products only the highest bits are kept; the sign comes last.
template <int W, int I> struct weight_power {
    typedef typename fixed_of<W, I, true>::type result_t;
    template <class X, class Y> static auto of(const X &x, const Y &w) -> decltype(-result_t(0)) {
        decltype(-result_t(0)) r = result_t(x * w);
        if (w < 0) {
            r = -result_t(x * (-w));
        }
        return r;
    }
};

} // namespace product

} // namespace nnet

#endif
