// SPDX-License-Identifier: Apache-2.0
#if defined(__INTELFPGA_COMPILER__) && !defined(SYCL_LANGUAGE_VERSION)
#include "HLS/ac_fixed.h"
#include "HLS/ac_int.h"
#include "HLS/hls.h"
#define NNET_COMPONENT component
#define NNET_INPUT(type_) ihc::stream_in<type_>
#define NNET_OUTPUT(type_) ihc::stream_out<type_>
#elif defined(SYCL_LANGUAGE_VERSION)
#include <sycl/ext/intel/ac_types/ac_fixed.hpp>
#include <sycl/ext/intel/ac_types/ac_int.hpp>
#define NNET_COMPONENT
#else
#include "ac_fixed.h"
#include "ac_int.h"
#define NNET_COMPONENT
#endif

#include "nnet_fifo.h"

// Directives are seen by synthesis only; an ordinary compiler is not troubled by words it does not know.
#if defined(__INTELFPGA_COMPILER__) || defined(SYCL_LANGUAGE_VERSION) || defined(NNET_DIRECTIVES)
#define NNET_PRAGMA_TEXT(x) _Pragma(#x)
#define NNET_PRAGMA(x) NNET_PRAGMA_TEXT(x)
#else
#define NNET_PRAGMA(x)
#endif

#define NNET_BLOCK
// The compiler chooses registers or memories by how an array is used.
#define NNET_INLINE
#define NNET_LOOP_PIPELINE(ii_) NNET_PRAGMA(ii ii_)
#define NNET_LOOP_REWIND(ii_) NNET_PRAGMA(ii ii_)
#define NNET_LOOP_UNROLL NNET_PRAGMA(unroll)
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

#define NNET_CHANNEL(type_, name_) nnet::stream<type_> name_
#ifndef NNET_INPUT
#define NNET_INPUT(type_) nnet::stream<type_>
#define NNET_OUTPUT(type_) nnet::stream<type_>
#endif

namespace nnet {
template <class T> using stream = fifo<T>;
} // namespace nnet
