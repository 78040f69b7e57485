/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The C++ numbers that stand in for the vendors' against the engine's one place where a real becomes an integer. */

#include "nn-text.h"
#include "nn-type.h"
#include "test-network.h"

static const char *const roundings[] = { "TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV" };
static const char *const overflows[] = { "WRAP", "SAT", "SAT_ZERO", "SAT_SYM" };

static const struct { int width, integer; gboolean is_signed; } types[] = {
  { 5, 3, TRUE }, { 4, 4, FALSE }, { 6, -2, TRUE }, { 3, 7, TRUE }, { 18, 8, FALSE },
};

/* Reals around every kind of border: halves of the last bit, ends of the range, far beyond. */
static double
make_real (NnRng        *rng,
           const NnType *type,
           guint         i)
{
  double lsb = nn_type_lsb (type), span = nn_type_max (type) - nn_type_min (type) + lsb;

  switch (i % 4)
    {
    case 0:
      return nn_type_min (type) + lsb * (double) nn_rng_below (rng, 64) / 4 - 2 * lsb;
    case 1:
      return nn_type_max (type) + lsb * (double) nn_rng_below (rng, 32) / 4 - 2 * lsb;
    case 2:
      return span * (nn_rng_uniform (rng) * 6 - 3);
    default:
      return lsb / 2 * ((double) nn_rng_below (rng, 41) - 20);
    }
}

static void
append_cases (GString *program)
{
  NnRng rng;

  nn_rng_init (&rng, 3);
  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    for (guint q = 0; q < G_N_ELEMENTS (roundings); q++)
      for (guint o = 0; o < G_N_ELEMENTS (overflows); o++)
        {
          NnType type = { .kind = NN_TYPE_FIXED, .width = types[t].width, .integer = types[t].integer,
                          .is_signed = types[t].is_signed, .rounding = q, .overflow = o };

          g_string_append_printf (program, "static void t%u_%u_%u() {\n    typedef ap_%sfixed<%d,%d,AP_%s,AP_%s> A;\n"
                                           "    typedef ac_fixed<%d,%d,%s,AC_%s,AC_%s> B;\n", t, q, o, type.is_signed ? "" : "u",
                                  type.width, type.integer, roundings[q], overflows[o], type.width, type.integer,
                                  type.is_signed ? "true" : "false", roundings[q], overflows[o]);
          for (guint i = 0; i < 24; i++)
            {
              NnType wide = NN_FIXED (48, 24);
              double real = nn_type_real (&wide, nn_type_quantize (&wide, make_real (&rng, &type, i), NULL));
              gint64 raw = nn_type_quantize (&type, real, NULL);
              g_autofree char *text = nn_text_from_double (real);

              g_string_append_printf (program, "    check<A, B>(%s, %" G_GINT64_FORMAT "LL);\n", text, raw);
            }
          g_string_append (program, "}\n");
        }
  g_string_append (program, "int main() {\n");
  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    for (guint q = 0; q < G_N_ELEMENTS (roundings); q++)
      for (guint o = 0; o < G_N_ELEMENTS (overflows); o++)
        g_string_append_printf (program, "    t%u_%u_%u();\n", t, q, o);
  g_string_append (program, "    arithmetic();\n    std::cout << checks << \" checks, \" << wrong << \" wrong\" << std::endl;\n    return wrong != 0;\n}\n");
}

