// SPDX-License-Identifier: Apache-2.0
// Windows that slide over an image or a sequence (an image of one row): the patch of each output position.
//
// In parallel a patch is gathered from the whole array; in a stream it stands in a window of registers behind line
// buffers, which take in one position at a time. Padding is made on the way, its elements are zero and not valid.
#ifndef NNET_WINDOW_H_
#define NNET_WINDOW_H_

#include "nnet_common.h"

namespace nnet {

template <class CONFIG_T> struct window {
    static const unsigned height = (CONFIG_T::kernel_height - 1) * CONFIG_T::dilation_height + 1;
    static const unsigned width = (CONFIG_T::kernel_width - 1) * CONFIG_T::dilation_width + 1;
    static const unsigned taps = CONFIG_T::kernel_height * CONFIG_T::kernel_width;
    static const unsigned size = taps * CONFIG_T::n_chan;
    static const unsigned rows = height > 1 ? height - 1 : 1; // of the line buffers
    static const unsigned needed_height = (CONFIG_T::out_height - 1) * CONFIG_T::stride_height + height;
    static const unsigned needed_width = (CONFIG_T::out_width - 1) * CONFIG_T::stride_width + width;
    static const unsigned given_height = CONFIG_T::pad_top + CONFIG_T::in_height;
    static const unsigned given_width = CONFIG_T::pad_left + CONFIG_T::in_width;
    static const unsigned scan_height = needed_height > given_height ? needed_height : given_height;
    static const unsigned scan_width = needed_width > given_width ? needed_width : given_width;

    static bool inside(unsigned y, unsigned x) {
        return y >= CONFIG_T::pad_top && y < given_height && x >= CONFIG_T::pad_left && x < given_width;
    }
};

template <class data_T, class CONFIG_T>
void gather_patch(const data_T *data, unsigned oy, unsigned ox, data_T patch[window<CONFIG_T>::size],
                  bool valid[window<CONFIG_T>::taps]) {
    NNET_INLINE
    NNET_LOOP_UNROLL
    for (unsigned ky = 0; ky < CONFIG_T::kernel_height; ky++) {
        NNET_UNROLL
        NNET_LOOP_UNROLL
        for (unsigned kx = 0; kx < CONFIG_T::kernel_width; kx++) {
            NNET_UNROLL
            const unsigned y = oy * CONFIG_T::stride_height + ky * CONFIG_T::dilation_height;
            const unsigned x = ox * CONFIG_T::stride_width + kx * CONFIG_T::dilation_width;
            const unsigned tap = ky * CONFIG_T::kernel_width + kx;
            valid[tap] = window<CONFIG_T>::inside(y, x);
            NNET_LOOP_UNROLL
            for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                NNET_UNROLL
                patch[tap * CONFIG_T::n_chan + c] =
                    valid[tap]
                        ? data[((y - CONFIG_T::pad_top) * CONFIG_T::in_width + (x - CONFIG_T::pad_left)) * CONFIG_T::n_chan + c]
                        : data_T(0);
            }
        }
    }
}

// Line buffers and window of a stream.
template <class data_T, class CONFIG_T> struct sliding {
    typedef window<CONFIG_T> W;
    data_T lines[W::rows][W::scan_width][CONFIG_T::n_chan];
    data_T registers[W::height][W::width][CONFIG_T::n_chan];

    void shift_in(const data_T pixel[CONFIG_T::n_chan], unsigned x) {
        NNET_INLINE
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            NNET_LOOP_UNROLL
            for (unsigned wy = 0; wy < W::height; wy++) {
                NNET_UNROLL
                NNET_LOOP_UNROLL
                for (unsigned wx = 0; wx + 1 < W::width; wx++) {
                    NNET_UNROLL
                    registers[wy][wx][c] = registers[wy][wx + 1][c];
                }
                registers[wy][W::width - 1][c] = wy + 1 < W::height ? lines[wy % W::rows][x][c] : pixel[c];
            }
            NNET_LOOP_UNROLL
            for (unsigned wy = 0; wy + 1 < W::height; wy++) {
                NNET_UNROLL
                lines[wy][x][c] = wy + 2 < W::height ? lines[(wy + 1) % W::rows][x][c] : pixel[c];
            }
        }
    }

    void take_patch(unsigned y, unsigned x, data_T patch[W::size], bool valid[W::taps]) const {
        NNET_INLINE
        NNET_LOOP_UNROLL
        for (unsigned ky = 0; ky < CONFIG_T::kernel_height; ky++) {
            NNET_UNROLL
            NNET_LOOP_UNROLL
            for (unsigned kx = 0; kx < CONFIG_T::kernel_width; kx++) {
                NNET_UNROLL
                const unsigned wy = ky * CONFIG_T::dilation_height;
                const unsigned wx = kx * CONFIG_T::dilation_width;
                const unsigned tap = ky * CONFIG_T::kernel_width + kx;
                valid[tap] = W::inside(y + wy + 1 - W::height, x + wx + 1 - W::width);
                NNET_LOOP_UNROLL
                for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                    NNET_UNROLL
                    patch[tap * CONFIG_T::n_chan + c] = registers[wy][wx][c];
                }
            }
        }
    }
};

// Counts the places at which an output is due along one axis.
template <unsigned extent, unsigned stride, unsigned outputs> struct due_counter {
    unsigned waiting;
    unsigned done;
    void reset() {
        waiting = extent - 1;
        done = 0;
    }
    bool due() const { return waiting == 0 && done < outputs; }
    void step() {
        if (waiting == 0) {
            waiting = stride - 1;
            done++;
        } else {
            waiting--;
        }
    }
};

// One position of a stream, or padding.
template <class data_T, class CONFIG_T>
void next_pixel(stream<data_T> &data, unsigned y, unsigned x, typename data_T::value_type pixel[CONFIG_T::n_chan]) {
    NNET_INLINE
    if (window<CONFIG_T>::inside(y, x)) {
        const data_T packet = data.read();
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            pixel[c] = packet[c];
        }
    } else {
        NNET_LOOP_UNROLL
        for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
            NNET_UNROLL
            pixel[c] = 0;
        }
    }
}

// F::of<in_T, out_T, CONFIG_T>(patch, valid, out) at every output position, all channels at once.
template <class F, class data_T, class res_T, class CONFIG_T>
void slide(const data_T *data, res_T *res) {
    NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
    for (unsigned p = 0; p < CONFIG_T::out_height * CONFIG_T::out_width; p++) {
        NNET_PIPELINE(CONFIG_T::reuse_factor)
        data_T patch[window<CONFIG_T>::size];
        NNET_PARTITION(patch)
        bool valid[window<CONFIG_T>::taps];
        NNET_PARTITION(valid)
        gather_patch<data_T, CONFIG_T>(data, p / CONFIG_T::out_width, p % CONFIG_T::out_width, patch, valid);
        F::template of<data_T, res_T, CONFIG_T>(patch, valid, res + p * CONFIG_T::n_filt);
    }
}

template <class F, class data_T, class res_T, class CONFIG_T>
void slide(stream<data_T> &data, stream<res_T> &res) {
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
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
        NNET_LOOP_PIPELINE(CONFIG_T::reuse_factor)
        for (unsigned x = 0; x < W::scan_width; x++) {
            NNET_PIPELINE(CONFIG_T::reuse_factor)
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
                F::template of<in_T, out_T, CONFIG_T>(patch, valid, out);
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

} // namespace nnet

#endif
