// SPDX-License-Identifier: Apache-2.0
// What differs between tools, for AMD's Vitis HLS and Vivado HLS: types, channels and directives.
#ifndef NNET_BACKEND_H_
#define NNET_BACKEND_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

// Directives are seen by synthesis only; an ordinary compiler is not troubled by words it does not know.
#if defined(__SYNTHESIS__) || defined(NNET_DIRECTIVES)
#define NNET_PRAGMA_TEXT(x) _Pragma(#x)
#define NNET_PRAGMA(x) NNET_PRAGMA_TEXT(x)
#else
#define NNET_PRAGMA(x)
#endif

#define NNET_INLINE NNET_PRAGMA(HLS INLINE)
#define NNET_PIPELINE(ii_) NNET_PRAGMA(HLS PIPELINE II = ii_)
#define NNET_REWIND(ii_) NNET_PRAGMA(HLS PIPELINE II = ii_ rewind)
// These stand before a loop for tools that want them there, and inside it for these.
#define NNET_LOOP_PIPELINE(ii_)
#define NNET_LOOP_REWIND(ii_)
#define NNET_LOOP_UNROLL
#define NNET_UNROLL NNET_PRAGMA(HLS UNROLL)
#define NNET_DATAFLOW NNET_PRAGMA(HLS DATAFLOW)
#define NNET_PARTITION(array_) NNET_PRAGMA(HLS ARRAY_PARTITION variable = array_ complete dim = 0)
#define NNET_PARTITION_DIM(array_, dim_) NNET_PRAGMA(HLS ARRAY_PARTITION variable = array_ complete dim = dim_)
#define NNET_RESHAPE(array_) NNET_PRAGMA(HLS ARRAY_RESHAPE variable = array_ complete dim = 0)
#define NNET_RESHAPE_DIM(array_, dim_) NNET_PRAGMA(HLS ARRAY_RESHAPE variable = array_ complete dim = dim_)
#define NNET_RESHAPE_BLOCK(array_, blocks_) NNET_PRAGMA(HLS ARRAY_RESHAPE variable = array_ block factor = blocks_)
#define NNET_MULTIPLIERS(limit_) NNET_MULTIPLIERS_TOOL(limit_)
#define NNET_FIFO(stream_, depth_) NNET_PRAGMA(HLS STREAM variable = stream_ depth = depth_)
#define NNET_AGGREGATE(type_) NNET_AGGREGATE_TOOL(type_)
#define NNET_ROM(array_) NNET_ROM_TOOL(array_)
#define NNET_PORT_REGISTERS(array_) NNET_PRAGMA(HLS ARRAY_RESHAPE variable = array_ complete dim = 0)
#define NNET_PORT_STREAM(stream_) NNET_PRAGMA(HLS INTERFACE axis port = stream_)
#define NNET_PORT_VALID(array_) NNET_PRAGMA(HLS INTERFACE ap_vld port = array_)
#define NNET_COMPONENT
#define NNET_BLOCK
#define NNET_CHANNEL(type_, name_) nnet::stream<type_> name_(#name_)
#define NNET_INPUT(type_) nnet::stream<type_>
#define NNET_OUTPUT(type_) nnet::stream<type_>

@TOOL@
namespace nnet {

template <class T> using stream = hls::stream<T>;

// Width, bits before the point and sign of a type.
template <class T> struct type_info;
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N> struct type_info<ap_fixed<W, I, Q, O, N>> {
    static const int width = W;
    static const int integer = I;
    static const bool is_signed = true;
};
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N> struct type_info<ap_ufixed<W, I, Q, O, N>> {
    static const int width = W;
    static const int integer = I;
    static const bool is_signed = false;
};
template <int W> struct type_info<ap_int<W>> {
    static const int width = W;
    static const int integer = W;
    static const bool is_signed = true;
};
template <int W> struct type_info<ap_uint<W>> {
    static const int width = W;
    static const int integer = W;
    static const bool is_signed = false;
};

template <int W, int I, bool S> struct fixed_of { typedef ap_fixed<W, I> type; };
template <int W, int I> struct fixed_of<W, I, false> { typedef ap_ufixed<W, I> type; };
template <int W> struct uint_of { typedef ap_uint<W> type; };
typedef ap_fixed<32, 32, AP_TRN_ZERO, AP_SAT> index_t;

// The highest N bits of a number, as an unsigned integer.
template <int N, class T> inline unsigned top_bits(const T &x) {
    const int width = type_info<T>::width;
    const ap_uint<N> bits = x.range(width - 1, width - N);
    return bits.to_uint();
}

template <class T> inline double real_of(const T &x) { return x.to_double(); }

// For wrappers: the conversion that synthesis knows of each type.
template <class T> inline float float_of(const T &x) { return x.to_float(); }
template <int W> inline float float_of(const ap_int<W> &x) { return static_cast<float>(x.to_int64()); }
template <int W> inline float float_of(const ap_uint<W> &x) { return static_cast<float>(x.to_uint64()); }

} // namespace nnet

#endif