static const char head[] =
  "#include \"ac_channel.h\"\n#include \"ac_fixed.h\"\n#include \"ap_fixed.h\"\n#include \"hls_stream.h\"\n#include <iostream>\n"
  "static unsigned checks, wrong;\n"
  "static void expect(bool right, const char *what, double value) {\n"
  "    checks++;\n    if (!right) { wrong++; std::cout << what << ' ' << value << std::endl; }\n}\n"
  "template <class A, class B> void check(double real, long long raw) {\n"
  "    const ap_fixed<48, 24> wide = real;\n"
  "    const ac_fixed<100, 40, true> wider = real;\n"
  "    expect(static_cast<long long>(A(real).raw()) == raw, \"from double\", real);\n"
  "    expect(static_cast<long long>(A(wide).raw()) == raw, \"from fixed\", real);\n"
  "    expect(static_cast<long long>(B(real).raw()) == raw, \"ac from double\", real);\n"
  "    expect(static_cast<long long>(B(wider).raw()) == raw, \"ac from fixed\", real);\n"
  "    const long long whole = static_cast<long long>(real);\n"
  "    if (static_cast<double>(whole) == real) {\n"
  "        expect(static_cast<long long>(A(whole).raw()) == raw, \"from integer\", real);\n"
  "        expect(static_cast<long long>(B(static_cast<int>(whole)).raw()) == raw, \"ac from integer\", real);\n"
  "    }\n"
  "    A assigned = 0;\n    assigned += wide;\n"
  "    expect(static_cast<long long>(assigned.raw()) == raw, \"added to zero\", real);\n"
  "}\n"
  "static void arithmetic() {\n"
  "    unsigned long long state = 88172645463325252ULL;\n"
  "    for (unsigned i = 0; i < 2000; i++) {\n"
  "        state ^= state << 13; state ^= state >> 7; state ^= state << 17;\n"
  "        ap_fixed<20, 8> a = static_cast<double>(static_cast<long long>(state & 0xfffff) - 0x80000) / 4096;\n"
  "        ap_ufixed<13, -2> b = static_cast<double>((state >> 20) & 0x1fff) / 32768;\n"
  "        const double x = a.to_double(), y = b.to_double();\n"
  "        expect((a * b).to_double() == x * y, \"product\", x);\n"
  "        expect((a + b).to_double() == x + y, \"sum\", x);\n"
  "        expect((b - a).to_double() == y - x, \"difference\", x);\n"
  "        expect((-a).to_double() == -x, \"negative\", x);\n"
  "        expect((a < b) == (x < y) && (a == b) == (x == y) && (a >= 1) == (x >= 1), \"order\", x);\n"
  "        expect(a.to_int() == static_cast<int>(x), \"to int\", x);\n"
  "        ap_uint<8> low = a.range(7, 0);\n"
  "        a.range(19, 12) = low;\n"
  "        expect((a.raw() & 0xff) == ((a.raw() >> 12) & 0xff), \"bits\", x);\n"
  "        ap_fixed<64, 32> c = x, d = y;\n"
  "        expect((c * d).to_double() == x * y, \"128 bits\", x);\n"
  "        ap_ufixed<64, 32> e;\n        ap_ufixed<64, 64> f;\n"
  "        e.set_raw(static_cast<espalier::wide_t>(state | 1ULL << 63));\n        f.set_raw(static_cast<espalier::wide_t>(~state | 1ULL << 63));\n"
  "        const espalier::uwide_t full = static_cast<espalier::uwide_t>(state | 1ULL << 63) * (~state | 1ULL << 63);\n"
  "        expect(static_cast<espalier::uwide_t>(ap_ufixed<64, 32>(e * e).raw()) == static_cast<unsigned long long>((static_cast<espalier::uwide_t>(e.raw()) * static_cast<espalier::uwide_t>(e.raw())) >> 32), \"full product, wrapped\", x);\n"
  "        expect(static_cast<espalier::uwide_t>(ap_ufixed<64, 32, AP_TRN, AP_SAT>(e * e).raw()) == ~0ULL, \"full product, limited\", x);\n"
  "        expect(static_cast<espalier::uwide_t>(ap_ufixed<65, 97, AP_RND, AP_SAT>(e * f).raw()) == (full >> 64) + ((full >> 63) & 1), \"full product, rounded\", x);\n"
  "        ap_int<24> whole = a.raw(), seven = 7;\n"
  "        expect((whole / seven).to_int() == static_cast<int>(a.raw()) / 7, \"quotient\", x);\n"
  "    }\n"
  "    hls::stream<int> s(\"s\");\n    s.write(1);\n    s.write(2);\n"
  "    expect(s.read() == 1 && s.size() == 1 && s.read() == 2 && s.empty(), \"stream\", 0);\n"
  "    expect((ap_fixed<8, 3>(5.25 - 8) / ap_fixed<7, 2>(1.5)).to_double() == -1.8125, \"division of UG1399\", 0);\n"
  "}\n";

