// SPDX-License-Identifier: Apache-2.0
#include "ac_channel.h"
#include "ac_fixed.h"
#include "ac_int.h"

// Catapult's own verification runs the test bench against the RTL; build_prj.tcl asks for it.
#ifdef NNET_SCVERIFY
#include <mc_scverify.h>
#else
#define CCS_BLOCK(name_) name_
#define CCS_MAIN(count_, words_) int main(count_, words_)
#define CCS_RETURN(status_) return status_
#endif

// Directives are seen by synthesis only; an ordinary compiler is not troubled by words it does not know.
#if defined(__SYNTHESIS__) || defined(NNET_DIRECTIVES)
#define NNET_PRAGMA_TEXT(x) _Pragma(#x)
#define NNET_PRAGMA(x) NNET_PRAGMA_TEXT(x)
#else
#define NNET_PRAGMA(x)
#endif

// Memories, FIFO depths and interfaces of Catapult are set by directives.tcl.
#define NNET_LOOP_PIPELINE(ii_) NNET_PRAGMA(hls_pipeline_init_interval ii_)
#define NNET_LOOP_REWIND(ii_) NNET_PRAGMA(hls_pipeline_init_interval ii_)
#define NNET_LOOP_UNROLL NNET_PRAGMA(hls_unroll yes)
#define NNET_COMPONENT NNET_PRAGMA(hls_design top)
// Layers between channels are blocks of their own, which work side by side: each in a function of the top's file, with the cycles
// between two samples or steps; and what copies and repacks.
#define NNET_LAYER(ii_) NNET_PRAGMA(hls_design) NNET_PRAGMA(hls_pipeline_init_interval ii_)
#define NNET_BLOCK NNET_LAYER(1)

// Channels between the blocks of a hierarchy are static.
#define NNET_CHANNEL(type_, name_) static nnet::stream<type_> name_
#define NNET_INPUT(type_) nnet::stream<type_>
#define NNET_OUTPUT(type_) nnet::stream<type_>

namespace nnet {
template <class T> using stream = ac_channel<T>;
} // namespace nnet
