// SPDX-License-Identifier: Apache-2.0
// Functions of one number. F::of<res_T, CONFIG_T>(x, i) is the result of element i.
#ifndef NNET_ACTIVATION_H_
#define NNET_ACTIVATION_H_

#include "nnet_common.h"

namespace nnet {

struct linear {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) { return res_T(x); }
};

// A type of its own for each element: CONFIG_T::element<res_T>(x, i) assigns to it.
struct elements {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned i) {
        return CONFIG_T::template element<res_T>(x, i);
    }
};

// Of a bit that stands for -1 or +1.
template <class F> struct from_bit {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned i) {
        const typename fixed_of<2, 2, true>::type sign = x == 0 ? -1 : 1;
        return F::template of<res_T, CONFIG_T>(sign, i);
    }
};

struct relu {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        return x > 0 ? res_T(x) : res_T(0);
    }
};

// Never more than CONFIG_T::maximum().
struct relu_max {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const typename CONFIG_T::param_t maximum = CONFIG_T::maximum();
        if (x < 0) {
            return res_T(0);
        }
        return x > maximum ? res_T(maximum) : res_T(x);
    }
};

// A slope below zero.
struct leaky_relu {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const typename CONFIG_T::param_t slope = CONFIG_T::alpha();
        return x > 0 ? res_T(x) : res_T(slope * x);
    }
};

// A slope of its own for each element.
struct prelu {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned i) {
        const typename CONFIG_T::param_t slope = CONFIG_T::alpha(i);
        return x > 0 ? res_T(x) : res_T(slope * x);
    }
};

struct thresholded_relu {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const typename CONFIG_T::param_t threshold = CONFIG_T::alpha();
        return x > threshold ? res_T(x) : res_T(0);
    }
};

struct hard_sigmoid {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const typename CONFIG_T::slope_t slope = CONFIG_T::slope();
        const typename CONFIG_T::shift_t shift = CONFIG_T::shift();
        const auto y = slope * x + shift;
        if (y > 1) {
            return res_T(1);
        }
        return y < 0 ? res_T(0) : res_T(y);
    }
};

struct hard_tanh {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const typename CONFIG_T::slope_t slope = CONFIG_T::slope();
        const typename CONFIG_T::shift_t shift = CONFIG_T::shift();
        const auto y = slope * x + shift;
        if (y > 1) {
            return res_T(1);
        }
        return y < 0 ? res_T(-1) : res_T((y + y) - typename fixed_of<2, 2, true>::type(1));
    }
};

// One bit: 1 for +1, 0 for -1.
struct binary_sign {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        return x < 0 ? res_T(0) : res_T(1);
    }
};

struct binary_tanh {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        return x < 0 ? res_T(-1) : res_T(1);
    }
};

struct ternary_tanh {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const auto twice = x + x;
        if (twice > 1) {
            return res_T(1);
        }
        return twice > -1 ? res_T(0) : res_T(-1);
    }
};

// A batch normalisation and the sign after it: one comparison for each channel.
struct binary_threshold {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned i) {
        return x < CONFIG_T::threshold(i % CONFIG_T::n_channels) ? res_T(0) : res_T(1);
    }
};

struct ternary_threshold {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned i) {
        if (x > CONFIG_T::threshold(i % CONFIG_T::n_channels)) {
            return res_T(1);
        }
        return x > CONFIG_T::lower(i % CONFIG_T::n_channels) ? res_T(0) : res_T(-1);
    }
};

// The word of a table of size words for x, where the table spans `range` numbers.
template <unsigned size, unsigned range, class data_T> inline int table_index(const data_T &x) {
    const typename fixed_of<32, 24, false>::type words = static_cast<double>(size) / range;
    const index_t index = x * words;
    return index.to_int();
}

template <unsigned size> inline unsigned clamp_index(int index) {
    return index < 0 ? 0 : (index > static_cast<int>(size) - 1 ? size - 1 : static_cast<unsigned>(index));
}

// A table around zero: sigmoid, tanh, softplus, ...
struct table_function {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        const int index = table_index<CONFIG_T::table_size, CONFIG_T::table_range>(x);
        return res_T(CONFIG_T::table(clamp_index<CONFIG_T::table_size>(index + static_cast<int>(CONFIG_T::table_size / 2))));
    }
};

// The straight line above zero, a table of negative numbers below.
struct elu {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        if (x >= 0) {
            return res_T(x);
        }
        const typename CONFIG_T::param_t alpha = CONFIG_T::alpha();
        const int index = -table_index<CONFIG_T::table_size, CONFIG_T::table_range>(x);
        return res_T(alpha * CONFIG_T::table(clamp_index<CONFIG_T::table_size>(index)));
    }
};

struct selu {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        if (x >= 0) {
            const typename fixed_of<16, 1, false>::type lambda = 1.0507009873554805;
            return res_T(lambda * x);
        }
        const int index = -table_index<CONFIG_T::table_size, CONFIG_T::table_range>(x);
        return res_T(CONFIG_T::table(clamp_index<CONFIG_T::table_size>(index)));
    }
};

// Any function of few bits: the input's own bits are the address.
struct unary_lut {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned) {
        return res_T(CONFIG_T::table(top_bits<type_info<data_T>::width>(x)));
    }
};

// One factor and one offset for each channel.
struct scale {
    template <class res_T, class CONFIG_T, class data_T> static res_T of(const data_T &x, unsigned i) {
        const unsigned c = i % CONFIG_T::n_channels;
        return res_T(x * CONFIG_T::factor(c) + CONFIG_T::offset(c));
    }
};

} // namespace nnet

#endif