static void
test_types (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *source = g_build_filename (folder, "t.cpp", NULL);
  g_autofree char *program = g_build_filename (folder, "t", NULL), *include = NULL, *out = NULL;
  g_autoptr (GString) text = g_string_new (head);
  int status;

  append_cases (text);
  g_assert_true (g_file_set_contents (source, text->str, -1, NULL));
  include = g_strdup_printf ("-I%s/../hlsgen/runtime/ap_types", g_getenv ("G_TEST_SRCDIR"));
  {
    const char *compile[] = { "g++", "-std=c++14", "-O0", "-Wall", "-Wextra", "-Werror", include, source, "-o", program, NULL };
    const char *run[] = { program, NULL };

    g_assert_true (g_spawn_sync (NULL, (char **) compile, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error));
    g_assert_true (g_spawn_check_wait_status (status, &error));
    g_assert_no_error (error);
    g_assert_true (g_spawn_sync (NULL, (char **) run, NULL, 0, NULL, NULL, &out, NULL, &status, &error));
    g_test_message ("%s", out);
    g_assert_true (g_spawn_check_wait_status (status, &error));
    g_assert_no_error (error);
  }
  remove_folder (folder);
}

/* Arrays of weights are data for the C++11 of Vivado HLS too: as code they take compilers minutes and gigabytes. */
static void
test_constants (void)
{
  static const char text[] =
    "#include \"ap_fixed.h\"\n#include \"ac_fixed.h\"\n"
    "constexpr ap_fixed<16, 6> a[] = {0.5, -31.998046875, 0, 7, -0.0009765625};\n"
    "static_assert(a[0].raw() == 512 && a[1].raw() == -32766 && a[2].raw() == 0 && a[3].raw() == 7168 && a[4].raw() == -1, \"\");\n"
    "constexpr ap_ufixed<18, 8, AP_RND, AP_SAT_SYM> b[] = {255.9990234375, 0.0009765625, 255};\n"
    "static_assert(b[0].raw() == 262143 && b[1].raw() == 1 && b[2].raw() == 261120, \"\");\n"
    "constexpr ap_int<2> c[] = {-1, 0, 1};\n"
    "static_assert(c[0].raw() == -1 && c[2].raw() == 1, \"\");\n"
    "constexpr ap_uint<1> d[] = {0, 1};\n"
    "static_assert(d[1].raw() == 1, \"\");\n"
    "constexpr ac_fixed<4, 7, true> e[] = {-56, 48.0};\n"
    "static_assert(e[1].raw() == 6, \"\");\n"
    "constexpr ac_fixed<80, 40, true> f[] = {0.5, -3};\n"
    "static_assert(f[1].raw() < 0, \"\");\n";
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *source = g_build_filename (folder, "c.cpp", NULL);
  g_autofree char *include = g_strdup_printf ("-I%s/../hlsgen/runtime/ap_types", g_getenv ("G_TEST_SRCDIR"));
  const char *compile[] = { "g++", "-std=c++11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", include, source, NULL };
  int status;

  g_assert_true (g_file_set_contents (source, text, -1, NULL));
  g_assert_true (g_spawn_sync (NULL, (char **) compile, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error));
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_no_error (error);
  remove_folder (folder);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fixed-header/types", test_types);
  g_test_add_func ("/fixed-header/constants", test_constants);
  return g_test_run ();
}
