// SPDX-License-Identifier: Apache-2.0
// What differs between tools, for @NAME@: types, channels and directives.
#ifndef NNET_BACKEND_H_
#define NNET_BACKEND_H_

// These stand inside a loop or a function for tools that want them there; this one has them before a loop, takes them from
// scripts, or finds out by itself.
#define NNET_INLINE
#define NNET_PIPELINE(ii_)
#define NNET_REWIND(ii_)
#define NNET_UNROLL
#define NNET_DATAFLOW
#define NNET_PARTITION(array_)
#define NNET_PARTITION_DIM(array_, dim_)
#define NNET_RESHAPE(array_)
#define NNET_RESHAPE_DIM(array_, dim_)
#define NNET_RESHAPE_BLOCK(array_, blocks_)
#define NNET_MULTIPLIERS(limit_)
#define NNET_FIFO(stream_, depth_)
#define NNET_AGGREGATE(type_)
#define NNET_ROM(array_)
#define NNET_PORT_REGISTERS(array_)
#define NNET_PORT_STREAM(stream_)
#define NNET_PORT_VALID(array_)

@TOOL@
namespace nnet {

// Width, bits before the point and sign of a type.
template <class T> struct type_info;
template <int W, int I, bool S, ac_q_mode Q, ac_o_mode O> struct type_info<ac_fixed<W, I, S, Q, O>> {
    static const int width = W;
    static const int integer = I;
    static const bool is_signed = S;
};
template <int W, bool S> struct type_info<ac_int<W, S>> {
    static const int width = W;
    static const int integer = W;
    static const bool is_signed = S;
};

template <int W, int I, bool S> struct fixed_of { typedef ac_fixed<W, I, S> type; };
template <int W> struct uint_of { typedef ac_int<W, false> type; };
typedef ac_fixed<32, 32, true, AC_TRN_ZERO, AC_SAT> index_t;

// The highest N bits of a number, as an unsigned integer.
template <int N, class T> inline unsigned top_bits(const T &x) {
    const ac_int<N, false> bits = x.template slc<N>(type_info<T>::width - N);
    return bits.to_uint();
}

template <class T> inline double real_of(const T &x) { return x.to_double(); }

} // namespace nnet

#endif
