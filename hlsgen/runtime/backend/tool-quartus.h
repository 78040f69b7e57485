// SPDX-License-Identifier: Apache-2.0
#ifdef __INTELFPGA_COMPILER__
#include "HLS/ac_fixed.h"
#include "HLS/ac_int.h"
#include "HLS/hls.h"
#define NNET_COMPONENT component
#define NNET_COMPONENT_EVERY(ii_) hls_max_concurrency(0) hls_component_ii(ii_) component
#define NNET_REGISTER hls_register
#define NNET_INPUT(type_) ihc::stream_in<type_>
#define NNET_OUTPUT(type_) ihc::stream_out<type_>
#else
#include "ac_fixed.h"
#include "ac_int.h"
#define NNET_COMPONENT
#define NNET_COMPONENT_EVERY(ii_)
#define NNET_REGISTER
#define NNET_INPUT(type_) nnet::stream<type_>
#define NNET_OUTPUT(type_) nnet::stream<type_>
#endif

#include "nnet_fifo.h"

// Directives are seen by synthesis only; an ordinary compiler is not troubled by words it does not know.
#if defined(__INTELFPGA_COMPILER__) || defined(NNET_DIRECTIVES)
#define NNET_PRAGMA_TEXT(x) _Pragma(#x)
#define NNET_PRAGMA(x) NNET_PRAGMA_TEXT(x)
#else
#define NNET_PRAGMA(x)
#endif

#define NNET_LOOP_PIPELINE(ii_) NNET_PRAGMA(ii ii_)
#define NNET_LOOP_REWIND(ii_) NNET_PRAGMA(ii ii_)
#define NNET_LOOP_UNROLL NNET_PRAGMA(unroll)

#define NNET_BLOCK
#define NNET_CHANNEL(type_, name_) nnet::stream<type_> name_

namespace nnet {
template <class T> using stream = fifo<T>;
} // namespace nnet
