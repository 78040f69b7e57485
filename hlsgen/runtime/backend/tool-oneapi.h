// SPDX-License-Identifier: Apache-2.0
#ifdef SYCL_LANGUAGE_VERSION
#include <sycl/ext/intel/ac_types/ac_fixed.hpp>
#include <sycl/ext/intel/ac_types/ac_int.hpp>
#else
#include "ac_fixed.h"
#include "ac_int.h"
#endif

#include "nnet_fifo.h"

// Directives are seen by synthesis only; an ordinary compiler is not troubled by words it does not know.
#if defined(SYCL_LANGUAGE_VERSION) || defined(NNET_DIRECTIVES)
#define NNET_PRAGMA_TEXT(x) _Pragma(#x)
#define NNET_PRAGMA(x) NNET_PRAGMA_TEXT(x)
#define NNET_LOOP_PIPELINE(ii_) [[intel::initiation_interval(ii_)]]
#else
#define NNET_PRAGMA(x)
#define NNET_LOOP_PIPELINE(ii_)
#endif

#define NNET_LOOP_REWIND(ii_) NNET_LOOP_PIPELINE(ii_)
#define NNET_LOOP_UNROLL NNET_PRAGMA(unroll)

#define NNET_COMPONENT
#define NNET_BLOCK
#define NNET_CHANNEL(type_, name_) nnet::stream<type_> name_
#define NNET_INPUT(type_) nnet::stream<type_>
#define NNET_OUTPUT(type_) nnet::stream<type_>

namespace nnet {
template <class T> using stream = fifo<T>;
} // namespace nnet
