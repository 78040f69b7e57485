// SPDX-License-Identifier: Apache-2.0
// Fixed-point numbers of any width up to 128 bits, exact, for simulation with an ordinary C++ compiler.
//
// A number is a raw integer r of W bits with the value r * 2^(I - W). Sums, differences and products keep every bit;
// only an assignment rounds (first) and brings the result into range (second). The meaning of the modes is that of the
// vendors' manuals; the vendors' own headers are used instead of this file when their tools compile the project.
#ifndef ESPALIER_FIXED_H_
#define ESPALIER_FIXED_H_

#include <cmath>
#include <cstdint>
#include <ostream>
#include <type_traits>

namespace espalier {

__extension__ typedef __int128 wide_t;
__extension__ typedef unsigned __int128 uwide_t;

enum rounding { TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV };
enum overflow { WRAP, SAT, SAT_ZERO, SAT_SYM };

// Known at compile time where the language is new enough; tools of 2019 read C++11.
#if __cplusplus >= 201402L
#define ESPALIER_CONSTEXPR constexpr
#else
#define ESPALIER_CONSTEXPR inline
#endif

constexpr int max_of(int a, int b) { return a > b ? a : b; }

// 64 bits hold most numbers; products and sums of wide ones need 128. Of numbers without a sign only those of 128 bits
// have no bit to spare: what reads them takes their bits for what they are.
template <int W, bool S> struct storage {
    static_assert(W >= 1, "a number has at least one bit");
    static_assert(W <= 128, "numbers of more than 128 bits are not supported in simulation");
    typedef typename std::conditional<(W + (S ? 0 : 1) <= 64), std::int64_t, wide_t>::type type;
};

template <int W, bool S> constexpr wide_t raw_max() {
    return static_cast<wide_t>((static_cast<uwide_t>(1) << (W - (S ? 1 : 0))) - 1);
}

template <int W, bool S> constexpr wide_t raw_min() { return S ? -raw_max<W, S>() - 1 : 0; }

// Keeps the low W bits.
template <int W, bool S> ESPALIER_CONSTEXPR wide_t keep_bits(wide_t v) {
    if (W >= 128) {
        return v;
    }
    const int unused = (128 - W) % 128;
    const uwide_t up = static_cast<uwide_t>(v) << unused;
    return S ? static_cast<wide_t>(up) >> unused : static_cast<wide_t>(up >> unused);
}

// Whether the floor is to be raised by one: `half` is the highest bit that falls off, `rest` whether any below it is set.
template <rounding Q> ESPALIER_CONSTEXPR bool rounds_up(bool negative, bool odd, bool half, bool rest) {
    switch (Q) {
    case TRN_ZERO:
        return negative && (half || rest);
    case RND:
        return half;
    case RND_ZERO:
        return half && (rest || negative);
    case RND_INF:
        return half && (rest || !negative);
    case RND_MIN_INF:
        return half && rest;
    case RND_CONV:
        return half && (rest || odd);
    default:
        return false;
    }
}

// What an assignment makes of an integer that may lie outside the type; `over` is 1 above, -1 below, 0 inside.
template <int W, bool S, overflow O> ESPALIER_CONSTEXPR wide_t fit(wide_t v, int over) {
    if (O == WRAP) {
        return keep_bits<W, S>(v);
    }
    if (over == 0) {
        return O == SAT_SYM && S && W > 1 && v == raw_min<W, S>() ? v + 1 : v;
    }
    if (O == SAT_ZERO) {
        return 0;
    }
    if (over > 0) {
        return raw_max<W, S>();
    }
    return O == SAT_SYM && S ? -raw_max<W, S>() : raw_min<W, S>();
}

// The integer of a type with F bits after the point for the number v * 2^-F2; FULL tells that v is 128 bits without a sign.
template <int W, int F, bool S, rounding Q, overflow O, int F2, bool FULL = false> ESPALIER_CONSTEXPR wide_t requantize(wide_t v) {
    if (F >= F2) {
        const int up = F >= F2 ? F - F2 : 0;
        int over = 0;
        if (O != WRAP && v != 0) {
            const uwide_t low = S ? static_cast<uwide_t>(raw_max<W, S>()) + 1 : 0;
            if (FULL && v < 0) {
                over = 1;
            } else if (v > 0) {
                over = up >= 127 || v > (raw_max<W, S>() >> (up % 128)) ? 1 : 0;
            } else {
                over = up >= 127 || (static_cast<uwide_t>(0) - static_cast<uwide_t>(v)) > (low >> (up % 128)) ? -1 : 0;
            }
        }
        const wide_t shifted = up >= 128 ? 0 : static_cast<wide_t>(static_cast<uwide_t>(v) << (up % 128));
        return fit<W, S, O>(shifted, over);
    }
    const int down = F2 > F ? F2 - F : 1;
    const bool negative = v < 0 && !FULL;
    wide_t floor = down >= 128 ? (negative ? -1 : 0)
                   : FULL      ? static_cast<wide_t>(static_cast<uwide_t>(v) >> (down % 128))
                               : v >> (down % 128);
    if (Q != TRN) {
        const bool half = down > 128 ? negative : ((v >> ((down - 1) % 128)) & 1) != 0;
        const bool rest =
            down > 128 ? v != 0 : (static_cast<uwide_t>(v) & ((static_cast<uwide_t>(1) << ((down - 1) % 128)) - 1)) != 0;
        floor += rounds_up<Q>(negative, (floor & 1) != 0, half, rest) ? 1 : 0;
    }
    return fit<W, S, O>(floor, floor > raw_max<W, S>() ? 1 : (floor < raw_min<W, S>() ? -1 : 0));
}

// value * 2^n, exact but for numbers too small or too large for a double.
ESPALIER_CONSTEXPR double times_power(double value, int n) {
    for (; n >= 16; n -= 16) {
        value *= 65536.0;
    }
    for (; n > 0; n--) {
        value *= 2.0;
    }
    for (; n <= -16; n += 16) {
        value *= 1.0 / 65536.0;
    }
    for (; n < 0; n++) {
        value *= 0.5;
    }
    return value;
}

// An integer of a type of W bits for the real y; known at compile time where y is, so that tables of numbers need no code.
template <int W, bool S, rounding Q, overflow O> ESPALIER_CONSTEXPR wide_t from_scaled(double y) {
    const double limit = 85070591730234615865843651857942052864.0; // 2^126
    if (y != y) {
        return 0;
    }
    if (y >= limit || y <= -limit) {
        return O != WRAP ? fit<W, S, O>(0, y > 0 ? 1 : -1)
               : y - y != 0 ? 0
                            : keep_bits<W, S>(static_cast<wide_t>(std::fmod(y, limit)));
    }
    wide_t floor = static_cast<wide_t>(y);
    if (static_cast<double>(floor) > y) {
        floor -= 1;
    }
    const double d = y - static_cast<double>(floor);
    if (rounds_up<Q>(y < 0, (floor & 1) != 0, d >= 0.5, d != 0 && d != 0.5)) {
        floor += 1;
    }
    return fit<W, S, O>(floor, floor > raw_max<W, S>() ? 1 : (floor < raw_min<W, S>() ? -1 : 0));
}

template <int W, int F, bool S, rounding Q, overflow O> ESPALIER_CONSTEXPR wide_t from_any_real(double value) {
    return from_scaled<W, S, Q, O>(times_power(value, F));
}

constexpr double power_of_two(int n) {
    return n == 0 ? 1.0 : (n > 0 ? 2.0 * power_of_two(n - 1) : 0.5 * power_of_two(n + 1));
}

// The short way for a number that the type has, which weights and tables are: a constant for every version of the
// language, so that compilers make neither code nor many steps of a long array. `scale` is 0 where there is none.
template <int W, int F, bool S> struct short_way {
    static constexpr double scale = F >= -60 && F <= 60 ? power_of_two(F >= -60 && F <= 60 ? F : 0) : 0.0;
    static constexpr double above = power_of_two((W < 62 ? W : 62) - (S ? 1 : 0));
    static constexpr bool is_for(double scaled) {
        return scale > 0 && scaled < above && scaled > (S ? -above : -1.0) &&
               static_cast<double>(static_cast<std::int64_t>(scaled)) == scaled;
    }
};

template <int W, int F, bool S, rounding Q, overflow O> constexpr wide_t from_real(double value) {
    return short_way<W, F, S>::is_for(value * short_way<W, F, S>::scale)
               ? static_cast<wide_t>(static_cast<std::int64_t>(value * short_way<W, F, S>::scale))
               : from_any_real<W, F, S, Q, O>(value);
}

// The same for whole numbers; the limit -max leaves out the one that symmetric saturation forbids.
template <int W, int F, bool S> struct short_whole {
    static constexpr int up = F > 0 ? F % 127 : 0;
    static constexpr int down = F < 0 ? -F % 127 : 0;
    static constexpr wide_t most = raw_max<W, S>();
    static constexpr wide_t least = S ? -raw_max<W, S>() : 0;
    static constexpr bool is_for(wide_t value) {
        return F >= W || F <= -62 ? value == 0
               : F >= 0           ? value <= (most >> up) && value >= -(-least >> up)
                                  : value % (static_cast<wide_t>(1) << down) == 0 && (value >> down) <= most && (value >> down) >= least;
    }
    static constexpr wide_t raw(wide_t value) { return F >= 0 ? value * (static_cast<wide_t>(1) << up) : value >> down; }
};

template <int W, int F, bool S, rounding Q, overflow O> constexpr wide_t from_whole(wide_t value) {
    return short_whole<W, F, S>::is_for(value) ? short_whole<W, F, S>::raw(value) : requantize<W, F, S, Q, O, 0>(value);
}

template <int W, int I, bool S, rounding Q, overflow O> class number;

template <class A> struct is_number : std::false_type {};
template <int W, int I, bool S, rounding Q, overflow O> struct is_number<number<W, I, S, Q, O>> : std::true_type {};

// Some bits of a number, as an unsigned integer; may be assigned to.
template <class N> class bits_of {
  public:
    bits_of(N &owner, int high, int low) : owner_(owner), high_(high), low_(low) {}
    std::uint64_t to_uint64() const { return static_cast<std::uint64_t>(get()); }
    unsigned to_uint() const { return static_cast<unsigned>(get()); }
    operator std::uint64_t() const { return to_uint64(); }
    uwide_t get() const { return (static_cast<uwide_t>(owner_.raw()) >> low_) & mask(); }
    bits_of &operator=(std::uint64_t v) {
        set(v);
        return *this;
    }
    bits_of &operator=(const bits_of &other) {
        set(other.get());
        return *this;
    }
    bits_of(const bits_of &) = default;
    template <class M> bits_of &operator=(const bits_of<M> &other) {
        set(other.get());
        return *this;
    }
    template <int W, int I, bool S, rounding Q, overflow O> bits_of &operator=(const number<W, I, S, Q, O> &v) {
        set(static_cast<uwide_t>(static_cast<wide_t>(v.raw())));
        return *this;
    }

  private:
    uwide_t mask() const {
        const int n = high_ - low_ + 1;
        return n >= 128 ? ~static_cast<uwide_t>(0) : (static_cast<uwide_t>(1) << n) - 1;
    }
    void set(uwide_t v) {
        const uwide_t old = static_cast<uwide_t>(static_cast<wide_t>(owner_.raw()));
        owner_.set_raw(static_cast<wide_t>((old & ~(mask() << low_)) | ((v & mask()) << low_)));
    }
    N &owner_;
    int high_;
    int low_;
};

template <int W, int I, bool S, rounding Q = TRN, overflow O = WRAP> class number {
  public:
    typedef typename storage<W, S>::type raw_t;
    static const int width = W;
    static const int iwidth = I;
    static const int i_width = I;
    static const bool sign = S;
    static const int fraction = W - I;

    constexpr number() : raw_(0) {}
    number(const number &) = default;
    number &operator=(const number &) = default;
    template <int W2, int I2, bool S2, rounding Q2, overflow O2>
    constexpr number(const number<W2, I2, S2, Q2, O2> &v)
        : raw_(static_cast<raw_t>(requantize<W, W - I, S, Q, O, W2 - I2, (W2 == 128 && !S2)>(static_cast<wide_t>(v.raw())))) {}
    template <class A, typename std::enable_if<std::is_integral<A>::value, int>::type = 0>
    constexpr number(A v) : raw_(static_cast<raw_t>(from_whole<W, W - I, S, Q, O>(static_cast<wide_t>(v)))) {}
    template <class A, typename std::enable_if<std::is_floating_point<A>::value, int>::type = 0>
    constexpr number(A v) : raw_(static_cast<raw_t>(from_real<W, W - I, S, Q, O>(static_cast<double>(v)))) {}
    template <class N>
    number(const bits_of<N> &v) : raw_(static_cast<raw_t>(requantize<W, W - I, S, Q, O, 0>(static_cast<wide_t>(v.get())))) {}

    constexpr raw_t raw() const { return raw_; }
    void set_raw(wide_t v) { raw_ = static_cast<raw_t>(keep_bits<W, S>(v)); }

    double to_double() const { return std::ldexp(static_cast<double>(raw_), I - W); }
    float to_float() const { return static_cast<float>(to_double()); }
    int to_int() const { return static_cast<int>(to_int64()); }
    unsigned to_uint() const { return static_cast<unsigned>(to_int64()); }
    std::int64_t to_int64() const {
        return static_cast<std::int64_t>(requantize<64, 0, true, TRN_ZERO, WRAP, W - I>(static_cast<wide_t>(raw_)));
    }
    std::uint64_t to_uint64() const { return static_cast<std::uint64_t>(to_int64()); }
    explicit operator double() const { return to_double(); }
    explicit operator float() const { return to_float(); }
    explicit operator bool() const { return raw_ != 0; }
    explicit operator int() const { return to_int(); }
    explicit operator unsigned() const { return to_uint(); }
    int length() const { return W; }

    bits_of<number> range(int high, int low) { return bits_of<number>(*this, high, low); }
    bits_of<const number> range(int high, int low) const { return bits_of<const number>(*this, high, low); }
    bits_of<number> range() { return range(W - 1, 0); }
    bits_of<const number> range() const { return range(W - 1, 0); }
    bits_of<number> operator()(int high, int low) { return range(high, low); }
    bits_of<const number> operator()(int high, int low) const { return range(high, low); }
    bool operator[](int bit) const { return ((static_cast<wide_t>(raw_) >> bit) & 1) != 0; }
    bits_of<number> operator[](int bit) { return range(bit, bit); }

    number<W + 1, I + 1, true> operator-() const {
        number<W + 1, I + 1, true> r;
        r.set_raw(-static_cast<wide_t>(raw_));
        return r;
    }
    number operator+() const { return *this; }
    number operator~() const {
        number r;
        r.set_raw(~static_cast<wide_t>(raw_));
        return r;
    }
    bool operator!() const { return raw_ == 0; }
    // Shifts keep the type: bits fall off.
    number operator<<(int n) const { return shifted(n); }
    number operator>>(int n) const { return shifted(-n); }
    number &operator<<=(int n) { return *this = shifted(n); }
    number &operator>>=(int n) { return *this = shifted(-n); }

    template <class B> number &operator+=(const B &b) { return *this = number(*this + b); }
    template <class B> number &operator-=(const B &b) { return *this = number(*this - b); }
    template <class B> number &operator*=(const B &b) { return *this = number(*this * b); }
    template <class B> number &operator/=(const B &b) { return *this = number(*this / b); }
    number &operator++() { return *this += 1; }
    number &operator--() { return *this -= 1; }

  private:
    number shifted(int n) const {
        number r;
        wide_t v = static_cast<wide_t>(raw_);
        if (n >= 0) {
            v = n > 127 ? 0 : static_cast<wide_t>(static_cast<uwide_t>(v) << n);
        } else {
            v = v >> (-n > 127 ? 127 : -n);
        }
        r.set_raw(v);
        return r;
    }
    raw_t raw_;
};

// An integer operand of a C++ type counts as a number that holds all of that type.
template <class A> struct operand {
    typedef number<static_cast<int>(sizeof(A)) * 8, static_cast<int>(sizeof(A)) * 8, std::is_signed<A>::value> type;
};
template <> struct operand<bool> { typedef number<1, 1, false> type; };

template <class A, class B> struct sum {
    static const int sa = A::iwidth + (B::sign && !A::sign ? 1 : 0);
    static const int sb = B::iwidth + (A::sign && !B::sign ? 1 : 0);
    static const int integer = max_of(sa, sb) + 1;
    static const int fraction = max_of(A::fraction, B::fraction);
    typedef number<integer + fraction, integer, A::sign || B::sign> type;
    typedef number<integer + fraction, integer, true> difference;
};

template <class A, class B> inline typename sum<A, B>::type add(const A &a, const B &b) {
    typedef typename sum<A, B>::type R;
    typedef typename R::raw_t raw;
    R r;
    r.set_raw(static_cast<raw>(static_cast<raw>(R(a).raw()) + static_cast<raw>(R(b).raw())));
    return r;
}

template <class A, class B> inline typename sum<A, B>::difference subtract(const A &a, const B &b) {
    typedef typename sum<A, B>::difference R;
    typedef typename R::raw_t raw;
    R r;
    r.set_raw(static_cast<raw>(static_cast<raw>(R(a).raw()) - static_cast<raw>(R(b).raw())));
    return r;
}

template <class A, class B> struct product_of {
    typedef number<A::width + B::width, A::iwidth + B::iwidth, A::sign || B::sign> type;
};

template <class A, class B> inline typename product_of<A, B>::type multiply(const A &a, const B &b) {
    typedef typename product_of<A, B>::type R;
    typedef typename std::conditional<(R::width == 128 && !R::sign), uwide_t, typename R::raw_t>::type raw;
    R r;
    r.set_raw(static_cast<wide_t>(static_cast<raw>(static_cast<raw>(a.raw()) * static_cast<raw>(b.raw()))));
    return r;
}

template <class A, class B> struct quotient_of {
    static const int integer = (B::sign ? 1 : 0) + A::iwidth + B::fraction;
    static const int width = (B::sign ? 1 : 0) + A::width + max_of(B::fraction, 0);
    typedef number<width, integer, A::sign || B::sign> type;
};

// Truncated toward zero at the last bit of the result's type.
template <class A, class B> inline typename quotient_of<A, B>::type divide(const A &a, const B &b) {
    typedef typename quotient_of<A, B>::type R;
    const int up = max_of(B::fraction, 0);
    R r;
    wide_t n = static_cast<wide_t>(static_cast<uwide_t>(static_cast<wide_t>(a.raw())) << up);
    wide_t d = static_cast<wide_t>(b.raw());
    r.set_raw(d == 0 ? 0 : n / d);
    return r;
}

// Less than zero, zero or more than zero as a is less than, equal to or more than b.
template <class A, class B> inline int order(const A &a, const B &b) {
    typedef typename sum<A, B>::difference R;
    const wide_t x = static_cast<wide_t>(R(a).raw());
    const wide_t y = static_cast<wide_t>(R(b).raw());
    return x < y ? -1 : (x > y ? 1 : 0);
}

#define ESPALIER_NUM1 int W, int I, bool S, ::espalier::rounding Q, ::espalier::overflow O
#define ESPALIER_NUM2 int W2, int I2, bool S2, ::espalier::rounding Q2, ::espalier::overflow O2
#define ESPALIER_INTEGRAL typename std::enable_if<std::is_integral<A>::value, int>::type = 0

#define ESPALIER_ARITHMETIC(sign_, function_)                                                                          \
    template <ESPALIER_NUM1, ESPALIER_NUM2>                                                                            \
    inline auto operator sign_(const number<W, I, S, Q, O> &a, const number<W2, I2, S2, Q2, O2> &b)                    \
        ->decltype(function_(a, b)) {                                                                                  \
        return function_(a, b);                                                                                        \
    }                                                                                                                  \
    template <ESPALIER_NUM1, class A, ESPALIER_INTEGRAL>                                                               \
    inline auto operator sign_(const number<W, I, S, Q, O> &a, A b)                                                    \
        ->decltype(function_(a, typename operand<A>::type(b))) {                                                       \
        return function_(a, typename operand<A>::type(b));                                                             \
    }                                                                                                                  \
    template <ESPALIER_NUM1, class A, ESPALIER_INTEGRAL>                                                               \
    inline auto operator sign_(A a, const number<W, I, S, Q, O> &b)                                                    \
        ->decltype(function_(typename operand<A>::type(a), b)) {                                                       \
        return function_(typename operand<A>::type(a), b);                                                             \
    }

ESPALIER_ARITHMETIC(+, add)
ESPALIER_ARITHMETIC(-, subtract)
ESPALIER_ARITHMETIC(*, multiply)
ESPALIER_ARITHMETIC(/, divide)

#define ESPALIER_COMPARISON(sign_)                                                                                     \
    template <ESPALIER_NUM1, ESPALIER_NUM2>                                                                            \
    inline bool operator sign_(const number<W, I, S, Q, O> &a, const number<W2, I2, S2, Q2, O2> &b) {                  \
        return order(a, b) sign_ 0;                                                                                    \
    }                                                                                                                  \
    template <ESPALIER_NUM1, class A, ESPALIER_INTEGRAL>                                                               \
    inline bool operator sign_(const number<W, I, S, Q, O> &a, A b) {                                                  \
        return order(a, typename operand<A>::type(b)) sign_ 0;                                                         \
    }                                                                                                                  \
    template <ESPALIER_NUM1, class A, ESPALIER_INTEGRAL>                                                               \
    inline bool operator sign_(A a, const number<W, I, S, Q, O> &b) {                                                  \
        return order(typename operand<A>::type(a), b) sign_ 0;                                                         \
    }                                                                                                                  \
    template <ESPALIER_NUM1> inline bool operator sign_(const number<W, I, S, Q, O> &a, double b) {                    \
        return a.to_double() sign_ b;                                                                                  \
    }

ESPALIER_COMPARISON(<)
ESPALIER_COMPARISON(>)
ESPALIER_COMPARISON(<=)
ESPALIER_COMPARISON(>=)
ESPALIER_COMPARISON(==)
ESPALIER_COMPARISON(!=)

#undef ESPALIER_ARITHMETIC
#undef ESPALIER_COMPARISON

// The numbers that these integers stand for.
template <class T, class R, unsigned long N> inline bool fill(T (&numbers)[N], const R (&raw)[N]) {
    for (unsigned long i = 0; i < N; i++) {
        numbers[i].set_raw(raw[i]);
    }
    return true;
}

template <ESPALIER_NUM1> inline std::ostream &operator<<(std::ostream &out, const number<W, I, S, Q, O> &v) {
    return out << v.to_double();
}

} // namespace espalier

#endif
