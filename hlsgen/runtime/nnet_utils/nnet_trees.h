// SPDX-License-Identifier: Apache-2.0
// Ensembles of decision trees: every comparison of every tree at once, then leaves are chosen, then what they say meets in a balanced
// tree of additions (or of the smaller, or the larger).
//
// Tree t's comparisons are the numbers t * n_steps and on, its leaves t * n_leaves and on; trees that have fewer are filled up with such
// as nothing leads to, which the tool drops. A comparison leads to another of its tree, larger than itself, or from n_steps on to a leaf.
#ifndef NNET_TREES_H_
#define NNET_TREES_H_

#include "nnet_softmax.h"

namespace nnet {

template <class T> struct tree_min {
    static T of(const T &a, const T &b) { return a < b ? a : b; }
};

// What one tree says to target o.
template <class CONFIG_T> struct tree_choice {
    typedef typename CONFIG_T::accum_t accum_t;
    static accum_t of(const bool says[CONFIG_T::n_steps], unsigned t, unsigned o) {
        NNET_INLINE
        accum_t at[CONFIG_T::n_steps + CONFIG_T::n_leaves];
        NNET_PARTITION(at)
        NNET_LOOP_UNROLL
        for (unsigned k = 0; k < CONFIG_T::n_leaves; k++) {
            NNET_UNROLL
            at[CONFIG_T::n_steps + k] = accum_t(CONFIG_T::leaf((t * CONFIG_T::n_leaves + k) * CONFIG_T::n_targets + o));
        }
        NNET_LOOP_UNROLL
        for (unsigned k = 0; k < CONFIG_T::n_steps; k++) {
            NNET_UNROLL
            const unsigned s = CONFIG_T::n_steps - 1 - k;
            const unsigned n = t * CONFIG_T::n_steps + s;
            at[s] = says[s] ? at[CONFIG_T::yes(n)] : at[CONFIG_T::no(n)];
        }
        return at[0];
    }
};

// What all trees say, by target.
template <class data_T, class CONFIG_T> struct tree_votes {
    typedef typename CONFIG_T::accum_t accum_t;
    static void of(const data_T *data, accum_t votes[CONFIG_T::n_targets * CONFIG_T::n_trees]) {
        NNET_INLINE
        NNET_LOOP_UNROLL
        for (unsigned t = 0; t < CONFIG_T::n_trees; t++) {
            NNET_UNROLL
            bool says[CONFIG_T::n_steps];
            NNET_PARTITION(says)
            NNET_LOOP_UNROLL
            for (unsigned s = 0; s < CONFIG_T::n_steps; s++) {
                NNET_UNROLL
                says[s] = CONFIG_T::test::template of<CONFIG_T>(data, t * CONFIG_T::n_steps + s);
            }
            NNET_LOOP_UNROLL
            for (unsigned o = 0; o < CONFIG_T::n_targets; o++) {
                NNET_UNROLL
                votes[o * CONFIG_T::n_trees + t] = tree_choice<CONFIG_T>::of(says, t, o);
            }
        }
    }
};

// Whether a feature is not above a constant.
struct tree_not_above {
    template <class CONFIG_T, class data_T> static bool of(const data_T *data, unsigned n) {
        NNET_INLINE
        return data[CONFIG_T::feature(n)] <= CONFIG_T::bound(n);
    }
};

// The same, of comparisons of which some ask for equality.
struct tree_either {
    template <class CONFIG_T, class data_T> static bool of(const data_T *data, unsigned n) {
        NNET_INLINE
        return CONFIG_T::equal(n) ? data[CONFIG_T::feature(n)] == CONFIG_T::bound(n) : data[CONFIG_T::feature(n)] <= CONFIG_T::bound(n);
    }
};

// The sums as they are.
struct tree_answers {
    template <class res_T, class CONFIG_T> static void of(const typename CONFIG_T::accum_t *sums, res_T *res) {
        NNET_LOOP_UNROLL
        for (unsigned o = 0; o < CONFIG_T::n_targets; o++) {
            NNET_UNROLL
            res[o] = res_T(sums[o]);
        }
    }
};

// The place of the largest, of equals the first.
struct tree_winner {
    template <class res_T, class CONFIG_T> static void of(const typename CONFIG_T::accum_t *sums, res_T *res) {
        typename CONFIG_T::accum_t best = sums[0];
        typename uint_of<16>::type place = 0;
        NNET_LOOP_UNROLL
        for (unsigned o = 1; o < CONFIG_T::n_targets; o++) {
            NNET_UNROLL
            if (sums[o] > best) {
                best = sums[o];
                place = o;
            }
        }
        res[0] = res_T(place);
    }
};

template <class data_T, class res_T, class CONFIG_T>
void trees(const data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out]) {
    typedef typename CONFIG_T::accum_t accum_t;
    NNET_PIPELINE(CONFIG_T::reuse_factor)
    const unsigned n_trees = CONFIG_T::n_trees;
    accum_t votes[CONFIG_T::n_targets * n_trees];
    NNET_PARTITION(votes)
    accum_t sums[CONFIG_T::n_targets];
    NNET_PARTITION(sums)
    tree_votes<data_T, CONFIG_T>::of(data, votes);
    NNET_LOOP_UNROLL
    for (unsigned o = 0; o < CONFIG_T::n_targets; o++) {
        NNET_UNROLL
        sums[o] = accum_t(tree<accum_t, n_trees, typename CONFIG_T::together>::run(votes + o * n_trees) + CONFIG_T::base(o));
    }
    CONFIG_T::answer::template of<res_T, CONFIG_T>(sums, res);
}

// The same between streams, a new sample every few cycles.
template <class data_T, class res_T, class CONFIG_T>
void trees(stream<data_T> &data, stream<res_T> &res) {
    NNET_PIPELINE(CONFIG_T::reuse_factor)
    typedef typename data_T::value_type in_T;
    typedef typename res_T::value_type out_T;
    in_T in[CONFIG_T::n_in];
    NNET_PARTITION(in)
    out_T out[CONFIG_T::n_out];
    NNET_PARTITION(out)
    read_all<data_T, CONFIG_T::n_in>(data, in);
    trees<in_T, out_T, CONFIG_T>(static_cast<const in_T *>(in), out);
    write_all<res_T, CONFIG_T::n_out>(out, res);
}

} // namespace nnet

#endif
