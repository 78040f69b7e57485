// SPDX-License-Identifier: Apache-2.0
// Recurrent layers: each step is a product with the input, one with the state, and gates.
#ifndef NNET_RECURRENT_H_
#define NNET_RECURRENT_H_

#include "nnet_activation.h"
#include "nnet_dense.h"

namespace nnet {

template <class CONFIG_T> struct gates {
    typedef typename CONFIG_T::accum_t accum_t;
    // The activation of a gate (i, f, o, z, r), of its content, and of a state of another type.
    static accum_t gate(const accum_t &x) {
        return CONFIG_T::gate_config::function::template of<accum_t, typename CONFIG_T::gate_config>(x, 0);
    }
    template <class T> static accum_t content(const T &x) {
        return CONFIG_T::act_config::function::template of<accum_t, typename CONFIG_T::act_config>(x, 0);
    }
};

struct simple_step {
    template <class res_T, class CONFIG_T, class accum_T>
    static void of(const accum_T *a, const accum_T *b, res_T *h, res_T *) {
        NNET_LOOP_UNROLL
        for (unsigned u = 0; u < CONFIG_T::n_units; u++) {
            NNET_UNROLL
            h[u] = res_T(gates<CONFIG_T>::content(accum_T(a[u] + b[u])));
        }
    }
};

// Gates in the order i, f, c, o.
struct lstm_step {
    template <class res_T, class CONFIG_T, class accum_T>
    static void of(const accum_T *a, const accum_T *b, res_T *h, res_T *state) {
        typedef gates<CONFIG_T> G;
        const unsigned n = CONFIG_T::n_units;
        NNET_LOOP_UNROLL
        for (unsigned u = 0; u < n; u++) {
            NNET_UNROLL
            const accum_T i = G::gate(accum_T(a[u] + b[u]));
            const accum_T f = G::gate(accum_T(a[n + u] + b[n + u]));
            const accum_T c = G::content(accum_T(a[2 * n + u] + b[2 * n + u]));
            const accum_T o = G::gate(accum_T(a[3 * n + u] + b[3 * n + u]));
            state[u] = res_T(c * i + state[u] * f);
            h[u] = res_T(o * G::content(state[u]));
        }
    }
};

// Gates in the order z, r, h; the reset gate works on the product with the state.
struct gru_step {
    template <class res_T, class CONFIG_T, class accum_T>
    static void of(const accum_T *a, const accum_T *b, res_T *h, res_T *) {
        typedef gates<CONFIG_T> G;
        const unsigned n = CONFIG_T::n_units;
        const typename fixed_of<2, 2, true>::type one = 1;
        NNET_LOOP_UNROLL
        for (unsigned u = 0; u < n; u++) {
            NNET_UNROLL
            const accum_T z = G::gate(accum_T(a[u] + b[u]));
            const accum_T r = G::gate(accum_T(a[n + u] + b[n + u]));
            const accum_T past = accum_T(r * b[2 * n + u]);
            const accum_T fresh = G::content(accum_T(a[2 * n + u] + past));
            h[u] = res_T(fresh * (one - z) + h[u] * z);
        }
    }
};

// The same where the reset gate works on the state, whose product with the content's weights comes after it.
struct gru_before_step {
    template <class res_T, class CONFIG_T, class accum_T>
    static void of(const accum_T *a, accum_T *b, res_T *h, res_T *kept, const typename CONFIG_T::state_matrix::weight_t *weights,
                   const typename CONFIG_T::state_matrix::bias_t *biases) {
        typedef gates<CONFIG_T> G;
        typedef typename CONFIG_T::state_matrix R;
        const unsigned n = CONFIG_T::n_units;
        const typename fixed_of<2, 2, true>::type one = 1;
        accum_T content[R::n_out];
        NNET_PARTITION(content)
        NNET_LOOP_UNROLL
        for (unsigned u = 0; u < n; u++) {
            NNET_UNROLL
            const accum_T r = G::gate(accum_T(a[n + u] + b[n + u]));
            kept[u] = res_T(r * h[u]);
        }
        R::template kernel<res_T, accum_T, R>::run(kept, content, weights, biases);
        NNET_LOOP_UNROLL
        for (unsigned u = 0; u < n; u++) {
            NNET_UNROLL
            const accum_T z = G::gate(accum_T(a[u] + b[u]));
            const accum_T fresh = G::content(accum_T(a[2 * n + u] + content[2 * n + u]));
            h[u] = res_T(fresh * (one - z) + h[u] * z);
        }
    }
};

// How a step is called: most know the product with the state and need no more.
template <class F> struct step_call {
    template <class res_T, class CONFIG_T, class accum_T, class W, class B>
    static void of(const accum_T *a, accum_T *b, res_T *h, res_T *state, const W *, const B *) {
        F::template of<res_T, CONFIG_T, accum_T>(a, b, h, state);
    }
};
template <> struct step_call<gru_before_step> {
    template <class res_T, class CONFIG_T, class accum_T, class W, class B>
    static void of(const accum_T *a, accum_T *b, res_T *h, res_T *state, const W *weights, const B *biases) {
        gru_before_step::of<res_T, CONFIG_T, accum_T>(a, b, h, state, weights, biases);
    }
};

template <class F, class data_T, class res_T, class CONFIG_T>
void recurrent(const data_T *data, res_T *res, const typename CONFIG_T::matrix::weight_t *weights,
               const typename CONFIG_T::matrix::bias_t *biases, const typename CONFIG_T::state_matrix::weight_t *state_weights,
               const typename CONFIG_T::state_matrix::bias_t *state_biases) {
    typedef typename CONFIG_T::accum_t accum_t;
    typedef typename CONFIG_T::matrix M;
    typedef typename CONFIG_T::state_matrix R;
    res_T h[CONFIG_T::n_units];
    NNET_PARTITION(h)
    res_T state[CONFIG_T::n_units];
    NNET_PARTITION(state)
    accum_t a[M::n_out];
    NNET_PARTITION(a)
    accum_t b[M::n_out];
    NNET_PARTITION(b)
    NNET_LOOP_UNROLL
    for (unsigned u = 0; u < CONFIG_T::n_units; u++) {
        NNET_UNROLL
        h[u] = 0;
        state[u] = 0;
    }
    for (unsigned t = 0; t < CONFIG_T::n_steps; t++) {
        const unsigned from = CONFIG_T::backwards ? CONFIG_T::n_steps - 1 - t : t;
        M::template kernel<data_T, accum_t, M>::run(data + from * M::n_in, a, weights, biases);
        R::template kernel<res_T, accum_t, R>::run(h, b, state_weights, state_biases);
        step_call<F>::template of<res_T, CONFIG_T, accum_t>(a, b, h, state, state_weights, state_biases);
        if (CONFIG_T::sequences || t + 1 == CONFIG_T::n_steps) {
            NNET_LOOP_UNROLL
            for (unsigned u = 0; u < CONFIG_T::n_units; u++) {
                NNET_UNROLL
                res[(CONFIG_T::sequences ? t * CONFIG_T::n_units : 0) + u] = h[u];
            }
        }
    }
}

template <class F, class data_T, class res_T, class CONFIG_T>
void recurrent(stream<data_T> &data, stream<res_T> &res, const typename CONFIG_T::matrix::weight_t *weights,
               const typename CONFIG_T::matrix::bias_t *biases, const typename CONFIG_T::state_matrix::weight_t *state_weights,
               const typename CONFIG_T::state_matrix::bias_t *state_biases) {
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
    in_T in[CONFIG_T::n_in];
    out_T out[CONFIG_T::n_out];
    read_all<data_T, CONFIG_T::n_in>(data, in);
    recurrent<F, in_T, out_T, CONFIG_T>(in, out, weights, biases, state_weights, state_biases);
    write_all<res_T, CONFIG_T::n_out>(out, res);
}

} // namespace nnet

#endif
