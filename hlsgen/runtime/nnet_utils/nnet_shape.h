// SPDX-License-Identifier: Apache-2.0
// Layers that move numbers without arithmetic: each output element is one input element, or zero.
#ifndef NNET_SHAPE_H_
#define NNET_SHAPE_H_

#include "nnet_common.h"

namespace nnet {

// CONFIG_T::source(i) is the input element of output element i, or n_in for zero.
struct move {
    template <class data_T, class res_T, class CONFIG_T> static void run(const data_T *data, res_T *res) {
        NNET_LOOP_UNROLL
        for (unsigned i = 0; i < CONFIG_T::n_out; i++) {
            NNET_UNROLL
            const unsigned from = CONFIG_T::source(i);
            res[i] = from < CONFIG_T::n_in ? res_T(data[from < CONFIG_T::n_in ? from : 0]) : res_T(0);
        }
    }
};

// The same between streams, whose packets are kept in a memory; so many cycles a packet as it takes elements of others.
template <class data_T, class res_T, class CONFIG_T>
void move_stream(stream<data_T> &data, stream<res_T> &res) {
    data_T buffer[CONFIG_T::n_in / data_T::size];
    NNET_AGGREGATE(buffer)
    NNET_LOOP_PIPELINE(1)
    for (unsigned p = 0; p < CONFIG_T::n_in / data_T::size; p++) {
        NNET_PIPELINE(1)
        buffer[p] = data.read();
    }
    for (unsigned p = 0; p < CONFIG_T::n_out / res_T::size; p++) {
        res_T packet;
        NNET_AGGREGATE(packet)
        NNET_LOOP_PIPELINE(1)
        for (unsigned c = 0; c < res_T::size; c++) {
            NNET_PIPELINE(1)
            const unsigned from = CONFIG_T::source(p * res_T::size + c);
            const unsigned inside = from < CONFIG_T::n_in ? from : 0;
            const typename data_T::value_type x = buffer[inside / data_T::size][inside % data_T::size];
            packet[c] = from < CONFIG_T::n_in ? typename res_T::value_type(x) : typename res_T::value_type(0);
        }
        res.write(packet);
    }
}

// An image in a frame of zeros, or a part of it: the output begins at (top, left) of the input, which may be negative.
template <class data_T, class res_T, class CONFIG_T>
void reframe(stream<data_T> &data, stream<res_T> &res) {
    const int in_bottom = CONFIG_T::in_height;
    const int in_right = CONFIG_T::in_width;
    const int bottom = CONFIG_T::top + static_cast<int>(CONFIG_T::out_height);
    const int right = CONFIG_T::left + static_cast<int>(CONFIG_T::out_width);
    const int first_y = CONFIG_T::top < 0 ? CONFIG_T::top : 0;
    const int first_x = CONFIG_T::left < 0 ? CONFIG_T::left : 0;
    const int last_y = bottom > in_bottom ? bottom : in_bottom;
    const int last_x = right > in_right ? right : in_right;
    for (int y = first_y; y < last_y; y++) {
        NNET_LOOP_PIPELINE(1)
        for (int x = first_x; x < last_x; x++) {
            NNET_PIPELINE(1)
            data_T in;
            res_T out;
            NNET_AGGREGATE(out)
            const bool given = y >= 0 && y < in_bottom && x >= 0 && x < in_right;
            if (given) {
                in = data.read();
            }
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < res_T::size; c++) {
                NNET_UNROLL
                out[c] = given ? typename res_T::value_type(in[c]) : typename res_T::value_type(0);
            }
            if (y >= CONFIG_T::top && y < bottom && x >= CONFIG_T::left && x < right) {
                res.write(out);
            }
        }
    }
}

// Every position repeated size_width times, every row size_height times.
template <class data_T, class res_T, class CONFIG_T>
void enlarge(stream<data_T> &data, stream<res_T> &res) {
    data_T line[CONFIG_T::in_width];
    NNET_AGGREGATE(line)
    for (unsigned y = 0; y < CONFIG_T::in_height; y++) {
        for (unsigned again = 0; again < CONFIG_T::size_height; again++) {
            for (unsigned x = 0; x < CONFIG_T::in_width; x++) {
                if (again == 0) {
                    line[x] = data.read();
                }
                NNET_LOOP_PIPELINE(1)
                for (unsigned k = 0; k < CONFIG_T::size_width; k++) {
                    NNET_PIPELINE(1)
                    const data_T in = line[x];
                    res_T out;
                    NNET_AGGREGATE(out)
                    NNET_LOOP_UNROLL
                    for (unsigned c = 0; c < res_T::size; c++) {
                        NNET_UNROLL
                        out[c] = typename res_T::value_type(in[c]);
                    }
                    res.write(out);
                }
            }
        }
    }
}

} // namespace nnet

#endif
