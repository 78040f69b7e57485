// SPDX-License-Identifier: Apache-2.0
#define NNET_MULTIPLIERS_TOOL(limit_) NNET_PRAGMA(HLS ALLOCATION operation instances = mul limit = limit_)
#define NNET_ROM_TOOL(array_) NNET_PRAGMA(HLS BIND_STORAGE variable = array_ type = ROM_NP impl = BRAM)
#define NNET_AGGREGATE_TOOL(type_) NNET_PRAGMA(HLS AGGREGATE variable = type_)
