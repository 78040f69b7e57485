// SPDX-License-Identifier: Apache-2.0
// Convolutions: the matrix kernels of nnet_dense.h on the patch of each output position.
#ifndef NNET_CONV_H_
#define NNET_CONV_H_

#include "nnet_dense.h"
#include "nnet_window.h"

namespace nnet {

// Groups of group_out outputs, each from its own group_in channels only; weights (taps * group_in, n_out). A depthwise
// convolution has a group for each channel.
template <class data_T, class res_T, class CONFIG_T> struct grouped_kernel {
    static const bool pipelined = true;

    static void run(const data_T *patch, res_T res[CONFIG_T::n_out],
                    const typename CONFIG_T::weight_t weights[CONFIG_T::n_weights],
                    const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
        typedef typename CONFIG_T::accum_t accum_t;
        NNET_PARTITION(weights)
        NNET_PARTITION(biases)
        NNET_MULTIPLIERS(CONFIG_T::multiplier_limit)
        accum_t acc[CONFIG_T::n_out];
        NNET_PARTITION(acc)
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            acc[o] = accum_t(biases[o]);
        }
        NNET_LOOP_UNROLL
        for (unsigned k = 0; k < CONFIG_T::n_in; k++) {
            NNET_UNROLL
            NNET_LOOP_UNROLL
            for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
                NNET_UNROLL
                const unsigned c = o / CONFIG_T::group_out * CONFIG_T::group_in + k % CONFIG_T::group_in;
                const unsigned at = k / CONFIG_T::group_in * CONFIG_T::n_chan + c;
                acc[o] += accum_t(CONFIG_T::product::of(patch[at], weights[k * CONFIG_T::n_out + o]));
            }
        }
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
            NNET_UNROLL
            res[o] = CONFIG_T::finish::template of<res_T, CONFIG_T>(acc[o]);
        }
    }
};

// Several positions at once (parallelization); weights are shared by all of them.
template <class data_T, class res_T, class CONFIG_T>
void conv(const data_T *data, res_T *res, const typename CONFIG_T::matrix::weight_t weights[CONFIG_T::matrix::n_weights],
          const typename CONFIG_T::matrix::bias_t biases[CONFIG_T::n_filt]) {
    typedef typename CONFIG_T::matrix M;
    const unsigned positions = CONFIG_T::out_height * CONFIG_T::out_width;
    for (unsigned first = 0; first < positions; first += CONFIG_T::parallelization) {
        if (M::template kernel<data_T, res_T, M>::pipelined) {
            NNET_PIPELINE(M::reuse_factor)
        }
        NNET_LOOP_UNROLL
        for (unsigned k = 0; k < CONFIG_T::parallelization; k++) {
            NNET_UNROLL
            const unsigned p = first + k;
            data_T patch[window<CONFIG_T>::size];
            NNET_PARTITION(patch)
            bool valid[window<CONFIG_T>::taps];
            NNET_PARTITION(valid)
            gather_patch<data_T, CONFIG_T>(data, p / CONFIG_T::out_width, p % CONFIG_T::out_width, patch, valid);
            M::template kernel<data_T, res_T, M>::run(patch, res + p * CONFIG_T::n_filt, weights, biases);
        }
    }
}

template <class data_T, class res_T, class CONFIG_T>
void conv(stream<data_T> &data, stream<res_T> &res,
          const typename CONFIG_T::matrix::weight_t weights[CONFIG_T::matrix::n_weights],
          const typename CONFIG_T::matrix::bias_t biases[CONFIG_T::n_filt]) {
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
    typedef typename CONFIG_T::matrix M;
    typedef window<CONFIG_T> W;
    static sliding<in_T, CONFIG_T> slider;
    NNET_PARTITION_DIM(slider.lines, 1)
    NNET_RESHAPE_DIM(slider.lines, 3)
    NNET_PARTITION(slider.registers)
    due_counter<W::height, CONFIG_T::stride_height, CONFIG_T::out_height> down;
    due_counter<W::width, CONFIG_T::stride_width, CONFIG_T::out_width> across;
    down.reset();
    for (unsigned y = 0; y < W::scan_height; y++) {
        across.reset();
        for (unsigned x = 0; x < W::scan_width; x++) {
            if (M::template kernel<in_T, out_T, M>::pipelined) {
                NNET_PIPELINE(M::reuse_factor)
            }
            in_T pixel[CONFIG_T::n_chan];
            NNET_PARTITION(pixel)
            next_pixel<data_T, CONFIG_T>(data, y, x, pixel);
            slider.shift_in(pixel, x);
            if (down.due() && across.due()) {
                in_T patch[W::size];
                NNET_PARTITION(patch)
                bool valid[W::taps];
                NNET_PARTITION(valid)
                out_T out[CONFIG_T::n_filt];
                NNET_PARTITION(out)
                slider.take_patch(y, x, patch, valid);
                M::template kernel<in_T, out_T, M>::run(patch, out, weights, biases);
                res_T packet;
                NNET_AGGREGATE(packet)
                NNET_LOOP_UNROLL
                for (unsigned c = 0; c < CONFIG_T::n_filt; c++) {
                    NNET_UNROLL
                    packet[c] = out[c];
                }
                res.write(packet);
            }
            across.step();
        }
        down.step();
    }
}

