// SPDX-License-Identifier: Apache-2.0
#define NNET_MULTIPLIERS_TOOL(limit_) NNET_PRAGMA(HLS ALLOCATION instances = mul limit = limit_ operation)
#define NNET_ROM_TOOL(array_) NNET_PRAGMA(HLS RESOURCE variable = array_ core = ROM_nP_BRAM)
#define NNET_AGGREGATE_TOOL(type_) NNET_PRAGMA(HLS DATA_PACK variable = type_)