// The inputs that a transposed convolution's kernel brings to output (oy, ox); zeros where it brings none.
template <class data_T, class CONFIG_T>
void gather_transposed(const data_T *data, unsigned oy, unsigned ox, data_T patch[window<CONFIG_T>::size]) {
    NNET_INLINE
    NNET_LOOP_UNROLL
    for (unsigned ky = 0; ky < CONFIG_T::kernel_height; ky++) {
        NNET_UNROLL
        NNET_LOOP_UNROLL
        for (unsigned kx = 0; kx < CONFIG_T::kernel_width; kx++) {
            NNET_UNROLL
            const unsigned by = ky * CONFIG_T::dilation_height, bx = kx * CONFIG_T::dilation_width;
            const bool reached = oy + CONFIG_T::pad_top >= by && ox + CONFIG_T::pad_left >= bx;
            const unsigned y = reached ? oy + CONFIG_T::pad_top - by : 0, x = reached ? ox + CONFIG_T::pad_left - bx : 0;
            const bool valid = reached && y % CONFIG_T::stride_height == 0 && x % CONFIG_T::stride_width == 0 &&
                               y / CONFIG_T::stride_height < CONFIG_T::in_height && x / CONFIG_T::stride_width < CONFIG_T::in_width;
            const unsigned from = valid ? y / CONFIG_T::stride_height * CONFIG_T::in_width + x / CONFIG_T::stride_width : 0;
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                NNET_UNROLL
                patch[(ky * CONFIG_T::kernel_width + kx) * CONFIG_T::n_chan + c] =
                    valid ? data[from * CONFIG_T::n_chan + c] : data_T(0);
            }
        }
    }
}

template <class data_T, class res_T, class CONFIG_T>
void conv_transposed(const data_T *data, res_T *res,
                     const typename CONFIG_T::matrix::weight_t weights[CONFIG_T::matrix::n_weights],
                     const typename CONFIG_T::matrix::bias_t biases[CONFIG_T::n_filt]) {
    typedef typename CONFIG_T::matrix M;
    for (unsigned p = 0; p < CONFIG_T::out_height * CONFIG_T::out_width; p++) {
        if (M::template kernel<data_T, res_T, M>::pipelined) {
            NNET_PIPELINE(M::reuse_factor)
        }
        data_T patch[window<CONFIG_T>::size];
        NNET_PARTITION(patch)
        gather_transposed<data_T, CONFIG_T>(data, p / CONFIG_T::out_width, p % CONFIG_T::out_width, patch);
        M::template kernel<data_T, res_T, M>::run(patch, res + p * CONFIG_T::n_filt, weights, biases);
    }
}

template <class data_T, class res_T, class CONFIG_T>
void conv_transposed(stream<data_T> &data, stream<res_T> &res,
                     const typename CONFIG_T::matrix::weight_t weights[CONFIG_T::matrix::n_weights],
                     const typename CONFIG_T::matrix::bias_t biases[CONFIG_T::n_filt]) {
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
    const unsigned n_in = CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::n_chan;
    const unsigned n_out = CONFIG_T::out_height * CONFIG_T::out_width * CONFIG_T::n_filt;
    in_T in[n_in];
    out_T out[n_out];
    read_all<data_T, n_in>(data, in);
    conv_transposed<in_T, out_T, CONFIG_T>(in, out, weights, biases);
    write_all<res_T, n_out>(out, res);
}

} // namespace nnet

#endif
